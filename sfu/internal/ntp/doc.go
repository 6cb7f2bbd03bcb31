// Package ntp converts the NTP times of RTCP sender reports (RFC 3550, section 4) and estimates how far a publisher's clock is
// from ours.
//
// # Goroutines
//
//	none: the owner's loop calls it
//
// # Invariants
//
//   - Everything here is about differences: publishers' clocks may be years off, or start at zero.
package ntp
