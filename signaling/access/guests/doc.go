// Package guests makes and checks invitations, and keeps them and the bans of rooms beyond a restart.
//
// An invitation is a short text that a link carries behind #invite=: which room, what its holder may do, until when, signed. It is good by
// its signature alone; who made it, its label and how often it was used are kept beside, and so is what was revoked.
//
// # Goroutines
//
//	| goroutine | started by | stopped by |
//	|-----------|------------|------------|
//	| writer    | Open       | Close      |
//
// The writer has the files written while nobody waits for the disk: changes that come meanwhile are written together.
//
// # Invariants
//
//   - The text says nothing about the room: it is part of what is signed, so that a link for one room is none for another.
//   - An invitation lives at most Config.MaxTTL from when it was made, also where it says more: a revocation can be forgotten after that.
//   - A revocation is never forgotten before. Where there is no room for one more, no more invitations are made; and all of a room that
//     nobody knows an invitation of are then not revoked.
//   - Bounds: Config.PerRoom good invitations a room and ten times as many revoked; maxInvitations and maxRevoked in all. Over them Make is
//     refused, and what there is stays. Of bans maxBanBytes: the rooms whose bans are the oldest are forgotten first.
//   - No error and no log line has an invitation's text.
package guests
