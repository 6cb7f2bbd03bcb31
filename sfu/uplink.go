package sfu

import (
	"time"

	"github.com/pion/rtcp"
)

const (
	muchLess     = 0.8
	limitEvery   = 200 * time.Millisecond // RTCP may be lost
	unlimited    = 1 << 30                // bit/s; a client keeps to the last limit it was told
	unlimitTimes = 3

	// Until then the full queue has room for a keyframe of a low layer: one that is asked for at once is torn (measured: 0.3 s more frozen).
	makeRoom = 120 * time.Millisecond
)

// thin is what a publisher whose network collapsed was told.
type thin struct {
	collapsed bool
	limit     float64   // bit/s
	told      time.Time // last
	release   int       // times that it is still to be told that there is no limit any more
}

// followUplink acts on a network that carries far less than its publisher sends. The publisher is told at once what comes through
// (REMB, draft-alvestrand-rmcat-remb-03): by itself it finds out when a full queue's worth of reports has come back. Layers that do not fit
// are left, and nothing of what was lost is asked for again: it would take the place of what can still be shown.
func (p *Peer) followUplink(now time.Time, limit float64, collapsed bool) {
	t := &p.feedback.thin
	if collapsed && !t.collapsed {
		p.count.collapses.Add(1)
	}
	if collapsed && (!t.collapsed || limit < muchLess*t.limit) {
		t.limit = limit
		for _, l := range p.receive.Load().lines {
			l.source.collapse(now, limit)
		}
		t.told = time.Time{}
	}
	if t.collapsed && !collapsed {
		t.release, t.told = unlimitTimes, time.Time{}
	}
	t.collapsed = collapsed
	if !collapsed && t.release == 0 || now.Sub(t.told) < limitEvery && !now.Before(t.told) {
		return
	}
	t.told = now
	if !collapsed {
		t.release--
		limit = unlimited
	}
	p.limitSender(limit)
}

// limitSender tells the client how much it may send, in bit/s, where it takes that.
func (p *Peer) limitSender(limit float64) {
	for _, l := range p.receive.Load().lines {
		if !l.agreed.remb || !l.offer.Kind.Video() {
			continue
		}
		var ssrcs []uint32
		p.feedback.mu.Lock()
		for _, s := range p.feedback.streams {
			if to := s.to.Load(); to != nil && to.line == l && !to.repair {
				ssrcs = append(ssrcs, s.ssrc)
			}
		}
		p.feedback.mu.Unlock()
		if len(ssrcs) > 0 {
			p.writeRTCP(&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: p.ssrc, Bitrate: float32(limit), SSRCs: ssrcs})
			return // it is the connection's
		}
	}
}

// collapse leaves the layers that do not fit limit, in bit/s, and forgets what was lost.
func (s *Source) collapse(now time.Time, limit float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.muted.Load() || !s.cfg.Kind.Video() {
		return
	}
	for i, l := range s.streams {
		if l.nack.Outstanding() > 0 {
			l.nack.Clear()
			l.key.Ask()
		}
		l.key.Hold(now.Add(makeRoom))
		m := l.rates.measure(now)
		for t := range m.temporals {
			limit -= m.bps[0][t]
		}
		if i > 0 && limit < 0 && l.live {
			l.die(now, true) // who comes back at once does so with what was lost
			s.stale = true
		}
	}
	if s.stale {
		s.chooseAll(now)
	}
	s.askKeyframes(now)
}
