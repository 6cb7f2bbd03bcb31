package allocate

import (
	"testing"
	"time"
)

// TestSoundYieldsToPictures: what is repeated of sound is a small part of what the network takes, where there are pictures.
func TestSoundYieldsToPictures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		estimate, bare int
		pictures       bool
		want           int
	}{
		{154_000, 40_000, true, 0},
		{154_000, 40_000, false, 2},
		{90_000, 40_000, false, 0},
		{320_000, 40_000, true, 1},
		{500_000, 40_000, true, 2},
		{10_000_000, 40_000, true, 2},
		{0, 40_000, true, 0},
		{30_000, 0, true, 2},
	} {
		if got := Repeats(c.estimate, c.bare, 2, c.pictures); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// TestCalmPausesNothing: what flows, while nothing queues and nothing is lost, is not paused because an estimate is low; what is paused says
// what its least would take.
func TestCalmPausesNothing(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	var a Allocator
	var m, other Memory
	streams := []Stream{
		{Rungs: []Rung{{Choice{0, 0}, 150_000}, {Choice{1, 0}, 500_000}}, Memory: &m},
	}
	in := Input{Estimate: 1_000_000, Fixed: 40_000, Streams: streams}
	a.Allocate(now, in)
	in.Estimate, in.Calm = 100_000, true
	for range 50 {
		now = now.Add(100 * time.Millisecond)
		switch v := a.Allocate(now, in); {
		case v.Grants[0].Paused():
			t.Fatal("paused in calm")
		case v.Next != 190_000 || !v.Paused:
			t.Fatalf("it needs %d", v.Next)
		}
	}
	in.Urgent = true
	v := a.Allocate(now, in)
	if want := 40_000 + 166_666 + 1; !v.Grants[0].Paused() || !v.Paused || v.Next != want {
		t.Errorf("congested: %+v, want the next at %d", v, want)
	}
	in.Urgent = false
	in.Streams = append(in.Streams, Stream{Rungs: []Rung{{Choice{0, 0}, 10_000}}, Memory: &other})
	if v := a.Allocate(now.Add(5*time.Second), in); !v.Grants[0].Paused() {
		t.Errorf("it goes on without room: %+v", v)
	}
}
