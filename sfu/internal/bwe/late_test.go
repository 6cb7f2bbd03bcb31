package bwe

import (
	"testing"
	"time"
)

// TestWhatLeavesLateIsNoQueue: a process that is not let run between noting packets and sending them sees them arrive late, again and
// again. Where it says so, nothing is sent less for it.
func TestWhatLeavesLateIsNoQueue(t *testing.T) {
	t.Parallel()
	for _, told := range []bool{true, false} {
		e := New(Config{})
		now, seq := start, uint16(0)
		for i := range 600 { // 30 s of 1.9 Mb/s
			noted := now
			for range 10 {
				e.Sent(now, Packet{Seq: seq, Size: 1200})
				seq++
			}
			if late := i % 12; i > 100 && late > 0 { // up to 165 ms
				now = now.Add(time.Duration(15*late) * time.Millisecond)
				if told {
					e.Late(noted)
				}
			}
			arrival := now.Sub(start) + 20*time.Millisecond
			now = now.Add(50 * time.Millisecond)
			if err := e.TransportFeedback(now, report(t, seq-10, 10, arrival, time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			e.Update(now, Demand{})
		}
		if n := e.Stats().Decreases; told && n > 0 || !told && n == 0 {
			t.Errorf("told: %v, %d decreases", told, n)
		}
	}
}

// TestFeedbackThatWaitsIsNoSilence: a process that was not let run finds the feedback of that time afterwards, and may look at its clock
// before.
func TestFeedbackThatWaitsIsNoSilence(t *testing.T) {
	t.Parallel()
	e := New(Config{})
	now, seq := start, uint16(0)
	for i := range 200 {
		for range 10 {
			e.Sent(now, Packet{Seq: seq, Size: 1200})
			seq++
		}
		arrival := now.Sub(start) + 20*time.Millisecond
		if now = now.Add(50 * time.Millisecond); i%20 == 19 {
			now = now.Add(1500 * time.Millisecond)
			e.Update(now, Demand{})
		}
		if err := e.TransportFeedback(now, report(t, seq-10, 10, arrival, time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		e.Update(now, Demand{})
	}
	if s := e.Stats(); s.Decreases > 0 || s.Lags != 10 {
		t.Errorf("%+v", s)
	}
}
