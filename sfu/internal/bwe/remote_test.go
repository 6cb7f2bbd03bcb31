package bwe

import (
	"testing"
	"time"
)

func TestRemoteFollowsREMBAndLoss(t *testing.T) {
	t.Parallel()
	r := NewRemote(Config{Start: 500_000, Min: 50_000, Max: 5_000_000})
	now := start
	send := func(rate int) { // for a second
		for i := range 100 {
			r.Sent(now.Add(time.Duration(i)*10*time.Millisecond), Packet{Size: rate / 800})
		}
		now = now.Add(time.Second)
	}
	target := func() int64 { return r.Update(now, Demand{}).Target }
	if e := r.Update(now, Demand{}); e.Known || e.Target != 500_000 {
		t.Errorf("at the start %+v", e)
	}
	r.REMB(now, 1_000_000)
	if target() != 1_000_000 {
		t.Errorf("REMB: %d", target())
	}
	for _, absurd := range []int64{1 << 62, -1, 0} {
		r.REMB(now, absurd)
		if target() != 5_000_000 {
			t.Errorf("REMB %d: %d", absurd, target())
		}
	}
	r.REMB(now, 1)
	if target() != 50_000 {
		t.Errorf("REMB 1: %d", target())
	}
	r.REMB(now, 1_000_000)
	send(1_000_000)
	r.ReceiverReport(now, 0.3, 50*time.Millisecond)
	if got := target(); got != 850_000 {
		t.Errorf("loss: %d", got)
	}
	for range 30 {
		send(int(target()))
		r.ReceiverReport(now, 0, 50*time.Millisecond)
	}
	if got := target(); got != 5_000_000 && got < 1_000_000 {
		t.Errorf("recovery: %d", got)
	}
	send(10_000)
	before := target()
	r.ReceiverReport(now, 0, 50*time.Millisecond)
	if got := target(); got != before {
		t.Errorf("grows while little is sent: %d to %d", before, got)
	}
}
