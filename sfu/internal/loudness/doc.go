// Package loudness smooths the audio levels that senders put into RTP packets (RFC 6464) and orders speakers by them.
//
// # Goroutines
//
//	none: the owner's loop calls it
//
// # Invariants
//
//   - A cough does not make a speaker: two fifths of 400 ms must be loud.
//   - The order does not flap: who speaks stays on the list for a moment of silence, and is overtaken only by a clearly louder
//     one.
package loudness
