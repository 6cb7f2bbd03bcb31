// Package icelite reads connectivity checks and writes their answers: the STUN (RFC 8489) that an ICE-lite agent needs (RFC 8445,
// section 2.5), which answers checks. It sends none to find a way, and asks only whether a client is where a check came from.
//
// # Goroutines
//
//	none
//
// # Invariants
//
//   - Parse allocates nothing, keeps nothing, and believes nothing: a Request counts after Key.Verify.
//   - MESSAGE-INTEGRITY is compared in constant time, and nothing behind it is looked at but FINGERPRINT.
//   - An answer to a request of ours counts after Key.Made, and for who still knows the id.
//   - An answer is no longer than twice its request, and goes to who has shown the password alone: nobody is flooded by it.
package icelite
