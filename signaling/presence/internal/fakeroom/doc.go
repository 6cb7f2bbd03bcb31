// Package fakeroom is rooms in memory for the tests of presence: real logs, but nobody in the rooms.
//
// # Goroutines
//
// None.
//
// # Invariants
//
//   - Each room's lock is held from reading its state to appending to its log, as presence.Feed asks for: tests of
//     presence would otherwise blame presence for the fake's races.
package fakeroom
