// Package layer chooses the simulcast layer that fits the size at which a picture is shown.
//
// # Goroutines
//
//	none: pure functions
//
// # Invariants
//
//   - The choice is the smallest layer that looks sharp; a viewer does not pay for pixels it throws away.
//   - Small changes of size do not change the layer: it goes up when lengths are stretched by over 25 %, and
//     down when they would be by 10 % at most.
package layer
