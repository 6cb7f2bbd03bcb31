package ntp

import (
	"math/rand/v2"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 21, 10, 0, 0, 123456789, time.UTC)

func near(d, limit time.Duration) bool { return d > -limit && d < limit }

func TestConversions(t *testing.T) {
	t.Parallel()
	if got := FromTime(time.Unix(0, 5e8)) >> 16; got != 2208988800<<16|0x8000 {
		t.Errorf("%#x", got)
	}
	for _, d := range []time.Duration{0, time.Nanosecond * 10, time.Second, -time.Second, -1500 * time.Millisecond, 40 * 365 * 24 * time.Hour} {
		if got := Since(FromTime(start.Add(d)), FromTime(start)); !near(got-d, 2*time.Nanosecond) {
			t.Errorf("%v became %v", d, got)
		}
	}
	for _, c := range []struct {
		d    time.Duration
		want int64
	}{{time.Second, 90000}, {-time.Second, -90000}, {time.Millisecond, 90}, {-1500 * time.Millisecond, -135000}, {68 * 365 * 24 * time.Hour, 68 * 365 * 24 * 3600 * 90000}} {
		if got := Ticks(c.d, 90000); got != c.want {
			t.Errorf("%v: %d ticks, want %d", c.d, got, c.want)
		}
	}
}

// A publisher whose clock is off and runs 100 ppm fast, over a link with up to 80 ms of queueing.
func TestOffsetFollowsClock(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	var o Offset
	if !o.Local(1).IsZero() {
		t.Error("knows an offset from nothing")
	}
	for i := range 600 {
		sent := start.Add(time.Duration(i) * time.Second)
		theirs := FromTime(sent.Add(-time.Hour + time.Duration(i)*100*time.Microsecond))
		o.Observe(sent.Add(time.Duration(rnd.IntN(80))*time.Millisecond), theirs)
		if i > 20 {
			if d := o.Local(theirs).Sub(sent); d < -2*time.Millisecond || d > 40*time.Millisecond {
				t.Fatalf("after %d s: %v off", i, d)
			}
		}
	}
	// The clock is set.
	theirs := FromTime(start.Add(24 * time.Hour))
	o.Observe(start, theirs)
	if d := o.Local(theirs).Sub(start); d != 0 {
		t.Errorf("%v off", d)
	}
}
