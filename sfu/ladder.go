package sfu

import (
	"time"

	"github.com/parley/parley/sfu/internal/codec"
	"github.com/parley/parley/sfu/internal/ring"
)

// rung is one choice that a source offers: all layers up to a spatial and a temporal one.
type rung struct {
	spatial, temporal int
	bps               int // what it costs, lower layers that it needs included: measured over the last second, with RTP headers
	width, height     int // pixels, estimated where the publisher did not tell
	fps               int
	live              bool // packets flow
}

// ladder appends to rungs what the source offers now, by rising spatial and then temporal layer. A layer that is not live has
// one rung, without a rate. The caller is in the loop.
func (s *Source) ladder(now time.Time, rungs []rung) []rung {
	for i, o := range s.options {
		l, spatial := s.streams[min(i, len(s.streams)-1)], 0
		if s.svc >= 0 {
			l, spatial = s.streams[s.svc], i
		}
		r := rung{spatial: i, width: o.Size.Width, height: o.Size.Height, live: o.Live}
		if !o.Live {
			rungs = append(rungs, r)
			continue
		}
		m := l.rates.measure(now)
		for t := range m.temporals {
			r.temporal = t
			r.bps += int(m.bps[spatial][t])
			r.fps = int(m.fps[t] + 0.5)
			rungs = append(rungs, r)
		}
	}
	return rungs
}

const (
	rateShift   = 27 // a bucket is 2^27 ns: 134 ms
	rateBucket  = time.Duration(1) << rateShift
	rateBuckets = 8 // 1.07 s
	shortest    = 2 // buckets; a rate over less is not worth much
)

// rates counts what came in the last second, in buckets.
type rates struct {
	buckets   [rateBuckets]bucket
	since     int64  // number of the bucket with which it began to flow
	newest    int64  // of the last packet
	timestamp uint32 // of the last picture
}

type bucket struct {
	number   int64                                       // buckets since the epoch
	bytes    [codec.MaxSpatial][codec.MaxTemporal]uint32 // by spatial layer of who needs them, and temporal layer
	pictures [codec.MaxTemporal]uint16
	packets  uint16
}

func (r *rates) add(now time.Time, p *ring.Slot, layers, size int) {
	n := now.UnixNano() >> rateShift
	if n-r.newest > rateBuckets || r.newest-n > rateBuckets { // the machine's clock may have been set back
		r.since = n
	}
	r.newest = n
	b := &r.buckets[n&(rateBuckets-1)]
	if b.number != n {
		*b = bucket{number: n}
	}
	for s := range layers {
		if p.Needed>>s&1 != 0 {
			b.bytes[s][p.Temporal] += uint32(size)
		}
	}
	b.packets++
	if p.Timestamp != r.timestamp {
		r.timestamp = p.Timestamp
		b.pictures[p.Temporal]++
	}
}

// packets returns how many came in the last n buckets.
func (r *rates) packets(now time.Time, n int64) (sum int) {
	at := now.UnixNano() >> rateShift
	for i := range r.buckets {
		if b := &r.buckets[i]; at-b.number < n && b.number <= at {
			sum += int(b.packets)
		}
	}
	return sum
}

// bytes returns how many came in the last second, those of a layer that all others build upon once.
func (r *rates) bytes(now time.Time) (sum int) {
	at := now.UnixNano() >> rateShift
	for i := range r.buckets {
		if b := &r.buckets[i]; at-b.number < rateBuckets && b.number <= at {
			for _, n := range b.bytes[0] {
				sum += int(n)
			}
		}
	}
	return sum
}

// measured is what flowed a second: by temporal layer bit/s of that layer alone, and pictures of it and all below.
type measured struct {
	bps       [codec.MaxSpatial][codec.MaxTemporal]float64
	fps       [codec.MaxTemporal]float64
	temporals int // layers that flow, 1 at least
}

func (r *rates) measure(now time.Time) (m measured) {
	at := now.UnixNano() >> rateShift
	first := max(at-rateBuckets+1, r.since)
	span := now.Sub(time.Unix(0, first*int64(rateBucket)))
	second := 1 / max(span, shortest*rateBucket).Seconds()
	m.temporals = 1
	for i := range r.buckets {
		b := &r.buckets[i]
		if b.number < first || b.number > at {
			continue
		}
		for t, n := range b.pictures {
			if m.fps[t] += float64(n) * second; n > 0 {
				m.temporals = max(m.temporals, t+1)
			}
			for s := range m.bps {
				m.bps[s][t] += 8 * float64(b.bytes[s][t]) * second
			}
		}
	}
	for t := 1; t < len(m.fps); t++ {
		m.fps[t] += m.fps[t-1]
	}
	return m
}
