package sfu

import (
	"slices"
	"time"

	"github.com/parley/parley/sfu/internal/allocate"
	"github.com/parley/parley/sfu/internal/bwe"
)

const (
	shareEvery = 100 * time.Millisecond
	draining   = time.Second
	headroom   = 1.3 // times what is sent: an estimate that stays above needs no care
)

// share divides the estimate among the receiver's videos. The caller is in the loop.
func (d *downlink) share(now time.Time) {
	if !d.urgent && now.Sub(d.allocated) < shareEvery {
		return
	}
	urgent := d.urgent
	d.allocated, d.urgent = now, false
	wanted := d.gather(now)
	limit, known := d.limit(now)
	blind := d.padded() == nil
	d.repeat(now, limit, known)
	if !known {
		for _, k := range d.sinks {
			k.aim(now, maxLayers, topTemporal)
			k.granted, k.room = allocate.Grant{}, 0
		}
		d.demand = bwe.Demand{Wanted: int64(float64(wanted) * headroom), Blind: blind}
		return
	}
	v := d.allocator.Allocate(now, allocate.Input{
		Estimate: limit, Arriving: d.arriving(now), Standing: int(d.verdict.Base), Fixed: d.sound.rate(now), Repairs: min(d.repaired.rate(now), limit/5),
		Urgent: urgent, Calm: d.verdict.Calm, Streams: d.streams,
	})
	d.granted = v.Sum
	for i, g := range v.Grants {
		k := d.sinks[i]
		k.granted, k.room = g, max(g.Room-g.Room/33, 1) // of that, SRTP and our header extension take a part
		if len(d.streams[i].Rungs) == 0 || !g.Limited {
			k.aim(now, maxLayers, topTemporal)
			continue
		}
		k.aim(now, g.Spatial, g.Temporal)
		if urgent {
			k.cut()
		}
	}
	d.demand = bwe.Demand{Wanted: int64(float64(wanted) * headroom), Next: int64(v.Next), Paused: v.Paused, Blind: blind}
}

// gather lists the receiver's videos, the most important first, and returns what all of them would take, in bit/s.
func (d *downlink) gather(now time.Time) (wanted int) {
	d.sinks = d.sinks[:0]
	for _, l := range d.peer.send.Load().lines {
		k := l.sink.Load()
		if !l.video || k == nil || k.source.mu != d.loop || k.detached {
			continue
		}
		d.sinks = append(d.sinks, k)
	}
	slices.SortStableFunc(d.sinks, func(a, b *Sink) int { return a.line.rank - b.line.rank })
	d.streams = slices.Grow(d.streams[:0], len(d.sinks))[:len(d.sinks)]
	wanted = d.sound.rate(now)
	for i, k := range d.sinks {
		st := &d.streams[i]
		rungs, most := st.Rungs[:0], 0
		d.rungs = k.source.ladder(now, d.rungs[:0])
		for _, r := range d.rungs {
			if !r.live || r.bps == 0 || r.spatial > max(k.tile, 0) || k.source.muted.Load() {
				continue
			}
			rate := r.bps + r.bps/32 // what SRTP and our header extension add
			rungs = append(rungs, allocate.Rung{Choice: allocate.Choice{Spatial: r.spatial, Temporal: r.temporal}, Rate: rate})
			most = max(most, rate)
		}
		*st = allocate.Stream{
			Screen: k.source.cfg.Kind == Screen, Class: k.line.class, Rungs: rungs, Memory: &k.memory,
		}
		wanted += most
	}
	return wanted
}

// arriving returns what the network is known to let through, in bit/s, soon after it was found to be too little: the estimate is
// lower until its queue is gone.
func (d *downlink) arriving(now time.Time) int {
	if now.Sub(d.decreased) > draining {
		return 0
	}
	return int(d.verdict.Acked) * 9 / 10
}
