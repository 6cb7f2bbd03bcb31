package loudness

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

func TestMeter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		pattern  func(packet int) uint8
		min, max float64
	}{
		{"silence", func(int) uint8 { return 127 }, 0, 0},
		{"a murmur", func(int) uint8 { return 40 }, 0, 0},
		{"speech", func(int) uint8 { return 20 }, 0.09, 0.11},
		{"shouting", func(int) uint8 { return 0 }, 0.9, 1},
		{"half the time", func(i int) uint8 { return uint8(20 + i%2*100) }, 0.04, 0.06},
		{"a third of the time", func(i int) uint8 { return uint8(20 + min(i%3, 1)*100) }, 0, 0},
	} {
		var m Meter
		level := 0.0
		for i := range 200 {
			level = m.Observe(start.Add(time.Duration(i)*20*time.Millisecond), c.pattern(i))
		}
		if level < c.min || level > c.max {
			t.Errorf("%s: %v", c.name, level)
		}
	}
}

func TestMeterIsQuickAndForgets(t *testing.T) {
	t.Parallel()
	var m Meter
	now := start
	run := func(level uint8, until func(float64) bool) time.Duration {
		for i := range 1000 {
			now = now.Add(20 * time.Millisecond)
			if until(m.Observe(now, level)) {
				return time.Duration(i) * 20 * time.Millisecond
			}
		}
		return time.Hour
	}
	run(127, func(float64) bool { return now.Sub(start) > time.Second })
	if d := run(20, func(l float64) bool { return l > 0 }); d > 400*time.Millisecond {
		t.Errorf("heard after %v", d)
	}
	if d := run(127, func(l float64) bool { return l < 0.005 }); d > time.Second {
		t.Errorf("silent after %v", d)
	}
	run(0, func(l float64) bool { return l > 0.9 })
	now = now.Add(5 * time.Second)
	if l := m.Observe(now, 127); l != 0 {
		t.Errorf("after a pause: %v", l)
	}
	if l := m.Observe(now.Add(-time.Hour), 3); math.IsNaN(l) || l < 0 {
		t.Errorf("time that runs backward: %v", l)
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	var o Order
	now := start
	for i, st := range []struct {
		after   time.Duration
		voices  []Voice
		want    []string
		changed bool
	}{
		{0, []Voice{{"a", 0}, {"b", 0}}, []string{}, false},
		{200 * time.Millisecond, []Voice{{"a", 0.1}, {"b", 0}}, []string{"a"}, true},
		{200 * time.Millisecond, []Voice{{"b", 0.12}, {"a", 0.1}}, []string{"a", "b"}, true}, // not clearly louder
		{200 * time.Millisecond, []Voice{{"b", 0.2}, {"a", 0.1}}, []string{"b", "a"}, true},
		{200 * time.Millisecond, []Voice{{"b", 0.1}, {"a", 0.12}}, []string{"b", "a"}, false},
		{600 * time.Millisecond, []Voice{{"b", 0}, {"a", 0}}, []string{"b", "a"}, false}, // a pause
		{100 * time.Millisecond, []Voice{{"b", 0}, {"a", 0.1}}, []string{"a", "b"}, true},
		{200 * time.Millisecond, []Voice{{"b", 0}, {"a", 0.1}}, []string{"a"}, true},
		{200 * time.Millisecond, []Voice{{"b", 0}}, []string{}, true},
	} {
		now = now.Add(st.after)
		changed := o.Update(now, st.voices)
		if d := cmp.Diff(st.want, o.IDs()); d != "" || changed != st.changed {
			t.Errorf("step %d: changed %v %s", i, changed, d)
		}
	}
}
