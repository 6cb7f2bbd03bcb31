// Package seal gets the SRTP keys of a DTLS connection, and encrypts RTP with AEAD_AES_128_GCM (RFC 7714) so that the encryption
// is the only copy of the payload.
//
// # Goroutines
//
//	none
//
// # Invariants
//
//   - Secrets are in memory only. They are never logged, formatted or written anywhere; who has Keys wipes them.
//   - A GCM never uses a nonce twice for different packets if its caller never gives it two packets with one (SSRC, roc, seq).
package seal
