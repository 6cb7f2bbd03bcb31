package netsim

import (
	"math/rand/v2"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newLink(seed uint64) *Link {
	return &Link{Clock: &Clock{}, Rand: rand.New(rand.NewPCG(seed, 1))}
}

func TestClockKeepsOrder(t *testing.T) {
	t.Parallel()
	var c Clock
	var got []int
	c.At(2, func() { got = append(got, 3) })
	c.At(1, func() {
		got = append(got, 1)
		c.At(0, func() { got = append(got, 2) })
	})
	c.At(2, func() { got = append(got, 4) })
	n := 0
	c.Every(10, func() { n++ })
	c.Run(100)
	if len(got) != 4 || got[0] != 1 || got[1] != 2 || got[2] != 3 || got[3] != 4 {
		t.Errorf("order %v", got)
	}
	if n != 11 || c.Now() != 100 {
		t.Errorf("%d times, now %d", n, c.Now())
	}
}

func TestRateAndDelay(t *testing.T) {
	t.Parallel()
	l := newLink(1)
	l.Delay = 20 * time.Millisecond
	l.Rate = []Step{{0, 1e6}, {10 * time.Millisecond, 0}, {30 * time.Millisecond, 2e6}}
	var got []time.Duration
	for range 3 { // 8 ms each at 1 Mb/s: the second stops after 2 ms with 6000 bits left, 3 ms at 2 Mb/s
		l.Send(1000, func() { got = append(got, l.Clock.Now()) })
	}
	l.Clock.Run(time.Second)
	want := []time.Duration{28 * time.Millisecond, 53 * time.Millisecond, 57 * time.Millisecond}
	for i, w := range want {
		if i >= len(got) || (got[i]-w).Abs() > time.Microsecond {
			t.Fatalf("arrivals %v, want %v", got, want)
		}
	}
}

func TestQueueDrops(t *testing.T) {
	t.Parallel()
	l := newLink(1)
	l.Rate, l.Queue = []Step{{0, 1e6}}, 100*time.Millisecond
	n := 0
	for range 100 {
		l.Send(1250, func() { n++ }) // 10 ms each
	}
	l.Clock.Run(10 * time.Second)
	if n != 11 || l.Dropped != 89 {
		t.Errorf("%d arrived, %d dropped", n, l.Dropped)
	}
}

func TestLossAndJitter(t *testing.T) {
	t.Parallel()
	for _, burst := range []float64{1, 5} {
		l := newLink(3)
		l.Loss, l.Jitter = Loss{0.05, burst}, 30*time.Millisecond
		arrived, runs, last := 0, 0, -1
		for i := range 100_000 {
			l.Send(100, func() {
				arrived++
				if i != last+1 {
					runs++
				}
				if i < last {
					t.Errorf("%d overtook %d", last, i)
				}
				last = i
			})
			l.Clock.Run(l.Clock.Now() + time.Millisecond)
		}
		l.Clock.Run(time.Hour)
		lost := 100_000 - arrived
		if lost < 4_300 || lost > 5_700 {
			t.Errorf("burst %v: %d lost", burst, lost)
		}
		if mean := float64(lost) / float64(runs); mean < burst*0.8 || mean > burst*1.3 {
			t.Errorf("burst %v: runs of %.1f", burst, mean)
		}
	}
}

func TestReorder(t *testing.T) {
	t.Parallel()
	l := newLink(3)
	l.Jitter, l.Reorder = 30*time.Millisecond, true
	late, last := 0, -1
	for i := range 1000 {
		l.Send(100, func() {
			if i < last {
				late++
			}
			last = max(last, i)
		})
		l.Clock.Run(l.Clock.Now() + 5*time.Millisecond)
	}
	if late < 100 {
		t.Errorf("%d of 1000 were overtaken", late)
	}
}

// TestTCPFillsALink shows that the flow behaves as TCP does: it fills the link and its queue, and two share it about evenly.
func TestTCPFillsALink(t *testing.T) {
	t.Parallel()
	l := newLink(1)
	l.Rate, l.Queue, l.Delay = []Step{{0, 4e6}}, 200*time.Millisecond, 30*time.Millisecond
	a, b := &TCP{Link: l, Back: 30 * time.Millisecond}, &TCP{Link: l, Back: 30 * time.Millisecond}
	a.Start()
	var backlog, samples time.Duration
	l.Clock.Every(10*time.Millisecond, func() { backlog += l.Backlog(); samples++ })
	l.Clock.Run(20 * time.Second)
	if rate := float64(a.Delivered) * 8 / 20; rate < 3.5e6 || rate > 4e6 {
		t.Errorf("alone %.0f bit/s", rate)
	}
	if mean := backlog / samples; mean < 80*time.Millisecond {
		t.Errorf("mean queue %v", mean)
	}
	before := a.Delivered
	b.Start()
	l.Clock.Run(140 * time.Second)
	if share := float64(b.Delivered) / float64(a.Delivered-before+b.Delivered); share < 0.3 || share > 0.7 {
		t.Errorf("the second has a share of %.2f", share)
	}
	a.Stop()
	b.Stop()
	l.Clock.Run(time.Hour)
}
