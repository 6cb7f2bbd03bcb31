package sfu

import (
	"math"
	"slices"
	"time"

	"github.com/parley/parley/sfu/internal/ring"
)

const (
	// A switch to another stream takes the last keyframe where that is so recent that nobody sees the picture go back.
	switchAge = 150 * time.Millisecond
	// A newcomer whose request for a keyframe was in vain for so long…
	unanswered = impatience
	// …is served with one of this age. Of an older one the burst would be longer than the clocks of receivers follow.
	vainAge = 5 * time.Second
	// A stream without a packet for so long stands still: its last keyframe, with all that followed, is the picture.
	stillAfter = silence
)

// admit lets the sinks that wait for a keyframe of l join it, at first. Packets after first that overtook it are sent now,
// first itself is left to the caller. Who is shown something already waits until the keyframe is whole.
func (s *Source) admit(l *stream, first *ring.Slot, now time.Time) {
	for _, k := range slices.Clone(s.waiting) { // rare: once per keyframe that is waited for
		patient := k.target >= 0 && now.Sub(k.since) < impatience
		switch {
		case k.current == l.index: // another spatial layer, from first on: turn. But not if first was overtaken
			if s.streamOf(k.target) != l.index || s.settled(k) || first.Num > k.line.maxNum {
				continue
			}
		case s.streamOf(k.target) == l.index:
			if k.current >= 0 && s.streams[k.current].live {
				l.pending = true
				continue
			}
		case k.current >= 0 && (s.streams[k.current].live || !l.live), patient, s.svc < 0 && l.index > k.limit:
			continue
		}
		if s.join(k, l, first, l.newest(first, first.Serial)) {
			s.replay(k, l, first.Num, first.Serial)
		}
	}
}

// admitWhole lets the sinks that wait for a whole keyframe of l join it, when it is.
func (s *Source) admitWhole(l *stream) {
	first := l.ring.Keyframe()
	if first == nil {
		l.pending = false
		return
	}
	if !l.whole(first) {
		return
	}
	l.pending = false
	for _, k := range slices.Clone(s.waiting) {
		if k.current >= 0 && k.current != l.index && s.streamOf(k.target) == l.index {
			if s.join(k, l, first, l.newest(first, math.MaxUint64)) {
				s.replay(k, l, first.Num, math.MaxUint64)
			}
		}
	}
}

// whole reports whether all packets of the picture that first begins are here.
func (l *stream) whole(first *ring.Slot) bool {
	for n := first.Num; ; n++ {
		switch p, _ := l.ring.Find(n); {
		case p == nil:
			return false
		case p.Timestamp != first.Timestamp, p.Marker:
			return true
		}
	}
}

// serveCached lets a sink join a keyframe that is recent, of the layer that it should show. A sink that is shown nothing waits
// a moment for that one to be sent before it takes another.
func (s *Source) serveCached(k *Sink, now time.Time) {
	if k.target < 0 || s.settled(k) || s.falling(k) || k.unsupported {
		return
	}
	age, from := cacheAge, s.streamOf(k.target)
	if k.current >= 0 {
		if age = switchAge; k.current == from {
			return
		}
	}
	rtt, waited := time.Duration(s.rtt.Load()), now.Sub(k.since)
	quick := rtt < impatience/2 && waited < impatience
	if k.current < 0 && waited >= unanswered+rtt {
		age = vainAge
	}
	for i := from; i >= 0; i-- {
		l := s.streams[i]
		if first, newest := l.cached(now, age); first != nil && l.live && s.join(k, l, first, newest) {
			s.replay(k, l, first.Num, math.MaxUint64)
			return
		}
		if k.current >= 0 || quick {
			return
		}
	}
}

// greetAge is how old the sound may be that a newcomer hears first: the last one of a stream without pauses, at the usual 20 ms.
const greetAge = 30 * time.Millisecond

// greet lets a sink whose transport has come up, and that was sent nothing before, begin with the last sound: the next one is up to 20 ms
// away. The caller is in the loop.
func (s *Source) greet(k *Sink, now time.Time) {
	l := s.streams[0]                                    // sound has no layers
	if k.packets > 0 || !l.started || !l.seq.Started() { // what came before a mute is not heard after
		return
	}
	last, _ := l.ring.Find(l.padding.dense(l.seq.Max()))
	if last == nil || now.UnixNano()-last.At > int64(greetAge) || k.current < 0 && !s.join(k, l, last, last) {
		return
	}
	k.unsent = false
	s.replay(k, l, last.Num, math.MaxUint64)
}

// hurry serves those who have waited long enough with what there is.
func (s *Source) hurry(now time.Time) {
	if len(s.waiting) == 0 || !s.cfg.Kind.Video() {
		return
	}
	for _, k := range slices.Clone(s.waiting) {
		if k.current < 0 && now.Sub(k.since) >= impatience {
			s.serveCached(k, now)
		}
	}
}

