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
	r.ReceiverReport(now, Report{100, 30, 50 * time.Millisecond})
	if got := target(); got != 850_000 {
		t.Errorf("loss: %d", got)
	}
	for range 30 {
		send(int(target()))
		r.ReceiverReport(now, Report{100, 0, 50 * time.Millisecond})
	}
	if got := target(); got != 5_000_000 && got < 1_000_000 {
		t.Errorf("recovery: %d", got)
	}
	send(10_000)
	before := target()
	r.ReceiverReport(now, Report{100, 0, 50 * time.Millisecond})
	if got := target(); got != before {
		t.Errorf("grows while little is sent: %d to %d", before, got)
	}
}

// TestTrialsGrowSeldom: what does not fit is tried again, but ever more seldom, and what fits stays.
func TestTrialsGrowSeldom(t *testing.T) {
	t.Parallel()
	r := NewRemote(Config{Start: 100_000})
	now := start
	const fits = 500_000
	tries, last := 0, int64(0)
	second := func(demand Demand, fits int64) {
		for range 10 {
			e := r.Update(now, demand)
			if e.Target > last && e.Target >= demand.Next {
				tries++
			}
			last = e.Target
			r.Sent(now, Packet{Size: int(e.Target) / 80})
			now = now.Add(100 * time.Millisecond)
		}
		lost := max(0, int(100*(last-fits)/max(last, 1)))
		r.ReceiverReport(now, Report{100, lost, 50 * time.Millisecond})
	}
	paused := Demand{Wanted: 2_000_000, Next: 1_600_000, Paused: true}
	r.ReceiverReport(now, Report{Packets: 100})
	for range 120 {
		second(paused, fits)
	}
	if tries < 4 || tries > 9 || last > 700_000 {
		t.Errorf("%d trials in two minutes, the target is %d", tries, last)
	}
	for range 40 { // the network has become a better one
		second(paused, 5_000_000)
	}
	if last < 1_600_000 {
		t.Errorf("the target is %d in a network that takes more", last)
	}
}

// TestLossOfThePathCostsNothing: what is lost whatever is sent is no reason to send less.
func TestLossOfThePathCostsNothing(t *testing.T) {
	t.Parallel()
	r := NewRemote(Config{Start: 2_000_000})
	now := start
	for range 30 {
		for range 10 {
			r.Sent(now, Packet{Size: int(min(r.Update(now, Demand{}).Target, 1_600_000)) / 80})
			now = now.Add(100 * time.Millisecond)
		}
		r.ReceiverReport(now, Report{100, 15, 50 * time.Millisecond})
	}
	if got := r.Update(now, Demand{}).Target; got < 1_600_000 {
		t.Errorf("the target is %d", got)
	}
}

// TestREMBThatIsAMultiple: a receiver's estimate that is no more than a multiple of what it gets is not believed for ever, one that it
// has measured is.
func TestREMBThatIsAMultiple(t *testing.T) {
	t.Parallel()
	const picture, sound = 1_600_000, 40_000
	for name, most := range map[string]float64{"a multiple": 1e9, "measured": 700_000} {
		r := NewRemote(Config{Start: 100_000})
		now := start
		shown := 0
		r.REMB(now, 100_000)
		for i := range 200 { // 100 s
			used := float64(sound)
			if r.Update(now, Demand{Wanted: 2_000_000, Next: picture, Paused: true}).Target >= picture {
				used += picture * 0.9
				shown++
			}
			for range 5 {
				r.Sent(now, Packet{Size: int(used) / 80})
				now = now.Add(100 * time.Millisecond)
			}
			if i%2 == 0 {
				r.REMB(now, int64(min(1.5*used, most)))
			}
		}
		if few := shown < 40; most < picture && !few || most > picture && shown < 180 {
			t.Errorf("%s: the picture is shown for %d of 200 times", name, shown)
		}
	}
}
