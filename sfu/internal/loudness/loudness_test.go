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
	quiet, some, much := Scores{}, Scores{20, 4, 10}, Scores{30, 8, 20}
	voice := func(id string, level float64, s Scores) Voice { return Voice{id, level, s} }
	var o Order
	now := start
	for i, st := range []struct {
		after   time.Duration
		voices  []Voice
		want    []string
		changed bool
	}{
		{0, []Voice{voice("a", 0, quiet), voice("b", 0, quiet), voice("c", 0, quiet)}, []string{}, false},
		{200 * time.Millisecond, []Voice{voice("a", 0.1, some), voice("b", 0, quiet)}, []string{"a"}, true},
		{200 * time.Millisecond, []Voice{voice("b", 0.9, some), voice("a", 0.1, some)}, []string{"a", "b"}, true}, // louder, not more active
		{200 * time.Millisecond, []Voice{voice("b", 0.1, much), voice("a", 0.1, some)}, []string{"b", "a"}, true},
		{200 * time.Millisecond, []Voice{voice("b", 0.1, some), voice("a", 0.2, some), voice("c", 0.25, some)}, []string{"b", "a", "c"}, true},
		{200 * time.Millisecond, []Voice{voice("b", 0.1, some), voice("a", 0.1, some), voice("c", 0.25, some)}, []string{"b", "c", "a"}, true},
		{600 * time.Millisecond, []Voice{voice("b", 0, quiet), voice("c", 0, quiet), voice("a", 0, quiet)}, []string{"b", "c", "a"}, false}, // a pause
		{100 * time.Millisecond, []Voice{voice("b", 0, quiet), voice("c", 0, quiet), voice("a", 0.1, some)}, []string{"a", "b", "c"}, true},
		{200 * time.Millisecond, []Voice{voice("b", 0, quiet), voice("c", 0, quiet), voice("a", 0.1, some)}, []string{"a"}, true},
		{200 * time.Millisecond, []Voice{voice("b", 0, quiet)}, []string{}, true},
	} {
		now = now.Add(st.after)
		changed := o.Update(now, st.voices)
		if d := cmp.Diff(st.want, o.IDs()); d != "" || changed != st.changed {
			t.Errorf("step %d: changed %v %s", i, changed, d)
		}
	}
}

// room plays levels of several people through meters and an Order, as a room does, and tells who had the floor for how long.
type room struct {
	order  Order
	meters map[string]*Meter
	levels map[string]float64
	now    time.Time
}

func (r *room) play(d time.Duration, level func(id string, frame int) uint8) (floor map[string]time.Duration) {
	floor = make(map[string]time.Duration)
	for i := range int(d / frameLength) {
		r.now = r.now.Add(frameLength)
		for id, m := range r.meters {
			r.levels[id] = m.Observe(r.now, level(id, i))
		}
		if r.now.UnixMilli()%200 != 0 {
			continue
		}
		var voices []Voice
		for id, m := range r.meters {
			voices = append(voices, Voice{id, r.levels[id], m.Scores()})
		}
		r.order.Update(r.now, voices)
		if ids := r.order.IDs(); len(ids) > 0 {
			floor[ids[0]] += 200 * time.Millisecond
		}
	}
	return floor
}

// speech has syllables of 160 ms and gaps of 60 ms, and a breath of 400 ms every 2 s.
func speech(frame int, level uint8) uint8 {
	if frame%11 >= 8 || frame%100 >= 80 {
		return 65
	}
	return level + uint8(frame*7%5)
}

func TestFloor(t *testing.T) {
	t.Parallel()
	const quiet = 62 // a room's background
	newRoom := func() *room {
		r := &room{meters: map[string]*Meter{"ann": {}, "ben": {}}, levels: map[string]float64{}, now: start}
		r.play(4*time.Second, func(id string, i int) uint8 {
			if id == "ann" {
				return speech(i, 26)
			}
			return quiet
		})
		return r
	}
	for _, c := range []struct {
		name     string
		d        time.Duration
		ann, ben func(frame int) uint8
		min, max time.Duration // that Ben has the floor
	}{
		{
			"a cough, louder than the speaker", 3 * time.Second, func(i int) uint8 { return speech(i, 26) },
			func(i int) uint8 {
				if i >= 30 && i < 45 {
					return 5
				}
				return quiet
			}, 0, 0,
		},
		{
			"a door slams again and again", 5 * time.Second, func(i int) uint8 { return speech(i, 26) },
			func(i int) uint8 {
				if i%50 < 3 {
					return 0
				}
				return quiet
			}, 0, 0,
		},
		{
			"a laugh of a second", 4 * time.Second, func(i int) uint8 { return speech(i, 26) },
			func(i int) uint8 {
				if i < 50 {
					return 12
				}
				return quiet
			}, 0, 200 * time.Millisecond,
		},
		{
			"the floor is handed over", 5 * time.Second, func(int) uint8 { return quiet },
			func(i int) uint8 { return speech(i, 26) }, 3200 * time.Millisecond, 4800 * time.Millisecond,
		},
		{
			"both at once, about as loud", 8 * time.Second, func(i int) uint8 { return speech(i, 26) },
			func(i int) uint8 { return speech(i+37, 24) }, 0, 8 * time.Second,
		},
		{
			"steady noise", 8 * time.Second, func(i int) uint8 { return speech(i, 26) },
			func(int) uint8 { return 45 }, 0, 0,
		},
	} {
		floor := newRoom().play(c.d, func(id string, i int) uint8 {
			if id == "ann" {
				return c.ann(i)
			}
			return c.ben(i)
		})
		if got := floor["ben"]; got < c.min || got > c.max {
			t.Errorf("%s: Ben has the floor for %v, want %v to %v", c.name, got, c.min, c.max)
		}
	}
}

// Two who talk at once do not throw the floor to and fro.
func TestFloorDoesNotFlap(t *testing.T) {
	t.Parallel()
	r := &room{meters: map[string]*Meter{"ann": {}, "ben": {}, "cem": {}}, levels: map[string]float64{}, now: start}
	changes, holder := 0, ""
	for range 300 { // 60 s
		r.play(200*time.Millisecond, func(id string, _ int) uint8 {
			frame := int(r.now.Sub(start) / frameLength)
			return speech(frame+int(id[0])*31, 20+id[0]%4)
		})
		if ids := r.order.IDs(); len(ids) > 0 && ids[0] != holder {
			changes, holder = changes+1, ids[0]
		}
	}
	if changes > 12 {
		t.Errorf("the floor changed hands %d times in a minute", changes)
	}
}

func TestActivitySurvivesStrangeClocks(t *testing.T) {
	t.Parallel()
	var a activity
	now := start
	for i, step := range []time.Duration{0, time.Hour, -2 * time.Hour, time.Nanosecond, 999 * time.Millisecond, 1 << 62, 20 * time.Millisecond} {
		now = now.Add(step)
		a.observe(now, uint8(i*40))
		if s := a.scores(); s.Immediate < 0 || s.Immediate > 127 || s.Medium < 0 || s.Medium > 2*blockFrames || s.Long < 0 || s.Long > longBlocks {
			t.Errorf("after %v: %+v", step, s)
		}
	}
}
