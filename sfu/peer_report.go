package sfu

import (
	"math"
	"strings"
	"time"

	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/sfu/quality"
)

// Report returns a snapshot of the connection as its own client may see it. It costs as much as there are slots: call it about once
// a second.
func (p *Peer) Report() quality.Report {
	now := steady.Now()
	r := quality.Report{Slots: []quality.Slot{}, Uplink: []quality.Uplink{}}
	p.downlink.report(now, &r)
	for _, l := range p.receive.Load().lines {
		if l.source.cfg.Kind.Video() && !l.source.muted.Load() {
			r.Uplink = append(r.Uplink, l.source.uplink(now, p.feedback.lostOf))
		}
	}
	return r
}

func (d *downlink) report(now time.Time, r *quality.Report) {
	d.loop.Lock()
	defer d.loop.Unlock()
	v := d.verdict
	r.Downlink = quality.Downlink{
		Sent: d.sent.rate(now), RTT: int(d.peer.RTT().Milliseconds()), Queue: int(v.Queue.Milliseconds()), State: v.State.String(),
		Loss: percent(d.loss.share(now)), Source: d.reports.String(),
	}
	if v.Known {
		r.Downlink.Estimate = int(v.Target)
	}
	for i, l := range d.peer.send.Load().lines {
		k := l.sink.Load()
		if l.video && k != nil && !k.detached && k.source.mu == d.loop {
			slot := k.report(now)
			slot.Slot = i / 2
			r.Slots = append(r.Slots, slot)
		}
	}
}

// percent is a share as it is shown, with one digit.
func percent(share float64) float64 { return math.Round(share*1000) / 10 }

// report tells what the sink shows and why. The caller is in the loop.
func (k *Sink) report(now time.Time) quality.Slot {
	s := k.source
	r := quality.Slot{Video: s.cfg.ID, Spatial: -1, Reason: k.reason(), Target: k.granted.Rate}
	showing := k.showing()
	if k.current < 0 {
		return r
	}
	if showing < 0 {
		showing = 0
	}
	l := s.streams[k.current]
	_, r.Codec, _ = strings.Cut(l.codec.MimeType, "/")
	if k.current < len(s.cfg.RIDs) {
		r.RID = s.cfg.RIDs[k.current]
	}
	r.Spatial = showing
	for _, rung := range s.ladder(now, nil) {
		if rung.spatial == showing && rung.temporal <= int(k.temporal) {
			r.Temporal, r.Width, r.Height, r.FPS, r.Rate = rung.temporal, rung.width, rung.height, rung.fps, rung.bps
		}
	}
	return r
}

// reason says why the sink shows what it does. The caller is in the loop.
func (k *Sink) reason() quality.Reason {
	s := k.source
	switch {
	case s.muted.Load():
		return quality.Muted
	case k.unsupported:
		return quality.Codec
	case k.paused && k.limit < 0:
		return quality.Paused
	case k.tile < 0:
		return quality.Silent
	case !s.settled(k):
		return quality.Switching
	case k.granted.Limited && (k.limit < k.tile || k.allowed < topTemporal):
		return quality.Bandwidth
	case k.tile < k.wished:
		return quality.Silent
	case k.tile < len(s.options)-1:
		return quality.Size
	}
	return quality.Best
}

// uplink reports on a video as it comes in. lost gives the share that an SSRC lost.
func (s *Source) uplink(now time.Time, lost func(now time.Time, ssrc uint32) float64) quality.Uplink {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := quality.Uplink{Kind: string(s.cfg.Kind), Layers: []quality.Layer{}}
	told := s.told
	if told == untold {
		told = len(s.options) - 1
	}
	for _, r := range s.ladder(now, nil) {
		n := len(u.Layers)
		if n == 0 || r.spatial != n-1 { // the first rung of a layer; the last one has all its frames
			u.Layers = append(u.Layers, quality.Layer{Wanted: r.spatial <= told || s.svc >= 0 && told >= 0})
			n++
		}
		l := &u.Layers[n-1]
		stream := s.streams[s.streamOf(r.spatial)]
		if i := stream.index; i < len(s.cfg.RIDs) {
			l.RID = s.cfg.RIDs[i]
		}
		l.Active, l.Width, l.Height, l.FPS, l.Rate = r.live, r.width, r.height, r.fps, r.bps
		l.Loss = percent(lost(now, stream.ssrc))
	}
	return u
}

// lostOf returns the share of an SSRC's packets that was lost lately, 0 to 1.
func (f *feedback) lostOf(now time.Time, ssrc uint32) float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.streams {
		if s.ssrc == ssrc {
			return s.reception.loss.share(now)
		}
	}
	return 0
}
