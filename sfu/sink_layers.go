package sfu

import (
	"time"

	"github.com/parley/parley/sfu/internal/codec"
	"github.com/parley/parley/sfu/internal/ring"
)

const (
	everything  = 0xff
	topTemporal = codec.MaxTemporal - 1
)

// choice is which layers a sink shows, and which it may. An option is a simulcast stream, or a spatial layer of SVC.
type choice struct {
	spatial  int   // layer that is shown of the stream, -1: all, as there is but one
	mask     uint8 // its bit in Frame.Needed
	temporal uint8 // layers up to this one are shown
	upTo     uint8 // and should be
	turning  bool  // what is shown is not what should be: look out for where it may change

	tile    int   // option that fits the size on the screen, -1: none is live
	wished  int   // the same if all were live
	limit   int   // the highest option that is allowed, -1: none; maxLayers: any
	allowed uint8 // the highest temporal layer
	paused  bool  // nothing flows, because nothing is allowed

	turns [maxTurns]turned // the last changes since the join, the oldest overwritten; for packets that come late
	count int              // of changes since the join, which is the first
}

const maxTurns = 8

// turned is what is shown from a picture on, or from within it.
type turned struct {
	num            uint64
	timestamp      uint32 // in the layer
	temporal, mask uint8
}

func (c *choice) init() {
	*c = choice{spatial: -1, mask: everything, temporal: topTemporal, upTo: topTemporal, tile: -1, wished: -1, limit: maxLayers, allowed: topTemporal}
}

// aim limits what the sink shows: the option spatial at most, -1 for none at all; and the temporal layer. What its size on the
// screen asks for stays the upper bound. Without limits (before the first call, or maxLayers and topTemporal) that alone
// decides. Less is shown at once where the codec can, else with the next keyframe, and in the meantime at the lowest frame
// rate. The caller is in the loop.
func (k *Sink) aim(now time.Time, spatial, temporal int) {
	s := k.source
	spatial, temporal = max(spatial, -1), min(max(temporal, 0), topTemporal)
	if k.detached || k.limit == spatial && k.allowed == uint8(temporal) {
		return
	}
	k.limit, k.allowed = spatial, uint8(temporal)
	resumed := k.paused
	s.choose(k, now)
	if resumed {
		k.since = now
	}
	s.serve(k, now)
}

// serve lets a sink whose choice has changed have it as soon as possible.
func (s *Source) serve(k *Sink, now time.Time) {
	if !s.cfg.Kind.Video() || s.muted.Load() {
		return
	}
	s.serveCached(k, now)
	s.askKeyframes(now)
}

// showing returns the option that is shown, -1: none.
func (k *Sink) showing() int {
	if k.current >= 0 && k.spatial >= 0 {
		return k.spatial
	}
	return k.current
}

// steer sets what the temporal layers should be, and whether something must change.
func (k *Sink) steer() {
	k.upTo = k.allowed
	if k.limit < k.tile && k.target < k.showing() { // until the keyframe of a lower layer comes
		k.upTo = 0
	}
	k.turning = k.temporal != k.upTo || k.spatial >= 0 && k.target >= 0 && k.spatial != k.target
}

// show begins to show what it should, with a keyframe of the current stream.
func (s *Source) show(k *Sink) {
	k.spatial, k.mask = -1, everything
	if k.current == s.svc {
		if k.spatial = k.target; k.spatial < 0 {
			k.spatial = s.streams[s.svc].layers - 1
		}
		k.mask = 1 << k.spatial
	}
	k.steer()
	k.temporal, k.count = k.upTo, 0
	k.note(k.line.firstNum, 0)
	k.steer()
}

// turn looks whether what is shown may change with a packet, which is newer than all before.
func (k *Sink) turn(p *ring.Slot) {
	spatial, temporal := k.spatial, k.temporal
	svc, keyed := k.spatial >= 0 && k.target >= 0, k.source.streams[k.current].reader.Keyed()
	picture := p.Timestamp != k.line.lastIn
	switch {
	case p.Start:
		if temporal = k.upTo; svc {
			spatial = k.target
		}
	case picture: // less: from the next picture on
		temporal = min(temporal, k.upTo)
		if svc && !keyed {
			spatial = min(spatial, k.target)
		}
	}
	if svc && !keyed && p.Begin && p.Raise && int(p.Spatial) == spatial+1 && spatial < k.target && p.Temporal <= temporal {
		spatial++
	}
	mask := k.mask
	if spatial >= 0 {
		mask = 1 << spatial
	}
	if temporal < k.upTo && p.Begin && p.Needed&mask != 0 {
		temporal = k.more(p, temporal, picture || !svc || keyed, spatial)
	}
	if spatial == k.spatial && temporal == k.temporal {
		return
	}
	k.spatial, k.temporal, k.mask = spatial, temporal, mask
	k.note(p.Num, p.Timestamp)
	k.steer()
}

// more returns the temporal layers that may be shown from a frame's first packet on. First: no lower layer of its picture was left
// out that it needs.
func (k *Sink) more(p *ring.Slot, temporal uint8, first bool, spatial int) uint8 {
	if first && p.Sync && p.Temporal == temporal+1 {
		return p.Temporal
	}
	if p.Temporal <= temporal && (spatial < 0 || int(p.Spatial) == spatial) {
		for t := k.upTo; t > temporal; t-- {
			if p.Up>>t&1 != 0 {
				return t
			}
		}
	}
	return temporal
}

// note remembers what is shown from a packet on.
func (c *choice) note(num uint64, timestamp uint32) {
	c.turns[c.count%maxTurns] = turned{num, timestamp, c.temporal, c.mask}
	c.count++
}

// wanted reports whether a packet that comes late is of what was shown in its time.
func (c *choice) wanted(p *ring.Slot) bool {
	for i := c.count - 1; i >= 0 && i >= c.count-maxTurns; i-- {
		t := &c.turns[i%maxTurns]
		if p.Num >= t.num || i > 0 && p.Timestamp == t.timestamp { // of a picture, the first packets may be the late ones
			return p.Temporal <= t.temporal && p.Needed&t.mask != 0
		}
	}
	return false
}

// sift returns where a packet goes that needs a closer look. False: nowhere.
func (k *Sink) sift(p *ring.Slot) (place, bool) {
	if p.Num <= k.line.maxNum {
		return k.siftLate(p)
	}
	if k.turning {
		k.turn(p)
	}
	if p.Temporal > k.temporal || p.Needed&k.mask == 0 {
		k.drops[dropLayer]++
		k.line.skip(p)
		return place{}, false
	}
	return k.line.next(p.Num), true
}

// siftLate is for a packet that others overtook. Its number in the line was kept free: where it is not of what is shown, the
// receiver gets a packet without payload, and waits no longer.
func (k *Sink) siftLate(p *ring.Slot) (place, bool) {
	if p.Num < k.line.firstNum {
		k.drops[dropBeforeSwitch]++
		return place{}, false
	}
	at, ok := k.line.find(p.Num)
	if !ok {
		k.drops[dropBeforeSwitch]++
		return place{}, false
	}
	if k.wanted(p) {
		return at, true
	}
	k.drops[dropLayer]++
	if n, err := k.line.fill(p, at); err == nil && n > 0 { // counted as left out already: whether it could be written changes nothing
		k.filled++
	}
	return place{}, false
}
