// Package loadgen is a load generator for a running Parley: it joins rooms as any client would, publishes synthetic sound and
// picture, and measures what comes back. Signaling, ICE, DTLS and SRTP are real; only the codecs are not. It knows the
// server by docs/protocol.md alone and shares no code with it.
//
// Receiving must cost next to nothing, or the generator would be what is measured. So most viewers are light: once the
// first picture is there, a filter on their socket has the kernel drop all RTP but every Mth packet (by sequence number)
// and count it. The Mth packets are decrypted, and give loss and latency as an even sample over all viewers. A few full
// viewers take and decrypt everything.
//
// # Goroutines
//
//	| goroutine             | started by           | stopped by                              |
//	|-----------------------|----------------------|-----------------------------------------|
//	| pacer                 | Run                  | Run                                     |
//	| join                  | Run, one a client    | its timeout                             |
//	| signaling reader      | client.join          | client.close, through the connection    |
//	| client clock          | client.join          | client.close                            |
//	| ICE agent, DTLS, SCTP | pion, in client.join | client.close                            |
//
// A client's RTP and RTCP are handled in the goroutine in which ICE reads the socket.
//
// # Invariants
//
//   - One process publishes and views, so one clock stamps and reads: latency needs no synchronised clocks.
//   - Latency ends when the kernel has the packet in the viewer's socket, where the kernel says when that was: how long the
//     generator then takes to read it is a figure of its own.
//   - What the generator could not do in time is in the report, never in the server's figures alone.
//   - Two clients never share a socket: to the server they are as many machines.
package loadgen
