package sfu

import (
	"slices"
	"time"

	"github.com/parley/parley/sfu/quality"
)

const (
	watchEvery = 250 * time.Millisecond
	scoreEvery = 2 * time.Second
	lowerAfter = 5 * time.Second // a layer that nobody watches is not wanted any more; one that somebody does, at once
	untold     = -2

	connectPatience = 10 * time.Second // with a client that has not been connected yet: nothing is said of its connection
)

// watch is what a peer's events were made from last. Owned by who ticks.
type watch struct {
	at, scored time.Time
	began      time.Time // the first look
	met        bool      // the client has been connected
	held, next heldVideos
	score      int
}

// look tells what changed: which videos do not flow to the client, which layers of it are watched, how good its connection is. It
// is called in no loop.
func (p *Peer) look(now time.Time) {
	w := &p.watch
	if now.Sub(w.at) < watchEvery {
		return
	}
	w.at = now
	p.downlink.held(&w.next)
	if !slices.Equal(w.next.list, w.held.list) || !slices.Equal(w.next.sinks, w.held.sinks) {
		w.held, w.next = w.next, w.held
		p.on.OnVideo(slices.Clone(w.held.list))
	}
	p.tellLayers(now)
	if !w.due(now, p.State() == PeerConnected) {
		return
	}
	if score := quality.Score(p.measure(now)); score != w.score {
		if w.score = score; len(p.send.Load().lines)+len(p.receive.Load().lines) > 0 {
			p.on.OnQuality(score)
		}
	}
}

// due reports whether it is time for a score: every two seconds from the first connection on, or when it takes long to come.
func (w *watch) due(now time.Time, connected bool) bool {
	if w.began.IsZero() {
		w.began = now
	}
	w.met = w.met || connected
	if !w.met && now.Sub(w.began) < connectPatience || now.Sub(w.scored) < scoreEvery {
		return false
	}
	w.scored = now
	return true
}

// tellLayers tells which layers of the client's videos are watched, where that has changed. It is called in no loop.
func (p *Peer) tellLayers(now time.Time) {
	p.telling.Lock() // what is told last must be what is true last
	defer p.telling.Unlock()
	for _, l := range p.receive.Load().lines {
		if !l.source.cfg.Kind.Video() {
			continue
		}
		if rids, most, changed := l.source.wanted(now); changed {
			p.on.OnLayers(l.source.cfg.Kind, rids, most)
		}
	}
}

// summon has the publisher send at once what somebody watches, or is about to, and what he does not send. It is called in no loop.
func (s *Source) summon(now time.Time) {
	if l, ok := s.cfg.Upstream.(*sendLine); ok && s.short() {
		l.peer.tellLayers(now)
	}
}

// short reports whether the publisher does not send all layers.
func (s *Source) short() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed && s.told != untold && s.told < s.used-1
}

// heldVideos are the slots whose video was asked for and does not flow, and their sinks: what is told of a slot is void once it
// shows something else.
type heldVideos struct {
	list  []quality.Held
	sinks []*Sink
}

func (d *downlink) held(h *heldVideos) {
	clear(h.sinks)
	h.list, h.sinks = h.list[:0], h.sinks[:0]
	if d.peer.send.Load().videos == 0 {
		return
	}
	d.loop.Lock()
	defer d.loop.Unlock()
	for i, l := range d.peer.send.Load().lines {
		k := l.sink.Load()
		if !l.video || k == nil || k.source.mu != d.loop || k.detached {
			continue
		}
		reason := quality.Bandwidth
		switch {
		case k.source.muted.Load():
			continue
		case k.unsupported:
			reason = quality.Codec
		case !k.paused || k.limit >= 0:
			continue
		}
		h.list, h.sinks = append(h.list, quality.Held{Slot: i / 2, State: "paused", Reason: reason}), append(h.sinks, k)
	}
}

// wanted returns the simulcast ids that somebody watches, or must be able to fall back to, and whether they differ from what was
// told last: those up to the highest that fits any viewer's tile. Most is how much of some of them fits all who watch them, in bit/s.
func (s *Source) wanted(now time.Time) (rids []string, most map[string]int, changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.muted.Load() {
		return nil, nil, false
	}
	bound := s.bound(now)
	top, all := -1, s.used-1
	for _, k := range s.sinks {
		wished := k.wished
		if s.svc >= 0 || wished < 0 && len(s.sinks) > 0 {
			wished = all
		}
		top = max(top, wished)
	}
	if now.Before(s.hoped) {
		top = all
	}
	told := s.told
	if told == untold {
		told = all
	}
	if top >= told {
		s.lowerAt = time.Time{}
	} else if s.lowerAt.IsZero() {
		s.lowerAt = now
	}
	switch {
	case top > told:
		s.awake(told, top, now)
		told = top
	case top == all && s.told == untold:
		told = top
	case top < told && now.Sub(s.lowerAt) >= lowerAfter:
		told = top
	case !bound:
		return nil, nil, false
	}
	if told == top {
		s.lowerAt = time.Time{}
	}
	s.told = told
	rids = []string{}
	switch {
	case len(s.cfg.RIDs) > 0:
		rids = append(rids, s.cfg.RIDs[:told+1]...)
	case told >= 0:
		rids = append(rids, "")
	}
	return rids, s.asked(), true
}

// awake is for streams that are sent again, from above one up to another: nobody has missed them yet.
func (s *Source) awake(above, upTo int, now time.Time) {
	for _, l := range s.streams {
		if l.index > above && l.index <= upTo {
			l.begin()
			l.pulse.at = now.UnixNano()
		}
	}
}

// forgetTold is for a publication that begins: the publisher sends all.
func (s *Source) forgetTold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told, s.lowerAt, s.ceilings = untold, time.Time{}, [maxLayers]ceiling{}
}

// measure is what the connection's score is made of.
func (p *Peer) measure(now time.Time) quality.Measure {
	m := quality.Measure{Connected: p.State() == PeerConnected, RTT: p.RTT(), LossOfPeer: p.feedback.lost(now)}
	d := &p.downlink
	d.loop.Lock()
	defer d.loop.Unlock()
	m.LossToPeer = d.loss.share(now)
	for _, k := range d.sinks {
		if k.detached || k.source.muted.Load() {
			continue
		}
		m.Bare = m.Bare || !k.line.hasRTX()
		m.Limited = m.Limited || k.granted.Limited && k.limit < k.tile
		m.Held = m.Held || k.paused && k.limit < 0
	}
	return m
}

// lost returns the share of packets that were lost of what the client sends, in the last seconds, 0 to 1.
func (f *feedback) lost(now time.Time) float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.loss.share(now)
}
