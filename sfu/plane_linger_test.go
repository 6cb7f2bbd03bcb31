package sfu

import "testing"

// TestLingerLearns: a reader waits for the bursts of who has many viewers, while that pays.
func TestLingerLearns(t *testing.T) {
	t.Parallel()
	k, other := &leg{}, &leg{}
	r := &reader{got: []datagram{{leg: k}}}
	if r.Linger() != 0 {
		t.Fatal("it waits for somebody whom nobody watches")
	}
	k.burst.audience.Store(lingerFrom)
	for range 20 { // bursts: each wait brings a packet, until there were enough of them in a batch
		for i := range lingerTimes {
			if r.Linger() != lingerFor {
				t.Fatalf("no wait %d", i+1)
			}
			if r.Linger() != 0 {
				t.Fatal("it waits although nothing came")
			}
			r.linger.came(other)
			r.linger.came(k)
		}
		if r.Linger() != 0 {
			t.Fatal("it waits too often in one batch")
		}
		r.linger.done()
	}
	waits := 0
	for range 10_000 { // a sender that spaces its packets
		if r.Linger() != 0 {
			waits++
		}
		r.linger.done()
	}
	if waits < 20 || waits > 60 {
		t.Errorf("%d waits for nothing in 10000 chances", waits)
	}
	for r.Linger() == 0 { // it sends bursts again
		r.linger.done()
	}
	r.linger.came(k)
	r.linger.done()
	if r.Linger() == 0 {
		t.Error("it does not wait again, though that has paid")
	}
}
