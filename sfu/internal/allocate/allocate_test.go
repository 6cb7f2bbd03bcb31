package allocate

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// simulcast is what a camera of 720p in three layers of three frame rates offers, up to a spatial layer.
func simulcast(top int) []Rung {
	var rungs []Rung
	for s, rate := range []int{150_000, 500_000, 1_700_000} {
		for t, share := range []int{50, 70, 100} {
			if s <= top {
				rungs = append(rungs, Rung{Choice{s, t}, rate * share / 100})
			}
		}
	}
	return rungs
}

func single(rate int) []Rung { return []Rung{{Choice{0, 0}, rate}} }

func streams(s ...Stream) []Stream {
	for i := range s {
		s[i].Memory = &Memory{}
	}
	return s
}

func choices(v Verdict) []Choice {
	var out []Choice
	for _, g := range v.Grants {
		out = append(out, g.Choice)
	}
	return out
}

func TestOrder(t *testing.T) {
	t.Parallel()
	paused := Choice{-1, -1}
	camera := Stream{Class: 2, Rungs: simulcast(2)}
	tile := Stream{Class: 2, Rungs: simulcast(0)}
	pinned := Stream{Class: 0, Rungs: simulcast(2)}
	screen := Stream{Screen: true, Rungs: simulcast(2)}
	for name, c := range map[string]struct {
		estimate, fixed int
		streams         []Stream
		want            []Choice
	}{
		"ample":                                 {5_000_000, 0, streams(camera, tile), []Choice{{2, 2}, {0, 2}}},
		"fluent before sharp":                   {600_000, 0, streams(camera), []Choice{{1, 2}}},
		"frames go on the lowest layer alone":   {110_000, 0, streams(camera), []Choice{{0, 1}}},
		"sound first":                           {600_000, 460_000, streams(camera), []Choice{{0, 1}}},
		"not even the lowest":                   {50_000, 0, streams(camera), []Choice{paused}},
		"everybody before anybody twice":        {230_000, 0, streams(camera, camera, camera), []Choice{{0, 0}, {0, 0}, {0, 0}}},
		"the least important is paused":         {160_000, 0, streams(camera, camera, camera), []Choice{{0, 0}, {0, 0}, paused}},
		"in turns within a class":               {1_000_000, 0, streams(camera, camera), []Choice{{1, 2}, {1, 2}}},
		"the pinned one in full":                {2_000_000, 0, streams(camera, pinned, camera), []Choice{{0, 2}, {2, 2}, {0, 2}}},
		"a screen stays sharp":                  {1_350_000, 0, streams(camera, screen), []Choice{{0, 2}, {2, 1}}},
		"a screen pauses cameras":               {900_000, 0, streams(camera, screen), []Choice{paused, {2, 0}}},
		"a screen that cannot be sharp, yields": {800_000, 0, streams(camera, screen), []Choice{{1, 2}, {1, 0}}},
		"what is dear does not stop what is not": {
			200_000, 0, streams(Stream{Class: 1, Rungs: single(900_000)}, tile), []Choice{paused, {0, 2}},
		},
		"nothing live": {1_000_000, 0, streams(Stream{}, tile), []Choice{paused, {0, 2}}},
		"nothing":      {0, 0, streams(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a Allocator
			v := a.Allocate(start, Input{Estimate: c.estimate, Fixed: c.fixed, Streams: c.streams})
			if d := cmp.Diff(c.want, choices(v)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestNextIsEnough(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 1))
	for range 2000 {
		all := randomStreams(r)
		in := Input{Estimate: r.IntN(4_000_000), Fixed: r.IntN(200_000), Urgent: true, Streams: all}
		var a Allocator
		first := a.Allocate(start, in)
		if first.Next == 0 {
			for i, g := range first.Grants {
				if g.Limited {
					t.Fatalf("stream %d is limited, and nothing more is wanted: %+v", i, first)
				}
			}
			continue
		}
		before := choices(first)
		in.Estimate = max(first.Next, in.Estimate)
		second := a.Allocate(start.Add(time.Minute), in)
		if cmp.Equal(before, choices(second)) {
			t.Fatalf("with the %d b/s it asked for nothing changes: %+v, %+v", first.Next, in, before)
		}
	}
}

func TestHysteresis(t *testing.T) {
	t.Parallel()
	var a Allocator
	now, one := start, streams(Stream{Rungs: simulcast(2)})
	step := func(after time.Duration, estimate int, urgent bool, want Choice) {
		t.Helper()
		now = now.Add(after)
		v := a.Allocate(now, Input{Estimate: estimate, Urgent: urgent, Streams: one})
		if got := v.Grants[0].Choice; got != want {
			t.Errorf("%v, %d b/s: %v, want %v", now.Sub(start), estimate, got, want)
		}
	}
	const ms = time.Millisecond
	step(0, 2_000_000, false, Choice{2, 2})
	step(100*ms, 1_600_000, false, Choice{2, 2}) // a little over: a second's patience
	step(900*ms, 1_600_000, false, Choice{2, 2})
	step(200*ms, 1_600_000, false, Choice{1, 2})
	step(100*ms, 1_900_000, false, Choice{1, 2})  // has just gone down
	step(1000*ms, 2_700_000, false, Choice{2, 2}) // unless far more is proven
	step(100*ms, 1_600_000, true, Choice{1, 2})   // congestion: at once
	step(3500*ms, 1_900_000, false, Choice{1, 2}) // the upgrade had failed: twice the time
	step(3000*ms, 1_800_000, false, Choice{1, 2}) // an upgrade needs a tenth more
	step(0, 1_900_000, false, Choice{2, 2})
}

// TestQueueDrains: what flows well within what the link takes goes on while a queue drains, and what does not is lowered.
func TestQueueDrains(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		estimate, standing int
		want               Choice
	}{
		"fits what comes after": {350_000, 700_000, Choice{1, 2}},
		"fits it only just":     {350_000, 510_000, Choice{0, 2}},
		"does not":              {350_000, 350_000, Choice{0, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a Allocator
			one := streams(Stream{Rungs: simulcast(1)})
			a.Allocate(start, Input{Estimate: 2_000_000, Streams: one})
			v := a.Allocate(start.Add(time.Second), Input{Estimate: c.estimate, Standing: c.standing, Urgent: true, Streams: one})
			if got := v.Grants[0].Choice; got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// TestRoom: a stream is told what it might take if the others keep what they have.
func TestRoom(t *testing.T) {
	t.Parallel()
	var a Allocator
	v := a.Allocate(start, Input{Estimate: 1_100_000, Fixed: 100_000, Streams: streams(Stream{Rungs: simulcast(1)}, Stream{Rungs: simulcast(0)})})
	one, other := v.Grants[0], v.Grants[1]
	if want := 900_000 - other.Rate; one.Room != want {
		t.Errorf("room for %d, want %d", one.Room, want)
	}
	if v := a.Allocate(start, Input{Estimate: 1000, Fixed: 100_000, Streams: streams(Stream{Rungs: simulcast(1)})}); v.Grants[0].Room != 0 {
		t.Errorf("room for %d where there is none", v.Grants[0].Room)
	}
}

// TestNoFlapping lets rates and the estimate tremble around the cost of a layer.
func TestNoFlapping(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		var a Allocator
		all := streams(Stream{Rungs: simulcast(2)}, Stream{Rungs: simulcast(1)})
		tremble := func(v int) int { return int(float64(v) * (0.95 + 0.1*r.Float64())) }
		var last []Choice
		switches := 0
		for now := start; now.Sub(start) < time.Minute; now = now.Add(100 * time.Millisecond) {
			for i := range all {
				all[i].Rungs = simulcast(2 - i)
				for j := range all[i].Rungs {
					all[i].Rungs[j].Rate = tremble(all[i].Rungs[j].Rate)
				}
			}
			v := a.Allocate(now, Input{Estimate: tremble(2_250_000), Streams: all})
			for i, c := range choices(v) {
				if last != nil && last[i].Spatial != c.Spatial {
					switches++
				}
			}
			last = choices(v)
		}
		if switches > 12 { // two streams, a minute
			t.Errorf("seed %d: %d switches a minute", seed, switches)
		}
	}
}

func randomStreams(r *rand.Rand) []Stream {
	var all []Stream
	for range r.IntN(9) {
		s := Stream{Class: r.IntN(3), Screen: r.IntN(6) == 0, Memory: &Memory{}}
		for spatial := range 1 + r.IntN(3) {
			for temporal := range 1 + r.IntN(3) {
				if r.IntN(8) > 0 {
					s.Rungs = append(s.Rungs, Rung{Choice{spatial, temporal}, 20_000 + r.IntN(700_000)*(spatial+1)})
				}
			}
		}
		r.Shuffle(len(s.Rungs), func(i, j int) { s.Rungs[i], s.Rungs[j] = s.Rungs[j], s.Rungs[i] })
		all = append(all, s)
	}
	return all
}

// TestProperties runs random receivers for a while: the sum stays within the estimate, or within the tolerances for a moment;
// what is granted is offered; and what is paused would not have fit.
func TestProperties(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		var a Allocator
		all := randomStreams(r)
		var over time.Duration
		const step = 100 * time.Millisecond
		for i := range 50 {
			in := Input{Estimate: r.IntN(5_000_000), Fixed: r.IntN(100_000), Urgent: r.IntN(5) == 0, Streams: all}
			v := a.Allocate(start.Add(time.Duration(i)*step), in)
			check(t, in, v)
			budget := max(in.Estimate, in.Fixed)
			if v.Sum <= budget {
				over = 0
				continue
			}
			over += step
			if over > toleranceFor+patience+step || float64(v.Sum) > max(float64(budget)*tolerance, float64(budget+grace)) {
				t.Fatalf("%d b/s granted of %d, for %v: %+v", v.Sum, budget, over, in)
			}
		}
	}
}

func check(t *testing.T, in Input, v Verdict) {
	t.Helper()
	sum := in.Fixed
	for i, g := range v.Grants {
		sum += g.Rate
		found := g.Paused()
		for _, r := range in.Streams[i].Rungs {
			found = found || r.Choice == g.Choice && r.Rate <= g.Rate
		}
		if !found {
			t.Fatalf("stream %d gets %+v, which it does not offer: %+v", i, g, in.Streams[i])
		}
	}
	if sum != v.Sum {
		t.Fatalf("sum %d, grants %d", v.Sum, sum)
	}
}

// TestMoreIsNeverWorse compares two estimates. Whoever is served differently first is served better with the larger one: first
// among those who get anything at all, then among those who get more.
func TestMoreIsNeverWorse(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 3000 {
		all := randomStreams(r)
		for i := range all {
			all[i].Class, all[i].Screen = i, false
		}
		less := Input{Estimate: r.IntN(4_000_000), Urgent: true, Streams: all}
		more := less
		more.Estimate += r.IntN(1_000_000)
		var a, b Allocator
		x := choices(a.Allocate(start, less))
		for i := range all {
			*all[i].Memory = Memory{}
		}
		y := choices(b.Allocate(start, more))
		if compareService(x, y) > 0 {
			t.Fatalf("of %d b/s: %v, of %d: %v", less.Estimate, x, more.Estimate, y)
		}
	}
}

func compareService(x, y []Choice) int {
	for i := range x {
		if x[i].Paused() != y[i].Paused() {
			if y[i].Paused() {
				return 1
			}
			return -1
		}
	}
	for i := range x {
		switch {
		case x[i].Less(y[i]):
			return -1
		case y[i].Less(x[i]):
			return 1
		}
	}
	return 0
}

func BenchmarkAllocate(b *testing.B) {
	var a Allocator
	var all []Stream
	for range 25 {
		all = append(all, Stream{Rungs: simulcast(2), Memory: &Memory{}})
	}
	b.ReportAllocs()
	for b.Loop() {
		a.Allocate(start, Input{Estimate: 8_000_000, Streams: all})
	}
}
