// Package stock is the comparator of make bench: a forwarder made of nothing but pion/webrtc as its documentation shows it. Default codecs,
// default interceptors, one UDPMuxDefault, a loop around TrackRemote.Read, and one TrackLocalStaticRTP for each published track that all its
// viewers share. It speaks as much of docs/protocol.md as package loadgen's clients need, over TCP, a message a line.
//
// # Goroutines
//
//	| goroutine          | started by        | stopped by                              |
//	|--------------------|-------------------|-----------------------------------------|
//	| accept             | New               | Close                                   |
//	| one a connection   | accept            | the connection's end, Close             |
//	| two a slot (RTCP)  | peer.join         | the peer's end                          |
//	| one a track        | pion, for OnTrack | the peer's end                          |
//	| pion's             | pion              | the peer's end                          |
//
// Close waits for all of them.
//
// # Invariants
//
//   - Nothing here is tuned: what it costs is what pion costs who uses it so.
//   - No simulcast: a stock forwarder has no layers to choose from. Offers with it are refused.
//   - Server.mu guards rooms, peers and who sees whom. pion is called with it held where it does not call back.
package stock
