// Package ring keeps a layer's last packets, once, for all who may still need them: sinks that forward them, receivers that
// ask again, viewers who join and want the last keyframe. Others refer to a packet by (index, serial).
//
// # Goroutines
//
//	none: the owner's loop calls it
//
// # Invariants
//
//   - A slot's address never changes; a serial number is given once, so (index, serial) finds a packet or nothing, never another.
//   - Memory grows in chunks, only while the oldest packet is younger than the time to keep, and never beyond the maximum.
//   - Inserting allocates only when it grows.
//   - Two bytes before each payload are free, so that a retransmission's number (RFC 4588) is put there without a copy.
package ring
