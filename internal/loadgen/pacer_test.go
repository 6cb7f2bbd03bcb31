package loadgen

import (
	"testing"
	"time"
)

// The edge of a window is as far from what is sent as can be.
func TestStill(t *testing.T) {
	t.Parallel()
	now := time.Now()
	at := func(ms float64) time.Time { return now.Add(time.Duration(ms * float64(time.Millisecond))) }
	for name, c := range map[string]struct {
		schedule []*scheduled
		want     time.Time
	}{
		"nobody sends": {nil, now},
		// Sounds at 1, 21, 41, 61; pictures at 2, 35.3: nothing from 41 to 61.
		"one": {[]*scheduled{{frame: at(2), sound: at(1)}}, at(51)},
		// Sounds at 9, 15, 29, 35, 49, 55; pictures at 18, 30, 51.3, 63.3: nothing from 35 to 49.
		"two": {[]*scheduled{{frame: at(30), sound: at(15)}, {frame: at(18), sound: at(9)}}, at(42)},
	} {
		p := &pacer{schedule: c.schedule}
		if got := p.still(now); got.Sub(c.want).Abs() > time.Microsecond {
			t.Errorf("%s: %v, want %v", name, got.Sub(now), c.want.Sub(now))
		}
	}
}
