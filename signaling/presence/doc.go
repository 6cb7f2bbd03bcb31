// Package presence serves who is in a room over plain HTTP, to pages and programs that never join it: as a JSON
// snapshot with an ETag, as Server-Sent Events, and by long-poll. All three read the room's event log (D3), so a
// watcher can lose its connection, or change from one to the other, without missing or doubling anything.
//
// # Goroutines
//
// None of its own: a stream is written by the goroutine on which net/http runs its handler, and ends with it. Shutdown
// waits for them.
//
// # Invariants
//
//   - What a watcher gets is a snapshot at a position and every public entry behind that position, or every public entry
//     behind the position that it named. There is no window in between: the cursor starts at the snapshot's own
//     position, and if the log was replaced or evicted meanwhile, the snapshot is taken anew.
//   - A native EventSource gives up for good on any answer but 200 with an event stream. So what may be mended by
//     waiting (too many watchers, shutdown) is answered 200, with a retry time and the end of the stream.
//     Only what a person must mend (token, room name) is answered 4xx.
//   - A watcher that does not read costs itself its connection, after Timing.Write, and nobody else anything. What
//     waits for it is in the kernel's socket buffer alone; the log is shared.
//   - All that is due for a watcher goes out in one write.
//   - Query strings may hold tokens: no URL is logged or echoed.
package presence
