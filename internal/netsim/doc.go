// Package netsim is a network in one goroutine: links with rate, queue, delay, jitter and loss, and a TCP-like flow to share them
// with, driven by a clock that jumps from event to event. What decides by time is tested with it, faster than real time.
//
// # Goroutines
//
//	none: all happens in Clock.Run
//
// # Invariants
//
//   - The same seed gives the same run: there is no real time, and the only randomness is the caller's.
//   - Events at one time run in the order in which they were planned.
//   - A link is a queue: unless Link.Reorder is set nothing overtakes.
package netsim
