package bwe

import (
	"testing"
	"time"
)

// TestPausedReceiverIsProbed guards that a receiver whose videos were paused because of a queue gets them back: when nothing is
// sent there is no feedback, and what was measured last must not stand for ever.
func TestPausedReceiverIsProbed(t *testing.T) {
	t.Parallel()
	e := New(Config{})
	demand := Demand{Wanted: 2_000_000, Next: 150_000}
	now, arrival := start, 50*time.Millisecond
	for seq := uint16(0); seq < 3000; seq += 10 {
		for i := range uint16(10) {
			e.Sent(now.Add(time.Duration(i)*time.Millisecond), Packet{Seq: seq + i, Size: 1200})
		}
		now = now.Add(10 * time.Millisecond)
		each := time.Millisecond
		if seq > 1000 {
			each = 3 * time.Millisecond // the link has become slower than what is sent
		}
		if err := e.TransportFeedback(now.Add(20*time.Millisecond), report(t, seq, 10, arrival, each)); err != nil {
			t.Fatal(err)
		}
		arrival += 10 * each
		e.Update(now.Add(20*time.Millisecond), demand)
	}
	if v := e.Update(now, demand); v.Queue < 50*time.Millisecond || e.Stats().Decreases == 0 {
		t.Fatalf("no congestion: %+v", v)
	}
	probes := 0
	for range 60 {
		now = now.Add(100 * time.Millisecond)
		if e.Update(now, demand).Probe.ID != 0 {
			probes++
		}
	}
	if probes == 0 {
		t.Error("no probe in six seconds of silence")
	}
}
