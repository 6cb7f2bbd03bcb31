package sfu

import (
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/parley/parley/internal/batch"
	"github.com/parley/parley/internal/steady"
)

// loop is what a group of peers runs in: all their sources, sinks, lines and legs. Its lock is the loop: whoever holds it is in the
// loop, and may decide about all of them at once. Leaving sends what was written meanwhile. Enter it once for all there is to
// do, never for a packet.
type loop struct {
	// Static after construction.
	group string
	plane *plane // nil: nothing is sent in batches

	peers int // Guarded by loops.mu.
	ticks ticks

	mu sync.Mutex

	// Guarded by mu.
	out      *batch.Sender // nil until something is written
	lent     bool          // out is the reader's who entered
	now      time.Time     // when the packets came that are being received, or when the loop was entered; zero: ask clock
	arrived  []arrived
	waiting  int        // of arrived
	foreign  []*loop    // those that something was posted to
	incoming inbox      // has a lock of its own
	spread   *spread    // nil: no fan-out was long enough yet
	header   rtp.Header // reused for every packet
}

// arrived is what one batch brought for one layer.
type arrived struct {
	source *Source
	layer  int
	pkts   [][]byte
}

// loops are those of a node's groups.
type loops struct {
	plane *plane // Static after construction.

	mu      sync.Mutex
	byGroup map[string]*loop // Guarded by mu. Those with peers in them.
}

func newLoops(pl *plane) *loops { return &loops{plane: pl, byGroup: make(map[string]*loop)} }

// join returns the loop of a group for one more peer, of a group of its own for "". Give it back with leave.
func (ls *loops) join(group string) *loop {
	if group == "" {
		return &loop{plane: ls.plane}
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l := ls.byGroup[group]
	if l == nil {
		l = &loop{group: group, plane: ls.plane}
		ls.byGroup[group] = l
	}
	l.peers++
	return l
}

// leave takes a peer off the group. What still runs in the loop may go on doing so.
func (ls *loops) leave(l *loop) {
	if l.group == "" {
		return
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if l.peers--; l.peers == 0 {
		delete(ls.byGroup, l.group)
	}
}

// Lock enters the loop.
func (l *loop) Lock() { l.mu.Lock() }

// enter is Lock for who has a sender.
func (l *loop) enter(out *batch.Sender) {
	l.mu.Lock()
	l.out, l.lent = out, true
}

// clock returns the time of what happens in the loop now: one for a batch. The caller is in the loop.
func (l *loop) clock() time.Time {
	if l.now.IsZero() {
		l.now = steady.Now()
	}
	return l.now
}

// sender returns where datagrams are written. The caller is in the loop.
func (l *loop) sender() *batch.Sender {
	if l.out == nil {
		l.out = l.plane.senders.take()
	}
	return l.out
}

// Unlock sends what was written, and leaves the loop. Then it enters the loops that something was posted to, one by one.
func (l *loop) Unlock() {
	if l.out != nil {
		if l.out.Pending() {
			l.out.Flush()
		}
		if !l.now.IsZero() && time.Since(l.now) > lateLeaving {
			l.late()
		}
		if !l.lent {
			l.plane.senders.give(l.out)
		}
		l.out, l.lent = nil, false
	}
	others := l.foreign
	l.foreign, l.now = nil, time.Time{}
	l.mu.Unlock()
	for _, o := range others {
		o.Lock()
		o.incoming.drain()
		o.Unlock()
	}
}

// lateLeaving is how much later than now packets may leave to count as sent then: a fan-out to hundreds takes some milliseconds.
const lateLeaving = 8 * time.Millisecond

// late is for what left much later than it was said to: this process was not let run, or waited for the loop. The caller is in the loop.
func (l *loop) late() {
	for _, p := range l.ticks.peers() {
		if d := &p.downlink; d.est != nil {
			d.est.Late(l.now)
		}
	}
}

// gather adds a packet to those of its layer. The caller is in the loop, and b stays until deliver.
func (l *loop) gather(s *Source, layer int, b []byte) {
	for i := l.waiting - 1; i >= 0; i-- {
		if a := &l.arrived[i]; a.source == s && a.layer == layer {
			a.pkts = append(a.pkts, b)
			return
		}
	}
	if l.waiting == len(l.arrived) {
		l.arrived = append(l.arrived, arrived{})
	}
	a := &l.arrived[l.waiting]
	l.waiting++
	a.source, a.layer, a.pkts = s, layer, append(a.pkts[:0], b)
}

// deliver gives what was gathered to its sources. The caller is in the loop.
func (l *loop) deliver() {
	for i := range l.waiting {
		a := &l.arrived[i]
		a.forward(l.now)
		a.source = nil
		clear(a.pkts)
	}
	l.waiting = 0
}

func (a *arrived) forward(now time.Time) {
	if l, ok := a.source.cfg.Upstream.(*sendLine); ok {
		defer l.peer.guard("forward")
	}
	a.source.receive(now, a.layer, a.pkts)
}
