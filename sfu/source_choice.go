package sfu

import (
	"time"

	"github.com/parley/parley/sfu/internal/layer"
)

// What sinks choose from: the options are the simulcast streams by rising resolution, or, where the publisher sends spatial
// layers in one stream (SVC), those of that stream. Either way there are at most maxLayers.

// arrange finds out which of the two it is.
func (s *Source) arrange() {
	svc, n := -1, s.used
	for i, l := range s.streams {
		if l.started && l.layers > 1 && (svc < 0 || l.live) {
			svc, n = i, l.layers
		}
	}
	if svc == s.svc && n == len(s.options) {
		return
	}
	if svc != s.svc {
		for _, k := range s.sinks {
			k.tile, k.target = -1, -1
		}
	}
	s.svc, s.options = svc, s.options[:n]
}

// use is for a publisher that uses the first n of its simulcast streams: the others are no choice, and nobody waits for them.
func (s *Source) use(n int, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || n == s.used || n < 1 || n > len(s.streams) {
		return
	}
	s.awake(s.used-1, n-1, now)
	s.used, s.told = n, min(s.told, n-1)
	s.reconsider()
}

// streamOf returns which stream has the option, -1 for none.
func (s *Source) streamOf(option int) int {
	if option >= 0 && s.svc >= 0 {
		return s.svc
	}
	return option
}

// chooseAll renews the options from what the layers deliver, and every sink's choice.
func (s *Source) chooseAll(now time.Time) {
	s.stale = false
	s.arrange()
	var sizes [maxLayers]layer.Size
	for i := range s.options {
		if s.svc >= 0 {
			size := s.streams[s.svc].reader.Size(i)
			sizes[i] = layer.Size{Width: int(size.Width), Height: int(size.Height)}
		} else {
			sizes[i] = s.streams[i].size
		}
	}
	layer.Estimate(sizes[:len(s.options)])
	some := false
	for i := range s.options {
		l := s.streams[max(s.streamOf(i), 0)]
		live := l.live && l.started && (s.svc < 0 || l.parts[i].live)
		s.options[i] = layer.Option{Size: sizes[i], Live: live}
		some = some || live
	}
	for i := range s.options { // better one on trial than none
		l := s.streams[max(s.streamOf(i), 0)]
		s.options[i].Live = s.options[i].Live || !some && l.started && l.revival >= revivePackets && now.UnixNano()-l.at < int64(silence)
	}
	for _, k := range s.sinks {
		s.choose(k, now)
	}
}

// choose sets what a sink should show: what fits its size on the screen, as far as it is allowed.
func (s *Source) choose(k *Sink, now time.Time) {
	k.settleUp()
	k.tile = layer.Pick(s.options, k.shown, k.tile)
	k.wished = s.wish(k)
	k.target = min(k.tile, k.limit)
	for k.target >= 0 && !s.options[k.target].Live {
		k.target--
	}
	k.paused = k.target < 0 && k.tile >= 0 || k.limit < 0
	if k.paused {
		k.target = -1
		k.forsake(dropCut)
		s.leave(k)
		s.wait(k, false, now)
		return
	}
	k.steer()
	settled := s.settled(k) || s.falling(k)
	s.wait(k, !settled && !k.unsupported, now)
	if k.since.IsZero() {
		k.since = now
	}
}

// wish returns what fits the sink's size if all layers were live.
func (s *Source) wish(k *Sink) int {
	var all [maxLayers]layer.Option
	n := copy(all[:], s.options)
	for i := range all[:n] {
		all[i].Live = true
	}
	return layer.Pick(all[:n], k.shown, k.wished)
}

// settled reports whether a sink shows what it should, as far as resolution goes.
func (s *Source) settled(k *Sink) bool {
	if k.current < 0 || k.target < 0 {
		return k.current >= 0
	}
	return k.showing() == k.target && k.current == s.streamOf(k.target)
}

// falling reports whether a sink will show less from the next picture on, without a keyframe.
func (s *Source) falling(k *Sink) bool {
	return k.spatial >= 0 && k.current == s.svc && k.current >= 0 && k.target < k.spatial && !s.streams[s.svc].reader.Keyed()
}
