package sfu

import (
	"sync"
	"time"

	"github.com/parley/parley/internal/steady"
)

// metronome enters loops at the times that downlinks name: what a receiver's link could not take at once is sent then. One
// goroutine serves a node; while nothing waits it sleeps.
type metronome struct {
	kick chan struct{} // holds one: something is due earlier than was known

	mu  sync.Mutex              // taken within any loop, and nothing is within it
	due map[*downlink]time.Time // Guarded by mu.

	ready []*downlink // Owned by run.
}

func newMetronome() *metronome {
	return &metronome{kick: make(chan struct{}, 1), due: make(map[*downlink]time.Time)}
}

// at asks for d's beat at a time. The caller is in d's loop.
func (m *metronome) at(d *downlink, when time.Time) {
	m.mu.Lock()
	old, ok := m.due[d]
	earlier := !ok || when.Before(old)
	if earlier {
		m.due[d] = when
	}
	m.mu.Unlock()
	if earlier {
		select {
		case m.kick <- struct{}{}:
		default:
		}
	}
}

// collect takes out what is due, and returns when the next will be; zero: nothing waits.
func (m *metronome) collect(now time.Time) (next time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ready = m.ready[:0]
	for d, when := range m.due {
		switch {
		case !when.After(now):
			m.ready = append(m.ready, d)
			delete(m.due, d)
		case next.IsZero() || when.Before(next):
			next = when
		}
	}
	return next
}

// run lives as long as the node.
func (m *metronome) run(stop <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now := steady.Now()
		next := m.collect(now)
		for i, d := range m.ready {
			if d != nil {
				m.beat(d.loop, m.ready[i:])
			}
		}
		wait := time.Hour
		if !next.IsZero() {
			wait = time.Until(next)
		}
		timer.Reset(wait)
		select {
		case <-m.kick:
		case <-timer.C:
		case <-stop:
			return
		}
	}
}

// beat lets all in ready that run in l send what is due, and takes them out.
func (m *metronome) beat(l *loop, ready []*downlink) {
	l.Lock()
	defer l.Unlock()
	for i, d := range ready {
		if d != nil && d.loop == l {
			d.beat(l.clock())
			ready[i] = nil
		}
	}
}
