package sfu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/sfu/internal/budget"
	"github.com/parley/parley/sfu/quality"
)

// PeerState is the state of a peer's transport.
type PeerState uint8

// The states, in the order in which a peer usually meets them. Failed is not the end: an ICE restart may revive the peer.
const (
	PeerNew PeerState = iota
	PeerConnecting
	PeerConnected
	PeerDisconnected
	PeerFailed
	PeerClosed
)

var peerStateNames = [...]string{"new", "connecting", "connected", "disconnected", "failed", "closed"}

// String returns the state's name in lower case.
func (s PeerState) String() string {
	if int(s) >= len(peerStateNames) {
		return "unknown"
	}
	return peerStateNames[s]
}

// PeerEvents is told what happens to a peer. The methods are called on the peer's goroutines, OnState in order, and must not
// block. They may call any method of the peer. OnState(PeerClosed) is the last state.
type PeerEvents interface {
	OnData(Data)
	OnState(PeerState)
	OnVideo(held []quality.Held) // the videos that were asked for and do not flow: all of them, on each change
	// OnLayers names the simulcast layers of a video of the peer's that somebody may watch, and bit/s that some of them should not
	// exceed, so that they fit the networks of all who watch them. Before the first: all, as they are.
	OnLayers(kind Kind, watched []string, most map[string]int)
	OnQuality(score int) // of the connection, 1 to 5
}

// Peer is one client's connection: what it sends (lines, as sources), what it is shown (slots) and its data channels. All
// methods may be called from any goroutine.
type Peer struct {
	downlink downlink // the first: it begins with a cache line

	// Static after construction.
	id        string
	node      *Node
	on        PeerEvents
	log       *slog.Logger
	transport transport
	ctx       context.Context // ends when the peer closes
	cancel    context.CancelFunc
	clock     *clock
	loop      *loop
	started   time.Time
	ssrc      uint32        // sender SSRC of our RTCP
	done      chan struct{} // closed when every goroutine of the peer has ended
	data      dataChannels
	closing   sync.Once

	// negotiating serialises Negotiate and the teardown. It is taken before mu.
	negotiating sync.Mutex
	offered     *offer // Guarded by negotiating: the last offer that was answered.

	mu    sync.Mutex // taken before a source's loop, never inside one
	slots []*slot    // Guarded by mu.

	// Written under mu, read anywhere.
	receive atomic.Pointer[receiveMap]
	send    atomic.Pointer[sendMap]
	closed  atomic.Bool
	ending  atomic.Bool // it was told why, once, and will be closed
	hasData atomic.Bool // the client offered a data section

	streamsMu sync.Mutex
	streams   map[uint32]*inStream // Guarded by streamsMu.
	rtcpSSRCs int                  // Guarded by streamsMu.

	feedback feedback
	watch    watch      // Owned by who ticks.
	telling  sync.Mutex // held while OnLayers runs, and a loop may be entered; never taken in one
	leg      *leg       // Static after construction. nil: pion's own path

	eventsMu sync.Mutex // held while OnState runs
	state    atomic.Uint32
	rtt      atomic.Int64 // nanoseconds, 0: unknown

	count counters

	published budget.Budget // bytes of RTP, sound left out. Owned by who receives it
}

// NewPeer makes a peer that waits for its first Negotiate. The id is stamped on data and shown in logs. Peers of one group, a
// room's, share one loop: forwarding between them takes no further lock. Between groups it works as well, at the price of a copy;
// "" is a group of its own.
func (n *Node) NewPeer(id, group string, on PeerEvents) (*Peer, error) {
	p := &Peer{
		id: id, node: n, on: on,
		log:     n.cfg.Log.With("peer", id),
		clock:   newClock(),
		started: steady.Now(),
		ssrc:    randomSSRC(),
		done:    make(chan struct{}),
		streams: make(map[uint32]*inStream),
		loop:    n.loops.join(group),

		published: budget.New(n.cfg.MaxPublishBPS/8, n.cfg.MaxPublishBPS/8),
	}
	p.feedback.init(p.ssrc)
	p.downlink.peer, p.downlink.loop = p, p.loop
	if n.plane != nil {
		p.leg = newLeg(p, n.plane)
	}
	p.receive.Store(&receiveMap{})
	p.send.Store(&sendMap{})
	p.ctx, p.cancel = context.WithCancel(context.Background())
	var err error
	if n.plane != nil {
		p.transport, err = newDirect(p)
	} else {
		p.transport, err = newStock(p)
	}
	if err != nil {
		p.abandon()
		return nil, fmt.Errorf("new peer: %w", err)
	}
	if err := n.add(p); err != nil {
		p.abandon()
		return nil, errors.Join(err, p.transport.close())
	}
	return p, nil
}

// abandon undoes what NewPeer did before it failed.
func (p *Peer) abandon() {
	p.cancel()
	p.node.loops.leave(p.loop)
}

// ID returns the id given at construction.
func (p *Peer) ID() string { return p.id }

// State returns the state last reported.
func (p *Peer) State() PeerState { return PeerState(p.state.Load()) }

// Heard counts what came from the client and authenticated, of media, reports, checks and data: a number that stands still says that
// nothing comes.
func (p *Peer) Heard() uint64 {
	return p.count.packetsIn.Load() + p.count.signs.Load() + p.count.dataIn.Load()
}

// stateChanged reports the connection's present state. It is called after each change, in any order: the lock and the look at the
// present state put them in order.
func (p *Peer) stateChanged() {
	switch s := p.transport.state(); s {
	case PeerNew:
	case PeerClosed: // also after the client's DTLS close_notify
		p.shut()
	default:
		p.report(s)
	}
}

// report tells a state, unless the connection is not in it any more: then a later call tells the next.
func (p *Peer) report(s PeerState) {
	p.eventsMu.Lock()
	defer p.eventsMu.Unlock()
	if s != PeerClosed && p.transport.state() != s {
		return
	}
	if old := p.State(); old == s || old == PeerClosed {
		return
	}
	p.state.Store(uint32(s))
	p.log.Info("peer state", "state", s.String())
	defer p.guard("OnState")
	p.on.OnState(s)
}

// guard ends the peer, and only the peer, when a callback panics. Use it with defer.
func (p *Peer) guard(where string) {
	if r := recover(); r != nil {
		p.count.panics.Add(1)
		if p.ending.Swap(true) {
			return
		}
		p.log.Error("panic: peer is closed", "in", where, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		p.node.spawn(p.shut) // not here: a lock of the panicking code may still be held
	}
}

// Close ends the peer: its sources close, its slots empty, its transport is taken down in the background. It may be called
// from events. OnState(PeerClosed) follows.
func (p *Peer) Close() error {
	p.shut()
	return nil
}

func (p *Peer) shut() {
	p.closing.Do(func() {
		p.closed.Store(true)
		p.cancel()
		p.mu.Lock()
		for _, s := range p.slots {
			s.clear()
		}
		for _, l := range p.receive.Load().lines {
			l.source.Close()
		}
		p.mu.Unlock()
		if p.leg != nil {
			p.leg.close()
		}
		p.node.spawn(p.teardown)
	})
}

// teardown runs once, in a goroutine of the node.
func (p *Peer) teardown() {
	defer close(p.done)
	p.negotiating.Lock()
	err := p.transport.close()
	p.negotiating.Unlock()
	p.endData()
	if err != nil {
		p.log.Debug("close connection", "err", err)
	}
	p.node.remove(p)
	p.node.loops.leave(p.loop)
	p.report(PeerClosed)
}
