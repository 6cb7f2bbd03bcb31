package sfu

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley/parley/internal/steady"
)

// What is due now and then (NACKs, keyframe requests, layer choice, feedback, reports) is done after a batch of packets by whoever
// received it: it is awake anyway. A timer that fires 40 times a second woke the process, and the Go runtime's monitor with it,
// as often as the packets of a call of two do. The node's ticker looks after loops that nothing comes for.
const (
	tickInterval = 25 * time.Millisecond  // at least, between two ticks of a loop
	tickIdle     = 100 * time.Millisecond // at most, of a loop that nothing comes for
	tickBusy     = 250 * time.Millisecond // between two looks of the ticker while something comes for all
	tickEmpty    = time.Second            // while there are none
)

// ticks are a loop's.
type ticks struct {
	last    atomic.Int64            // Unix nanoseconds
	running sync.Mutex              // held while the peers tick; taken in no loop
	members atomic.Pointer[[]*Peer] // copied on change, by Node.add and Node.remove under Node.mu
}

func (t *ticks) peers() []*Peer {
	if list := t.members.Load(); list != nil {
		return *list
	}
	return nil
}

func (t *ticks) add(p *Peer) {
	list := append(slices.Clone(t.peers()), p)
	t.members.Store(&list)
}

func (t *ticks) remove(p *Peer) {
	list := slices.DeleteFunc(slices.Clone(t.peers()), func(o *Peer) bool { return o == p })
	t.members.Store(&list)
}

// tick does what is due for all peers, unless that was done less than every ago or is being done: then it returns false. The caller
// is in no loop.
func (t *ticks) tick(now time.Time, every time.Duration) bool {
	// Less than 0: the machine's clock was set back. Nothing may wait until it is where it was.
	if since := now.UnixNano() - t.last.Load(); since >= 0 && since < int64(every) || !t.running.TryLock() {
		return false
	}
	defer t.running.Unlock()
	t.last.Store(now.UnixNano())
	for _, p := range t.peers() {
		p.tick(now)
	}
	return true
}

// tick looks after loops that nothing comes for. Nothing in it blocks: UDP sends do not, ICE-TCP has bounded queues.
func (n *Node) tick() {
	t := time.NewTimer(tickEmpty)
	defer t.Stop()
	for {
		idle := true // a loop is, or may be
		select {
		case <-n.stop:
			return
		case <-n.arrived: // a peer
		case <-t.C:
			idle = n.tickIdle(steady.Now())
		}
		t.Reset(n.patience(idle))
	}
}

// tickIdle ticks for the loops that nothing came for, and reports whether there were any.
func (n *Node) tickIdle(now time.Time) (any bool) {
	for _, p := range *n.ticked.Load() {
		if p.loop.ticks.tick(now, n.patience(true)/2) {
			any = true
		}
	}
	return any
}

// patience is the time until the ticker's next look.
func (n *Node) patience(idle bool) time.Duration {
	switch {
	case len(*n.ticked.Load()) == 0:
		return tickEmpty
	case n.plane == nil: // its packets are received one by one, and tick for nobody
		return tickInterval
	case idle:
		return tickIdle
	}
	return tickBusy
}
