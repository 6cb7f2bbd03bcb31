package sfu

import "time"

// A layer that only receivers with thin networks watch is worth nothing to them while it does not fit. Its publisher is asked to code it
// with what the thinnest of them can take.

const (
	leastShare = 0.35 // of what a layer takes by itself: with less, the layer below is the better picture
	mostShare  = 0.94 // of what a receiver has for it: encoders hold their rate to some percent
	fullSmooth = 8    // looks, 2 s

	lowerMostAfter = time.Second     // networks are found too thin for moments
	raiseMostAfter = 2 * time.Second // and raised in vain they lose pictures
	keepMostFor    = 5 * time.Second // while nobody needs it
	lowerMostBy    = 0.94            // of what was asked: less is not worth a message
	raiseMostBy    = 1.10
)

// ceiling is how much of a layer its publisher is asked to send.
type ceiling struct {
	full   float64   // bit/s that it takes where nothing is asked
	asked  int       // bit/s, 0: as the publisher likes
	since  time.Time // since when it should be something else
	unused time.Time // since when nobody needs it
}

// bound renews what is asked of the layers, and reports whether something changed. The caller is in the loop.
func (s *Source) bound(now time.Time) (changed bool) {
	if s.svc >= 0 || len(s.cfg.RIDs) == 0 {
		return false
	}
	for i, l := range s.streams {
		c := &s.ceilings[i]
		if c.asked == 0 && l.live {
			c.measured(l.rates.measure(now))
		}
		want, free := s.thinnest(i)
		changed = c.follow(now, want, free) || changed
	}
	return changed
}

// measured follows what the layer takes.
func (c *ceiling) measured(r measured) {
	sum := 0.0
	for t := range r.temporals {
		sum += r.bps[0][t]
	}
	if c.full == 0 {
		c.full = sum
	}
	c.full += (sum - c.full) / fullSmooth
}

// thinnest returns what the layer i may take to reach the receiver with the least room for it, of those that it can be made to
// reach; 0: there is none. Free: somebody watches it whose network takes all of it, and shall not pay for the others.
func (s *Source) thinnest(i int) (want int, free bool) {
	full, asked := s.ceilings[i].full, s.ceilings[i].asked
	for _, k := range s.sinks {
		if k.wished < i || k.target > i || full == 0 {
			continue
		}
		room := float64(k.room) * mostShare
		switch {
		case k.room == 0 || room >= full || asked == 0 && k.target == i:
			free = free || k.target == i
		case room >= leastShare*full && (want == 0 || int(room) < want):
			want = int(room)
		}
	}
	return want, free
}

// follow decides what is asked from now on.
func (c *ceiling) follow(now time.Time, want int, free bool) (changed bool) {
	before := c.asked
	switch {
	case free:
		c.asked, c.since = 0, time.Time{}
	case want == 0:
		c.since = time.Time{}
		if c.unused.IsZero() {
			c.unused = now
		}
		if c.asked > 0 && now.Sub(c.unused) >= keepMostFor {
			c.asked = 0
		}
		return c.asked != before
	case c.asked == 0 || float64(want) < lowerMostBy*float64(c.asked):
		c.after(now, lowerMostAfter, want)
	case float64(want) > raiseMostBy*float64(c.asked):
		c.after(now, raiseMostAfter, want)
	default:
		c.since = time.Time{}
	}
	c.unused = time.Time{}
	return c.asked != before
}

func (c *ceiling) after(now time.Time, wait time.Duration, want int) {
	if c.since.IsZero() {
		c.since = now
	}
	if now.Sub(c.since) >= wait {
		c.asked, c.since = want, time.Time{}
	}
}

// asked returns what is asked, by simulcast id; nil: nothing.
func (s *Source) asked() map[string]int {
	var out map[string]int
	for i := range s.ceilings {
		if n := s.ceilings[i].asked; n > 0 && i < len(s.cfg.RIDs) {
			if out == nil {
				out = make(map[string]int, 1)
			}
			out[s.cfg.RIDs[i]] = n
		}
	}
	return out
}
