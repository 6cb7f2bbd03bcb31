// Package sfu is the media core: it takes what peers publish and forwards it to who wants to see it, without decoding it.
// It knows peers, sources, slots and data channels; rooms, names and permissions are others' business.
//
// A Node owns the sockets. A Peer is one client's connection. What a peer publishes is a Source, with its simulcast layers
// and a ring of their last packets. A slot's receiver sees a Line: one SSRC, one sequence of numbers and timestamps. A Sink is
// one line's subscription to one source; it rewrites headers and refers to the ring, so that a payload is stored once for all.
//
// # Goroutines
//
//	Node.tick         started by New, ended by Node.Close: 4 to 10 times a second it looks after loops that nothing comes for
//	                  (tick.go); the others tick in the socket's reader
//	metronome.run     started by New, ended by Node.Close: sends what waits for slow links, and probes, every 5 ms while there is any
//	crew.run          one for each core but one, started by New, ended by Node.Close: asleep but while a fan-out is spread (spread.go)
//	Node.spawn        short tasks such as closing a peer, started by peers; Node.Close waits for them
//	direct.connect    one per peer of the batched plane, started by its first check: the DTLS handshake, with which it ends.
//	                  direct.close waits, which Peer.teardown calls
//	direct.changed    short tasks that tell a new state; direct.close waits
//	direct.runData    one per peer that uses data channels, started by its first SCTP packet, or by a message that waits for it;
//	                  direct.close ends it and waits
//	direct.park, wake short tasks that end the goroutines of an idle DTLS connection, or start them again; direct.close waits
//	Peer.readData     one per data channel, started when there is something to read or to send; Peer.teardown waits for them
//	Node.accept       with Config.TCP, ended by Node.Close: takes ICE-TCP connections
//	tcpConn.read, flush two per ICE-TCP connection, ended by its end or by its peer's; Node.Close waits
//	reader.serve      where Config.Conn is a bare socket, ended by Node.Close: reads it. Else its owner's goroutines do
//	pion's, batched   DTLS 3, and 3 of SCTP with data channels. direct.close ends them. TestGoroutinesOfAPeer counts: 3, with
//	                  data 7, and none once DTLS is parked, after 1 s in which nobody used it
//	pion's, plane pion 17 per peer: ICE 5, DTLS 3, SRTP and SRTCP 4, SCTP 4, the mux 1. stock.close ends them
//	                  Per node one reader for UDP, one for ICE-TCP, three per ICE-TCP connection
//
// On the batched plane (plane.go, leg.go) a peer is a direct transport: ICE's lite part (ice.go), a DTLS connection, and an SCTP
// association once it is used. RTP and RTCP are received and forwarded in the goroutine that reads the socket, of which there is one for
// each; what sinks write is sealed into one slab and leaves when the batch is through. Checks are answered there, too, and DTLS is
// queued for its connection. Over ICE-TCP packets are received in the connection's goroutine. On the plane "pion" a peer is a
// PeerConnection, and packets are received in the goroutine of its SRTP session: edge.go.
//
// Sources, sinks, lines and Speakers start none: they run in whoever calls them.
//
// # Invariants
//
//   - All sources, sinks, lines and legs of a group of peers (a room's) are touched under the group's lock only, "the loop":
//     one lock per batch of packets, a NACK or a view, none per sink; giving it back sends what was written. The loop never
//     blocks and calls out through Egress and Upstream alone, which do not call back. It may be entered with Peer.mu held, never
//     with Node.mu.
//   - Nobody is in two loops. A line whose source belongs to another group gets its packets by an inbox (inbox.go): copied in the
//     source's loop, sent in the line's, by the same thread.
//   - From a packet's arrival to its leaving nothing allocates, looks into a map or logs (TestForwardingDoesNotAllocate;
//     BenchmarkFanout without encryption: 36 to 57 ns per packet and sink from 10 sinks up, 160 to 250 for one, on a 2-core machine). What it needs
//     of a receiver lies in a dozen cache lines: with many receivers fetching them is most of what a packet costs here (TestHotFields,
//     BenchmarkVisit).
//   - RTP and RTCP to a peer are encrypted by its leg alone, in its loop, whatever path they take, or, on the plane "pion", by
//     pion's sessions alone: with two writers of one SSRC under one key nonces would repeat.
//   - An address belongs to a leg after a packet from it has authenticated, or, where it is nobody's yet, when DTLS is through and
//     ICE has chosen it; forged packets in a row take it away again.
//   - SRTP keys come from the DTLS exporter after the client's certificate matched its offer's fingerprint, and are wiped once the
//     contexts are made.
//   - A payload lies in the ring once. Sinks patch picture ids in place: each sets all of them, and no two run at once. In a fan-out that
//     is spread over cores the ring is only read, and copies are patched. Nothing else happens in the loop until all parts are sent.
//   - A line's sequence numbers have no gap but where the publisher's have one (or where a packet is still on its way at a
//     switch), and its timestamps never go backward: receivers see one stream, whatever is switched
//     or left out. What is forwarded refers to nothing that was left out (TestStormsOfLayers).
//   - A line joins a stream at a keyframe, and who is shown something already when that is whole. Until then the one before flows on, and the keyframe is asked for again
//     and again: a receiver that never got a packet asks for none.
//   - Who reports on what arrives (transport-wide feedback, REMB) is sent no more than its network takes: downlink.go. Layers go down
//     at once, temporal before spatial; frames that wait are those of the layer that is shown, and numbers are given back by what is
//     dropped while it waits, so that receivers see no gap. Who reports nothing has no limit.
//   - A publisher is limited (REMB) only while what it sends piles up in its network, and told when that is over (TestLimitOfAPublisher).
//   - No packet of video is sealed twice under one number: with a transport-wide number in its header it would not be the same. It is
//     repeated over RTX, or not at all.
//   - A muted source forwards nothing, and nothing from before is shown after.
//   - Every packet that a source stores while a sink is attached is sent, waits for the receiver's link, is counted under a DropReason,
//     or was left out on purpose, which a LeftReason tells (accounts.go; TestAccountsOfLayers, TestAccountsOfPacing).
//   - Locks are taken in this order: Peer.negotiating, Peer.mu or Peer.telling, iceAgent.mu, a loop, then an inbox's or the plane's. pion calls back with none of them held,
//     except for Peer.buffer, which may come from within a loop and so takes Peer.streamsMu alone.
//   - RTP and RTCP are acted on only after SRTP has authenticated them, and no candidate of a client's is ever used: nobody can
//     make a node send to an IP address that has not answered it. Before that an address gets at most three times what comes from it, and
//     no media (ice_proof.go). Only the port is followed without ICE, once a packet from there has authenticated: a NAT that forgot its
//     mapping (plane_stray.go). Neither happens more than twice a second.
//   - Nothing is sent to whose checks have stayed out for 32 s, until one comes again (RFC 7675), and no media to whom nothing at all
//     has come from for 11 s.
//   - What one publisher may send is bounded: sound at its source, video by Config.MaxPublishBPS; and how many keyframes one viewer may
//     ask for (asking.go).
//   - ICE's credentials count until a check with newer ones has come: a restart breaks nothing before it has made something.
//   - What a peer sends never panics and never stops another's media. If it does, in our code, that peer ends (Peer.guard), or a packet is
//     lost (Node.guard). Goroutines that pion starts for DTLS and SCTP are not ours to recover.
package sfu
