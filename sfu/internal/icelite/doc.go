// Package icelite reads connectivity checks and writes their answers: the STUN (RFC 8489) that an ICE-lite agent needs (RFC 8445,
// section 2.5), which answers checks and sends none.
//
// # Goroutines
//
//	none
//
// # Invariants
//
//   - Parse allocates nothing, keeps nothing, and believes nothing: a Request counts after Key.Verify.
//   - MESSAGE-INTEGRITY is compared in constant time, and nothing behind it is looked at but FINGERPRINT.
//   - An answer is no longer than twice its request, and goes to who has shown the password alone: nobody is flooded by it.
package icelite
