// Package access is how people come to a room over HTTP: it says what holds on the server, signs hosts in, and exchanges what somebody
// has, a host's session, an invitation or nothing, for the token that signaling and presence ask for. It also gives applications'
// servers a room's invitations, bans and door.
//
// # Goroutines
//
// None: each request is served on net/http's.
//
// # Invariants
//
//   - Signaling and presence know tokens alone. Whoever is in got a token here, or from an application.
//   - A host's session counts only in requests of pages of our own origin, and is in no answer's body.
//   - No token is given for longer than it would have been good: an application's is given back as it is.
//   - A stranger's token says nothing about who is in the room: it does not watch.
//   - What a request may cost is bounded: its body, its time, and how many come from one address.
package access
