package sfu

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// dues are when something is due for each of a loop's peers, side by side: whoever looks for those reads 24 bytes of each, and nothing
// of the peers for which there is nothing to do.
type dues struct {
	mu      sync.Mutex   // taken within any loop, and nothing is within it
	members []member     // Guarded by mu.
	report  atomic.Int64 // not after the first of the members', 0: not known; written under mu
}

type member struct {
	peer *Peer
	// Unix nanoseconds. never: nothing is due, or it is being done.
	tick   int64
	report int64
}

const never = math.MaxInt64

// isDue reports whether the time at has come, for what is never due so far ahead as most: then the machine's clock was set back.
func isDue(at int64, now time.Time, most time.Duration) bool {
	wait := at - now.UnixNano()
	return at != never && (wait <= 0 || wait > int64(most))
}

// add begins with a tick at once.
func (d *dues) add(p *Peer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p.place = len(d.members)
	d.members = append(d.members, member{peer: p, report: never})
}

func (d *dues) remove(p *Peer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.find(p)
	if m == nil {
		return
	}
	last := len(d.members) - 1
	*m = d.members[last]
	m.peer.place = p.place
	d.members[last] = member{}
	d.members = d.members[:last]
}

// find returns what is due for p, nil: it has left. The caller holds mu.
func (d *dues) find(p *Peer) *member {
	if p.place < len(d.members) && d.members[p.place].peer == p {
		return &d.members[p.place]
	}
	return nil
}

// tickBy makes p's next tick not later than at, Unix nanoseconds. It may be called within a loop.
func (d *dues) tickBy(p *Peer, at int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m := d.find(p); m != nil {
		m.tick = min(m.tick, at)
	}
}

// reportBy makes p's next sender report not later than at, Unix nanoseconds. It may be called within a loop.
func (d *dues) reportBy(p *Peer, at int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m := d.find(p); m != nil {
		m.report = min(m.report, at)
		d.report.Store(min(d.report.Load(), at))
	}
}

// ticks appends those whose tick is due. Who takes them says with tickBy when they are next.
func (d *dues) ticks(now time.Time, list []*Peer) []*Peer {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.members {
		if m := &d.members[i]; isDue(m.tick, now, watchEvery) {
			m.tick = never
			list = append(list, m.peer)
		}
	}
	return list
}

// reports appends those, up to most, whose sender reports have been due for so long as late. Who takes them says with reportBy when they
// are next.
func (d *dues) reports(now time.Time, late time.Duration, most int, list []*Peer) []*Peer {
	then, ahead := now.Add(-late), senderReportEvery+late
	if !isDue(d.report.Load(), then, ahead) {
		return list
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	first := int64(never)
	for i := range d.members {
		m := &d.members[i]
		if isDue(m.report, then, ahead) && len(list) < most {
			m.report = never
			list = append(list, m.peer)
		}
		first = min(first, m.report)
	}
	d.report.Store(first)
	return list
}