// How much of the cache may be used up when somebody is about to join, for its keyframe to serve him still.
const (
	soonAge     = cacheAge / 2
	soonPackets = cachePackets / 2
	hope        = 2 * time.Second // that he has to come
)

// Anticipate is told that somebody is about to watch, as soon as his connection stands. The publisher is told at once, where he sends
// less than there is. A keyframe is asked for now, unless the last one will serve: of the highest layer that is watched, since browsers
// make one of all layers at once. It must not be called in a loop.
func (s *Source) Anticipate(now time.Time) {
	if s.expect(now) {
		s.summon(now)
	}
}

func (s *Source) expect(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.muted.Load() || !s.cfg.Kind.Video() {
		return false
	}
	s.hoped = now.Add(hope)
	for _, l := range slices.Backward(s.streams) {
		if !l.live || !s.watched(l) {
			continue
		}
		first, newest := l.cached(now, soonAge)
		if first == nil || newest.Num-first.Num >= soonPackets {
			l.key.Ask()
			s.askKeyframes(now)
		}
		break
	}
	return true
}

// cached returns the start of a keyframe that is recent enough to serve a viewer with, and the newest packet, or nil. Of a
// picture that stands still the age is that from the keyframe to the newest packet: nothing contradicts it since.
func (l *stream) cached(now time.Time, age time.Duration) (first, newest *ring.Slot) {
	first = l.ring.Keyframe()
	if first == nil || !l.started {
		return nil, nil
	}
	until := now.UnixNano()
	if until-l.at > int64(stillAfter) {
		until = l.at
	}
	if until-first.At > int64(age) {
		return nil, nil
	}
	last := l.padding.dense(l.seq.Max())
	if last-first.Num >= cachePackets {
		return nil, nil
	}
	for n := first.Num; n <= last; n++ { // what nobody watched is not asked for again when it is lost
		if p, _ := l.ring.Find(n); p == nil && len(*l.sinks.Load()) == 0 {
			return nil, nil
		}
	}
	return first, l.newest(first, math.MaxUint64)
}

// newest returns the packet with the highest number, from first on, of those that were inserted up to serial.
func (l *stream) newest(first *ring.Slot, serial uint64) *ring.Slot {
	n := min(l.padding.dense(l.seq.Max()), first.Num+uint64(l.ring.Cap()))
	for ; n > first.Num; n-- {
		if s, _ := l.ring.Find(n); s != nil && s.Serial <= serial {
			return s
		}
	}
	return first
}

// watched reports whether somebody is shown l, or waits for it: what is lost of others is not asked for again. Of a dead layer neither,
// where those who were shown it wait for another: on a thin link it would be in that one's way.
func (s *Source) watched(l *stream) bool {
	for _, k := range *l.sinks.Load() {
		if l.live || k.target < 0 || s.streamOf(k.target) == l.index {
			return true
		}
	}
	for _, k := range s.waiting {
		if k.target < 0 || s.streamOf(k.target) == l.index {
			return true
		}
	}
	return false
}

func (s *Source) askNacks(l *stream, now time.Time) {
	if l.nack.Outstanding() == 0 {
		return
	}
	if !s.watched(l) {
		l.nack.Clear()
		return
	}
	seqs, lost := l.nack.Due(now, time.Duration(s.rtt.Load()))
	if lost && s.cfg.Kind.Video() {
		l.key.Ask() // the gap stays: decoders need a fresh start
	}
	if seqs = seqs[:min(len(seqs), mostAsked-l.asked/2)]; len(seqs) > 0 && s.cfg.Upstream != nil {
		l.asked += 2 * len(seqs)
		l.nacks += uint64(len(seqs))
		s.cfg.Upstream.Nack(l.ssrc, seqs)
	}
}

// coming reports whether a keyframe that somebody waits for is on its way: on a thin link that takes a while.
func (l *stream) coming(now time.Time) bool {
	if first := l.ring.Keyframe(); l.pending && first != nil {
		return now.UnixNano()-first.At < int64(cacheAge)
	}
	return false
}

// askKeyframes requests what waiting sinks need, as far as the throttle allows.
func (s *Source) askKeyframes(now time.Time) {
	if !s.cfg.Kind.Video() {
		return
	}
	s.waiting = slices.DeleteFunc(s.waiting, s.settled) // spatial layers can be gained without a keyframe
	var watched [maxLayers]bool
	for _, k := range s.waiting {
		for i, l := range s.streams {
			if k.target < 0 || i == s.streamOf(k.target) {
				watched[i] = true
				if !l.coming(now) {
					l.key.Ask()
				}
			}
		}
	}
	for i, l := range s.streams {
		if !watched[i] && !s.watched(l) {
			l.key.Cancel()
		}
		if l.started && s.cfg.Upstream != nil && l.key.Due(now, time.Duration(s.rtt.Load())) {
			l.requests++
			s.cfg.Upstream.RequestKeyframe(l.ssrc)
		}
	}
}
