// Package budget bounds how often and how much something may happen: a token bucket that is told the time.
//
// # Goroutines
//
//	none
//
// # Invariants
//
//   - Over any time t no more than the depth and t times the rate is taken.
//   - Whoever asks for more than there is takes nothing, and loses nothing by having asked.
//   - A clock that is set back costs at most a full bucket, and stops nothing.
package budget
