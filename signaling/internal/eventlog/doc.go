// Package eventlog is the ordered log of one room: everything that happens is appended once, encoded once, and read by
// any number of readers at their own pace. WebSocket sessions, SSE, long-poll and snapshots all name their place in it
// by a Position, so a reader that was away gets exactly what it missed, or learns that it must start from a snapshot.
//
// # Goroutines
//
//	| goroutine        | started by                        | stopped by                                       |
//	|------------------|-----------------------------------|--------------------------------------------------|
//	| the watcher bell | Append, through time.AfterFunc    | itself: it closes one channel and never blocks   |
//	| the crowd's      | Append, through time.AfterFunc    | itself: it closes a channel for each participant |
//
// Readers run on their own goroutines; an append starts none of them.
//
// # Invariants
//
//   - Sequence numbers rise by one for each entry, whoever it is for. So a place in the log is one number, and a reader
//     that skips what is not meant for it can still tell "nothing for me" from "lost".
//   - A reader gets every entry it may see exactly once, in order, or a newer one that says it all (Audience.About), or an error that
//     says that it cannot. It never gets a part silently.
//   - Nothing is called back while the lock is held: an append only closes channels. A slow reader costs the room
//     nothing; it falls behind the ring and starts over from a snapshot.
//   - Memory is bounded by entries and by bytes; the oldest go first. Of talk (Audience.By) half of it is kept at most; of that the one
//     goes first who said most to the one to whom most was said: nobody can push out what others said to a third.
//   - What a reader may not see does not count as lost to it: private traffic makes neither watchers start over nor those whom it is not
//     for.
//   - An entry's JSON is shared by all readers: nobody may write to it.
package eventlog
