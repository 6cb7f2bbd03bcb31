// Package nack decides which lost packets to ask a sender for, and when (RFC 4585, section 6.2.1).
//
// # Goroutines
//
//	none: the owner's loop calls it
//
// # Invariants
//
//   - Nothing is asked for within the reordering grace: packets overtake each other on healthy networks.
//   - Retries are spaced by the round trip time, growing, and end; then a keyframe is the only help, and the caller is told.
//   - At most 100 numbers are outstanding, in a buffer allocated once.
package nack
