package sfu

import (
	"testing"
	"time"

	"github.com/parley/parley/sfu/internal/ring"
)

// TestClockSetBack: when the machine's clock is set back by an hour, nothing waits for an hour, nor counts what was sent in it as
// sent at once.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	var due ticks
	if !due.tick(now, tickInterval) || due.tick(now.Add(tickInterval/2), tickInterval) {
		t.Fatal("ticks are not as told")
	}
	var sent throughput
	var in rates
	run := func() {
		for range 400 { // 4 s of 96 kb/s
			now = now.Add(10 * time.Millisecond)
			sent.add(now, 120)
			slot := &ring.Slot{Timestamp: uint32(now.UnixMilli())}
			slot.Needed = 1
			in.add(now, slot, 1, 120)
		}
		if got := sent.rate(now); got < 80_000 || got > 110_000 {
			t.Errorf("%d bit/s were sent, not 96000", got)
		}
		if got := in.measure(now).bps[0][0]; got < 80_000 || got > 110_000 {
			t.Errorf("%.0f bit/s came, not 96000", got)
		}
		if got := in.packets(now, 4); got < 30 || got > 60 {
			t.Errorf("%d packets in half a second", got)
		}
	}
	run()
	now = now.Add(-time.Hour)
	if !due.tick(now, tickInterval) {
		t.Error("no tick for an hour")
	}
	run()
	layer := pulse{born: true, trial: firstTrial}
	layer.beat(now, true)
	now = now.Add(-time.Hour)
	for range 300 {
		now = now.Add(10 * time.Millisecond)
		layer.beat(now, true)
	}
	if !layer.live {
		t.Error("a layer is on trial for an hour")
	}
}
