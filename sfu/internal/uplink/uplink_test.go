package uplink

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/parley/parley/internal/netsim"
)

var start = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// call is a publisher with sound and three layers of video, seen by a gauge beyond a link.
type call struct {
	clock netsim.Clock
	rand  *rand.Rand
	link  netsim.Link
	gauge Gauge
	video [3]Clock
	sound Clock

	seq, newest int
	rates       [3]float64 // bit/s
	off         bool       // the camera is
	quiet       bool       // the microphone is
	obeys       bool       // sends no more than the gauge says
	stopped     bool       // the server does not run
	missed      []func()   // what it will read then

	found time.Duration // the first collapse, 0: none
	ended time.Duration
	limit float64 // at the first
	least float64
}

func newCall(seed uint64) *call {
	c := &call{rand: rand.New(rand.NewPCG(seed, 1)), rates: [3]float64{150_000, 500_000, 1_700_000}}
	c.link = netsim.Link{Clock: &c.clock, Rand: rand.New(rand.NewPCG(seed, 2)), Queue: 300 * time.Millisecond, Delay: 5 * time.Millisecond}
	return c
}

func (c *call) now() time.Time { return start.Add(c.clock.Now()) }

func (c *call) send(size int, clock *Clock, timestamp, hz uint32) {
	c.seq++
	seq := c.seq
	c.link.Send(size, func() {
		read := func() {
			lost := max(seq-c.newest-1, 0)
			c.newest = max(c.newest, seq)
			c.gauge.Came(c.now(), size, lost)
			c.gauge.Media(c.now(), clock, timestamp, hz)
		}
		if c.stopped {
			c.missed = append(c.missed, read)
			return
		}
		read()
	})
}

func (c *call) run(until time.Duration) {
	c.clock.Every(20*time.Millisecond, func() {
		if !c.quiet {
			c.send(150, &c.sound, uint32(c.clock.Now().Milliseconds()*48), 48000)
		}
	})
	frame := 0
	c.clock.Every(time.Second/30, func() {
		frame++
		if c.off {
			return
		}
		timestamp := uint32(c.clock.Now().Microseconds() * 9 / 100)
		encoded := time.Duration(c.rand.IntN(12)) * time.Millisecond
		for i, rate := range c.rates {
			if c.obeys && c.found != 0 && c.ended == 0 && i > 0 {
				break
			}
			size := rate / 8 / 30 * []float64{1.6, 0.7, 1, 0.7}[frame%4] * (0.8 + 0.4*c.rand.Float64())
			for n := 0; size > 0; n++ {
				part := min(size, 1200)
				size -= part
				c.clock.At(c.clock.Now()+encoded+time.Duration(n)*2*time.Millisecond, func() { c.send(int(part)+40, &c.video[i], timestamp, 90000) })
			}
		}
	})
	c.clock.Every(25*time.Millisecond, func() {
		if c.stopped {
			return
		}
		limit, yes := c.gauge.Collapsed(c.now())
		switch {
		case yes && c.found == 0:
			c.found, c.limit, c.least = c.clock.Now(), limit, limit
		case yes:
			c.least = min(c.least, limit)
		case c.found != 0 && c.ended == 0:
			c.ended = c.clock.Now()
		}
	})
	c.clock.Run(until)
}

// TestCollapse guards that it is seen at once, and what comes through.
func TestCollapse(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name    string
		rate    float64
		queue   time.Duration
		quiet   bool
		within  time.Duration
		minimum float64 // of the limit, as a share of the rate
	}{
		{"500 kb/s", 5e5, 300 * time.Millisecond, false, 225 * time.Millisecond, 0.5},
		{"500 kb/s, no sound", 5e5, 300 * time.Millisecond, true, 225 * time.Millisecond, 0.5},
		{"500 kb/s, a second of queue", 5e5, time.Second, false, 225 * time.Millisecond, 0.5},
		{"500 kb/s, a queue of 120 ms", 5e5, 120 * time.Millisecond, false, 300 * time.Millisecond, 0.5},
		{"300 kb/s", 3e5, 300 * time.Millisecond, false, 300 * time.Millisecond, 0.4},
		{"1 Mb/s", 1e6, 300 * time.Millisecond, false, 350 * time.Millisecond, 0.6},
	} {
		for seed := range uint64(8) {
			c := newCall(seed)
			c.link.Queue, c.quiet, c.obeys = k.queue, k.quiet, true
			at := 3*time.Second + time.Duration(seed)*7*time.Millisecond
			c.link.Rate = []netsim.Step{{At: 0, Rate: 1e8}, {At: at, Rate: k.rate}}
			c.run(8 * time.Second)
			if took := c.found - at; c.found == 0 || took > k.within {
				t.Errorf("%s, seed %d: seen after %v", k.name, seed, took)
			}
			if c.limit < k.minimum*k.rate || c.limit > 1.2*k.rate {
				t.Errorf("%s, seed %d: limit %.0f", k.name, seed, c.limit)
			}
			if c.ended == 0 || c.ended-c.found > longest+100*time.Millisecond {
				t.Errorf("%s, seed %d: over after %v", k.name, seed, c.ended-c.found)
			}
		}
	}
}

