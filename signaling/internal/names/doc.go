// Package names says what may name a room, and how a name that people choose for themselves is shown. Tokens, rooms and
// presence share it, so that what one takes no other refuses.
//
// # Goroutines
//
// None.
//
// # Invariants
//
//   - What Display returns is seen by whoever reads it: it has a character with a shape, and nothing that has none but where
//     a script or an emoji needs it.
//   - Display of what Display returned is the same.
package names
