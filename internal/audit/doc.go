// Package audit writes to the log who did what, for those who have to answer for it later: who joined which room from which
// address, what a moderator did to whom, and who was refused and why. Every line has the message "audit", so that they can be
// told from the rest and kept apart from it.
//
// # Goroutines
//
// None. Trail is safe for concurrent use.
//
// # Invariants
//
//   - What somebody is let do is always written. Refusals, which strangers can cause, are bounded: how many were left out
//     stands in the next line that is written.
//   - A line has no secret: no token, no password, nothing that was said in a room.
//   - Addresses are written only where the operator wants them to be.
package audit
