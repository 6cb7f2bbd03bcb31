package sfu

import (
	"sync/atomic"
	"time"

	"github.com/parley/parley/internal/batch"
	"github.com/parley/parley/internal/steady"
)

// Reasons for which the edges drop; those of sources and sinks are DropReasons.
const (
	dropPeerClosed      = "peer_closed"      // RTP that was read while its sender left
	dropEarly           = "early"            // RTP or RTCP from before the keys were there, more than is kept
	dropUnknownSSRC     = "unknown_ssrc"     // RTP that belongs to no send line
	dropSocketFull      = "socket_full"      // packets to viewers, counted in PacketsOut, for which the socket's buffer had no room
	dropUnauthenticated = "unauthenticated"  // RTP or RTCP that failed SRTP's check
	dropDataBad         = "data_bad"         // a data message that is a string, too large or malformed
	dropREMBAbsurd      = "remb_absurd"      // a receiver's estimate that no network has
	dropFeedbackUnknown = "feedback_unknown" // reports on packets that were never sent, or long ago; and those that nobody agreed to
	dropCheckMalformed  = "check_malformed"  // STUN that is no well-formed check
	dropCheckUnknown    = "check_unknown"    // a check for nobody who is here
	dropCheckForged     = "check_forged"     // a check that did not authenticate
	dropCheckUnasked    = "check_unasked"    // an answer to no request of ours, or a forged one
	dropCheckUnanswered = "check_unanswered" // a check whose answer found no room
	dropUnowned         = "unowned"          // RTP, RTCP or DTLS from an address that nobody is known by
	dropGarbage         = "garbage"          // datagrams that are none of these
	dropDTLSFull        = "dtls_full"        // records of a client that DTLS has not taken in time
	dropDTLSUnsent      = "dtls_unsent"      // records to a client that found no room
	dropDTLSUnproven    = "dtls_unproven"    // records for an address that has not shown that it wants them
	dropDataSlow        = "data_slow"        // a data message for a client that does not read, or is not there
)

// Stats is a snapshot of a node, all its peers since the start included.
type Stats struct {
	Peers  map[PeerState]int // now
	Plane  Plane
	Socket batch.Stats // of the batched plane
	Counts             // since the start
}

// PeerStats is a snapshot of one peer.
type PeerStats struct {
	ID      string
	State   PeerState
	RTT     time.Duration // to the client; 0: unknown
	Sources []SourceStats
	Counts
}

// Counts are totals. Packets and bytes are RTP's, without SRTP, UDP and IP.
type Counts struct {
	PacketsIn, BytesIn   uint64
	PacketsOut, BytesOut uint64
	RTXIn, RTXOut        uint64 // retransmissions, part of the above
	Probes               uint64 // RTX packets from clients that hold only padding: bandwidth probes
	Paced                uint64 // packets of video that waited for a receiver's network
	ProbesOut            uint64 // bursts that probed a receiver's network
	KeyframesAsked       uint64 // by clients, for what they are shown
	KeyframesRequested   uint64 // from clients
	Collapses            uint64 // of publishers' networks: uplink.go
	NacksIn, NacksOut    uint64 // sequence numbers that clients asked for, and that were asked of clients
	RTCPFailed           uint64
	Moved                uint64 // times that clients were found at another port of their address, before ICE told
	Asked, Proved        uint64 // Binding requests to new addresses of clients, and those that were answered
	Silenced             uint64 // times that nothing was sent to a client any more because nothing came from it
	DataIn, DataOut      uint64 // messages
	Panics               uint64
	Replayed             uint64            // packets of keyframes from before a viewer came, or went to another layer; part of PacketsOut
	Filled               uint64            // packets that nobody published: empty ones for late ones, silence between sources; part of PacketsOut
	Dropped              map[string]uint64 // packets and data messages by reason
	LeftOut              map[string]uint64 // packets that viewers were not to have, by reason, once for each viewer
}

// counters are what a peer counts; Counts is their snapshot.
type counters struct {
	packetsIn, bytesIn, packetsOut, bytesOut atomic.Uint64
	rtxIn, rtxOut, probes                    atomic.Uint64
	keyframesAsked, keyframesSent            atomic.Uint64
	nacksIn, nacksOut, rtcpFailed, duplicate atomic.Uint64
	dataIn, dataOut, dataBad, dataDropped    atomic.Uint64
	malformed, unknownSSRC, unauthenticated  atomic.Uint64
	panics, socketFull, peerClosed, early    atomic.Uint64
	moved, collapses, excess                 atomic.Uint64
	signs                                    atomic.Uint64 // RTCP packets and ICE checks of the client's
	iceUnanswered, dtlsFull, dtlsUnsent      atomic.Uint64
	asked, proved, unproven, silenced        atomic.Uint64
}

