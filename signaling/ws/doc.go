// Package ws carries signaling over WebSockets: it checks who may connect, and hands messages to and from a
// signaling.Link. Dial is the client's end, for the load tool. Compression is off: messages are small but for SDP, and a
// compressor would cost more memory than the session itself.
//
// # Goroutines
//
//	| goroutine             | started by          | stopped by                                              |
//	|-----------------------|---------------------|---------------------------------------------------------|
//	| the reader            | ServeHTTP           | the end of the connection; Handler.Wait waits            |
//	| the library's timeout | accept, Dial        | conn.Close, Client.Close                                |
//	| the hard close        | conn.Close, a timer | conn.Close, or it closes the socket and ends            |
//
// The writer is the link's.
//
// # Invariants
//
//   - One reader always runs, so that control frames are answered and a dead socket is noticed.
//   - Who has shown no good token holds unproven bytes at most, and its close is not waited for.
//   - The read limit is ours: the library would close with 1009, and the client should see our own code and an error.
//   - A close never hangs on a peer that stopped in the middle of a frame: the socket is cut after closeTimeout.
//   - The access token in the subprotocol list is neither echoed nor logged.
//   - The handler hijacks the connection: mount it outside middleware that wraps the ResponseWriter without Unwrap.
package ws
