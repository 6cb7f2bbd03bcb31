package sfu

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCeiling: a layer that only thin networks are in the way of is asked to be thinner; those who get all of it do not pay for that,
// and once nobody needs it any more it ends.
func TestCeiling(t *testing.T) {
	t.Parallel()
	p := newPublisher(t, 3)
	p.src.cfg.RIDs = []string{"q", "h", "f"}
	p.all(true)
	p.src.wanted(p.now)
	now := p.now
	for i, rate := range []float64{150_000, 500_000, 1_700_000} {
		p.src.ceilings[i].full = rate
	}
	expect := func(what string, after time.Duration, want map[string]int) {
		t.Helper()
		for end := now.Add(after); now.Before(end); {
			now = now.Add(watchEvery)
			for i := range p.src.streams { // as if they delivered just so much
				p.src.streams[i].live = false
			}
			p.src.wanted(now)
		}
		if got := p.src.asked(); !cmp.Equal(got, want) {
			t.Errorf("%s: %v is asked, want %v", what, got, want)
		}
	}
	attach := func(target, room int) *Sink {
		k := p.src.Attach(now, newVideoLine(&viewer{}), 1280, 720)
		k.target, k.wished, k.room = target, 2, room
		return k
	}
	clean := attach(2, 0)
	thin := attach(0, 300_000)
	expect("for a moment", lowerMostAfter/2, nil)
	expect("thin", 2*lowerMostAfter, map[string]int{"h": 282_000})
	thin.target = 1
	thin.room = 310_000
	expect("a little more room", 2*raiseMostAfter, map[string]int{"h": 282_000})
	thin.room = 400_000
	expect("more room", 2*raiseMostAfter, map[string]int{"h": 376_000})
	other := attach(0, 250_000)
	expect("a thinner one", 2*lowerMostAfter, map[string]int{"h": 235_000})
	other.room = 100_000
	expect("one that cannot be helped", 2*raiseMostAfter, map[string]int{"h": 376_000})
	clean.target, clean.wished = 1, 1
	expect("somebody watches it who can have all", watchEvery, nil)
	clean.target, clean.wished, thin.target = 2, 2, 0 // all of it does not fit
	expect("and does not any more", 2*lowerMostAfter, map[string]int{"h": 376_000})
	thin.target, thin.room = 2, 5_000_000
	expect("nobody needs it", keepMostFor/2, map[string]int{"h": 376_000})
	expect("nor later", keepMostFor, nil)
	thin.target, thin.room = 1, 1_000_000
	clean.Detach()
	expect("alone with the largest", 2*lowerMostAfter, map[string]int{"f": 940_000})
	p.src.forgetTold()
	if got := p.src.asked(); got != nil {
		t.Errorf("published anew: %v", got)
	}
}

// TestCeilingMeasures: what a layer takes is what came of it, as long as nothing is asked.
func TestCeilingMeasures(t *testing.T) {
	t.Parallel()
	var c ceiling
	m := measured{temporals: 2}
	m.bps[0] = [4]float64{100_000, 50_000}
	c.measured(m)
	if c.full != 150_000 {
		t.Errorf("%.0f at once", c.full)
	}
	m.bps[0][1] = 150_000
	for range 40 {
		c.measured(m)
	}
	if c.full < 245_000 || c.full > 250_000 {
		t.Errorf("%.0f in the end", c.full)
	}
}
