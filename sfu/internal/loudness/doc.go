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
//   - The head of the list has the floor, and keeps it until somebody is more active on three time scales: 20 ms, 100 ms, 2 s.
package loudness
