package netsim

import (
	"math/rand/v2"
	"time"
)

// Link carries packets one way. Set it up before the first Send.
type Link struct {
	Clock *Clock
	Rand  *rand.Rand
	Rate  []Step        // bit/s, by time; the last one lasts; none: no limit
	Queue time.Duration // a packet that would wait longer is dropped, as are more than Bytes; 0: no limit
	Bytes int           // that may wait; 0: no limit
	Delay time.Duration // of the way
	// Jitter is added to Delay, evenly from 0 to it. Reorder lets packets overtake by it.
	Jitter  time.Duration
	Reorder bool
	Loss    Loss

	busy      time.Duration // when the last packet in the queue has left it
	delivered time.Duration // when the last one arrived
	waiting   int           // bytes
	bad       bool          // in a burst of loss

	Dropped, Lost, Sent int // packets: by the full queue, on the way, all
}

// Step is a rate from a time on. A rate of 0 holds everything back.
type Step struct {
	At   time.Duration
	Rate float64 // bit/s
}

// Loss is random. With Burst above 1 it comes in runs of that many packets at the mean (Gilbert's model).
type Loss struct {
	Share float64 // 0 to 1
	Burst float64 // packets
}

// RateAt is the rate in bit/s, 0 where there is no limit.
func (l *Link) RateAt(at time.Duration) float64 {
	rate := 0.0
	for _, s := range l.Rate {
		if s.At <= at {
			rate = s.Rate
		}
	}
	return rate
}

// Backlog is how long a packet sent now would wait.
func (l *Link) Backlog() time.Duration { return max(l.busy-l.Clock.now, 0) }

// Send puts a packet into the queue. Deliver runs when it arrives, if it does.
func (l *Link) Send(size int, deliver func()) {
	now := l.Clock.now
	l.Sent++
	if l.Queue > 0 && l.Backlog() > l.Queue || l.Bytes > 0 && l.waiting+size > l.Bytes {
		l.Dropped++
		return
	}
	l.busy = l.leave(max(l.busy, now), size)
	l.waiting += size
	l.Clock.At(l.busy, func() { l.waiting -= size })
	if l.loses() {
		l.Lost++
		return
	}
	at := l.busy + l.Delay
	if l.Jitter > 0 {
		at += time.Duration(l.Rand.Int64N(int64(l.Jitter)))
	}
	if !l.Reorder {
		at = max(at, l.delivered)
		l.delivered = at
	}
	l.Clock.At(at, deliver)
}

// leave is when a packet has left whose first bit leaves at from.
func (l *Link) leave(from time.Duration, size int) time.Duration {
	if len(l.Rate) == 0 {
		return from
	}
	bits := float64(size) * 8
	for {
		rate, until := l.RateAt(from), time.Duration(1<<62)
		for _, s := range l.Rate {
			if s.At > from {
				until = min(until, s.At)
			}
		}
		if rate > 0 {
			need := time.Duration(bits / rate * 1e9)
			if from+need <= until {
				return from + need
			}
			bits -= (until - from).Seconds() * rate
		} else if until == 1<<62 {
			return until // for ever
		}
		from = until
	}
}

func (l *Link) loses() bool {
	if l.Loss.Share <= 0 {
		return false
	}
	if l.Loss.Burst <= 1 {
		return l.Rand.Float64() < l.Loss.Share
	}
	leave := 1 / l.Loss.Burst
	enter := leave * l.Loss.Share / (1 - l.Loss.Share)
	if l.bad {
		l.bad = l.Rand.Float64() >= leave
	} else {
		l.bad = l.Rand.Float64() < enter
	}
	return l.bad
}
