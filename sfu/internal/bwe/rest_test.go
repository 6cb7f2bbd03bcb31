package bwe

import (
	"testing"
	"time"
)

// A receiver's feedback stops, as when its link is down: less and less is sent, in the end nothing. Nothing sent brings no
// feedback, so a probe must find out whether the link is back.
func TestProbesWhenNothingIsSentAnyMore(t *testing.T) {
	t.Parallel()
	e := New(Config{})
	now, seq := start, uint16(0)
	send := func(n, probe int) {
		for range n {
			e.Sent(now, Packet{Seq: seq, Size: 1200, Probe: uint8(probe)})
			seq++
		}
	}
	demand := Demand{Wanted: 3_000_000, Next: 400_000}
	for range 40 { // 2 s of 1.9 Mb/s
		send(10, 0)
		now = now.Add(50 * time.Millisecond)
		if err := e.TransportFeedback(now, report(t, seq-10, 10, now.Sub(start), time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		e.Update(now, demand)
	}
	for range 400 { // the link is down for 20 s; what is sent follows the target, and stops below 200 kb/s
		now = now.Add(50 * time.Millisecond)
		if est := e.Update(now, demand); est.Target > 200_000 {
			send(5, 0)
		}
	}
	probes, sent := 0, seq
	for range 1200 { // a minute
		now = now.Add(50 * time.Millisecond)
		if est := e.Update(now, demand); est.Probe.ID != 0 {
			probes++
			for range est.Probe.Packets {
				e.Sent(now, Packet{Seq: seq, Size: est.Probe.Size, Probe: est.Probe.ID})
				seq++
			}
		}
	}
	if probes < 4 || seq-sent > 400 {
		t.Errorf("%d probes of %d packets in a minute without feedback", probes, seq-sent)
	}
	for range 200 { // the link is back: 10 s
		now = now.Add(50 * time.Millisecond)
		if est := e.Update(now, demand); est.Probe.ID != 0 {
			from := seq
			for range max(est.Probe.Packets, est.Probe.Bytes/est.Probe.Size+1) {
				e.Sent(now, Packet{Seq: seq, Size: est.Probe.Size, Probe: est.Probe.ID})
				seq++
			}
			now = now.Add(50 * time.Millisecond)
			if err := e.TransportFeedback(now, report(t, from, int(seq-from), now.Sub(start), time.Millisecond)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if est := e.Update(now, demand); est.Target < 400_000 {
		t.Errorf("the target is %d, 10 s after the link is back", est.Target)
	}
}

// All that was under way is reported while a queue drains, and nothing more is sent because nothing fits: the drain has an end.
func TestDrainEndsWhenNothingIsSent(t *testing.T) {
	t.Parallel()
	e := New(Config{})
	now, seq := start, uint16(0)
	demand := Demand{Wanted: 1_000_000, Next: 900_000}
	delay := 20 * time.Millisecond
	for i := range 60 {
		from := seq
		for range 5 {
			e.Sent(now, Packet{Seq: seq, Size: 1200})
			seq++
		}
		now = now.Add(50 * time.Millisecond)
		if i > 40 {
			delay += 30 * time.Millisecond
		}
		if err := e.TransportFeedback(now, report(t, from, 5, now.Sub(start)+delay, 10*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		e.Update(now, demand)
		if e.drain.on {
			break
		}
	}
	if !e.drain.on {
		t.Fatal("no queue was seen")
	}
	for range 600 { // 30 s
		now = now.Add(50 * time.Millisecond)
		if est := e.Update(now, demand); est.Probe.ID != 0 {
			return
		}
	}
	t.Error("no probe within 30 s")
}

// Without transport-wide feedback it is the same: who is sent nothing reports nothing.
func TestRemoteTriesWhenNothingIsSent(t *testing.T) {
	t.Parallel()
	r := NewRemote(Config{})
	now := start
	r.REMB(now, 40_000)
	for range 40 {
		now = now.Add(100 * time.Millisecond)
		r.Update(now, Demand{Next: 400_000, Paused: true})
	}
	if got := r.Update(now, Demand{Next: 400_000, Paused: true}).Target; got < 400_000 || got > 600_000 {
		t.Errorf("the target is %d after 4 s without reports", got)
	}
}