func (c *Counts) add(o Counts) {
	c.PacketsIn += o.PacketsIn
	c.BytesIn += o.BytesIn
	c.PacketsOut += o.PacketsOut
	c.BytesOut += o.BytesOut
	c.RTXIn += o.RTXIn
	c.RTXOut += o.RTXOut
	c.Probes += o.Probes
	c.Paced += o.Paced
	c.ProbesOut += o.ProbesOut
	c.KeyframesAsked += o.KeyframesAsked
	c.KeyframesRequested += o.KeyframesRequested
	c.Collapses += o.Collapses
	c.NacksIn += o.NacksIn
	c.NacksOut += o.NacksOut
	c.RTCPFailed += o.RTCPFailed
	c.Moved += o.Moved
	c.Asked += o.Asked
	c.Proved += o.Proved
	c.Silenced += o.Silenced
	c.DataIn += o.DataIn
	c.DataOut += o.DataOut
	c.Panics += o.Panics
	for reason, n := range o.Dropped {
		c.drop(reason, n)
	}
	c.addLeft(o)
}

func (c *Counts) drop(reason string, n uint64) {
	if n == 0 {
		return
	}
	if c.Dropped == nil {
		c.Dropped = make(map[string]uint64)
	}
	c.Dropped[reason] += n
}

// counts returns the peer's totals, given its sources'.
func (p *Peer) counts(sources []SourceStats) Counts {
	n := &p.count
	c := Counts{
		PacketsIn: n.packetsIn.Load(), BytesIn: n.bytesIn.Load(),
		PacketsOut: n.packetsOut.Load(), BytesOut: n.bytesOut.Load(),
		RTXIn: n.rtxIn.Load(), RTXOut: n.rtxOut.Load(), Probes: n.probes.Load(),
		KeyframesAsked: n.keyframesAsked.Load(), KeyframesRequested: n.keyframesSent.Load(),
		NacksIn: n.nacksIn.Load(), NacksOut: n.nacksOut.Load(), RTCPFailed: n.rtcpFailed.Load(),
		DataIn: n.dataIn.Load(), DataOut: n.dataOut.Load(), Panics: n.panics.Load(), Moved: n.moved.Load(),
		Asked: n.asked.Load(), Proved: n.proved.Load(), Silenced: n.silenced.Load(),
		Collapses: n.collapses.Load(),
	}
	p.downlink.count(&c)
	c.drop(dropMalformed.String(), n.malformed.Load())
	c.drop(dropUnknownSSRC, n.unknownSSRC.Load())
	c.drop(dropDuplicate.String(), n.duplicate.Load())
	c.drop(dropPeerClosed, n.peerClosed.Load())
	c.drop(dropEarly, n.early.Load())
	c.drop(dropSocketFull, n.socketFull.Load())
	c.drop(dropExcess.String(), n.excess.Load())
	c.drop(dropUnauthenticated, n.unauthenticated.Load())
	c.drop(dropDataBad, n.dataBad.Load())
	c.drop(dropDataSlow, n.dataDropped.Load())
	c.drop(dropCheckUnanswered, n.iceUnanswered.Load())
	c.drop(dropDTLSFull, n.dtlsFull.Load())
	c.drop(dropDTLSUnsent, n.dtlsUnsent.Load())
	c.drop(dropDTLSUnproven, n.unproven.Load())
	for i, s := range sources {
		c.countLeft(&sources[i])
		for reason, n := range s.Dropped {
			c.drop(reason.String(), n)
		}
	}
	return c
}

// Stats returns a snapshot of the peer. It costs as much as its sources have sinks: call it every few seconds.
func (p *Peer) Stats() PeerStats {
	now := steady.Now()
	st := PeerStats{ID: p.id, State: p.State(), RTT: p.RTT()}
	for _, l := range p.receive.Load().lines {
		st.Sources = append(st.Sources, l.source.Stats(now))
	}
	st.Counts = p.counts(st.Sources)
	return st
}

// Stats returns a snapshot of the node. It costs as much as those of all peers.
func (n *Node) Stats() Stats {
	n.mu.Lock()
	peers := *n.ticked.Load()
	var total Counts
	total.add(n.ended)
	n.mu.Unlock()
	st := Stats{Peers: make(map[PeerState]int), Counts: total, Plane: PlanePion}
	if n.plane != nil {
		st.Plane, st.Socket = PlaneBatched, n.plane.stats()
		n.plane.ice.count(&st.Counts)
	}
	st.Panics += n.panics.Load()
	for _, reason := range leftNames { // all of them from the start
		st.leave(reason, 0)
	}
	for _, p := range peers { // a peer that ends now is in the list or in ended, not in both
		one := p.Stats()
		st.Peers[one.State]++
		st.add(one.Counts)
	}
	return st
}
