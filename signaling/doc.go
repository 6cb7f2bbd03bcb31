// Package signaling is the control plane that clients see: rooms, the sessions of their participants, and the protocol
// of docs/protocol.md. It knows no transport (package ws is one) and no media: ports.go says what it needs of both.
//
// # Goroutines
//
//	| goroutine      | started by        | stopped by                                                        |
//	|----------------|-------------------|-------------------------------------------------------------------|
//	| Server.attend  | New               | Shutdown, which waits                                             |
//	| Server.sweep   | New               | Shutdown, which waits                                             |
//	| room.run       | the first who joins or watches | the sweep after the grace, or Shutdown, which waits  |
//	| session.run    | join              | the end of the session; Shutdown waits                            |
//	| Link.write     | Open              | Link.shut; Link.End waits                                         |
//
// Requests run on the goroutine that calls Link.Receive. Media events run on the media node's goroutines.
//
// # Locks
//
// In this order: Link.receiving, session.turn, session.media, Server.mu, room.mu, Link.mu and the log's own. Nobody
// takes two of a kind. The media node, the transport and Link.send and Link.shut are never called with Server.mu,
// room.mu or Link.mu held.
//
// # Invariants
//
//   - Whatever a session is told without having asked goes through the room's log, with an audience. So a client that
//     comes back with its position has lost nothing and gets nothing twice; and a client that does not read holds no
//     memory but its place in the log.
//   - The log is appended to with room.mu held, at the change that it tells of. So a snapshot and its position, taken
//     under the same lock, fit together.
//   - A session's media is changed only with its media lock held, together with what the room is told of it. So the
//     two cannot come to differ.
//   - A request is acted on once. Its answer is remembered, and a repeated id is answered from memory.
//   - No input from a peer panics, and if it does, that one connection ends.
//   - A room is forgotten only when nobody is in it, joins it, waits at it or watches it, and then after a grace.
//   - Nobody waits at an open door: whatever lets somebody in, or keeps him out for good, is looked at under the room's lock when it changes
//     (room.answerLocked). What must be done without the lock is left to room.run.
//   - A knock ends once, and is kept until its client knows how. Who waits costs one link.
package signaling