// TestNoCollapse guards that what is no queue is not taken for one.
func TestNoCollapse(t *testing.T) {
	t.Parallel()
	const at = 3 * time.Second
	for _, k := range []struct {
		name   string
		change func(c *call)
	}{
		{"nothing", func(*call) {}},
		{"100 ms more with jitter", func(c *call) { c.link.Delay, c.link.Jitter = 70*time.Millisecond, 60*time.Millisecond }},
		{"jitter, overtaking", func(c *call) { c.link.Jitter, c.link.Reorder = 60*time.Millisecond, true }},
		{"a longer way", func(c *call) { c.link.Delay = 250 * time.Millisecond }},
		{"10 % loss, 30 ms more", func(c *call) { c.link.Loss.Share, c.link.Delay = 0.1, 35*time.Millisecond }},
		{"loss in bursts", func(c *call) { c.link.Loss = netsim.Loss{Share: 0.1, Burst: 6} }},
		{"the camera is turned off", func(c *call) { c.off = true }},
		{"only the smallest layer", func(c *call) { c.rates[1], c.rates[2] = 0, 0 }},
		{"twice as much", func(c *call) { c.rates[2] *= 2 }},
		{"2.2 Mb/s", func(c *call) { c.link.Rate = []netsim.Step{{At: 0, Rate: 2.2e6}} }},
	} {
		for seed := range uint64(8) {
			c := newCall(seed)
			c.clock.At(at+time.Duration(seed)*7*time.Millisecond, func() { k.change(c) })
			if c.run(20 * time.Second); c.found != 0 {
				t.Errorf("%s, seed %d: seen %v after the change", k.name, seed, c.found-at)
			}
		}
	}
}

// TestFalseAlarm guards that a queue that does not shrink although less is sent is soon taken for a longer way.
func TestFalseAlarm(t *testing.T) {
	t.Parallel()
	c := newCall(1)
	c.obeys = true
	c.link.Rate = []netsim.Step{{At: 0, Rate: 1e8}, {At: 3 * time.Second, Rate: 5e5}, {At: 3200 * time.Millisecond, Rate: 1e8}}
	c.clock.At(3200*time.Millisecond, func() { c.link.Delay = 300 * time.Millisecond })
	if c.run(8 * time.Second); c.found == 0 || c.ended == 0 || c.ended-c.found > patience+100*time.Millisecond {
		t.Errorf("seen %v, over %v", c.found, c.ended)
	}
}

// TestWildTimestamps guards that timestamps of any kind bring nothing but a new start.
func TestWildTimestamps(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	var g Gauge
	var c Clock
	now := start
	for range 20_000 {
		now = now.Add(time.Duration(r.IntN(30)-5) * time.Millisecond)
		g.Came(now, r.IntN(1500), r.IntN(3))
		g.Media(now, &c, r.Uint32()>>r.IntN(32), 90000)
		if limit, yes := g.Collapsed(now); yes && limit < 0 {
			t.Fatal("limit", limit)
		}
	}
}

// TestReaderThatStops guards that a server that is not let run for 50 to 300 ms, again and again, does not take what it reads late for its
// publisher's queue.
func TestReaderThatStops(t *testing.T) {
	t.Parallel()
	for seed := range uint64(16) {
		c := newCall(seed)
		rng := rand.New(rand.NewPCG(seed, 7))
		var stop func()
		stop = func() {
			c.stopped = true
			stopped := time.Duration(50+rng.IntN(250)) * time.Millisecond
			c.clock.At(c.clock.Now()+stopped, func() {
				c.stopped = false
				missed := c.missed
				c.missed = nil
				for _, read := range missed {
					read()
				}
			})
			c.clock.At(c.clock.Now()+stopped+time.Duration(20+rng.IntN(400))*time.Millisecond, stop)
		}
		c.clock.At(3*time.Second, stop)
		if c.run(30 * time.Second); c.found != 0 {
			t.Errorf("seed %d: a collapse after %v", seed, c.found)
		}
	}
}
