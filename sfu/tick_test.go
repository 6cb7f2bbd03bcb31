package sfu

import (
	"testing"
	"time"
)

// TestTicksAreSpaced: a loop ticks at most so often, whoever asks, and never twice at once.
func TestTicksAreSpaced(t *testing.T) {
	t.Parallel()
	var ticks ticks
	now := time.Unix(1000, 0)
	if !ticks.tick(now, tickInterval) {
		t.Error("the first tick did not happen")
	}
	if ticks.tick(now.Add(tickInterval-1), tickInterval) {
		t.Error("a tick came too early")
	}
	if !ticks.tick(now.Add(tickInterval), tickInterval) {
		t.Error("a tick that was due did not happen")
	}
	ticks.running.Lock()
	defer ticks.running.Unlock()
	if ticks.tick(now.Add(time.Second), tickInterval) {
		t.Error("two ticks at once")
	}
}

// TestTickerLooksAfterIdleLoops: a loop that nothing comes for is ticked, once, and one that packets tick for is left alone.
func TestTickerLooksAfterIdleLoops(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	a, err := n.NewPeer("a", "one", &events{})
	must(t, err)
	b, err := n.NewPeer("b", "one", &events{})
	must(t, err)
	if a.loop != b.loop || len(a.loop.ticks.peers()) != 2 {
		t.Fatalf("%d peers in the loop, not 2", len(a.loop.ticks.peers()))
	}
	later := time.Now().Add(time.Hour) // what the ticker of the node itself does is long ago
	if !n.tickIdle(later) {
		t.Error("an idle loop was not ticked")
	}
	if n.tickIdle(later.Add(time.Millisecond)) {
		t.Error("a loop that had just ticked was ticked")
	}
	must(t, b.Close())
	<-b.done
	if len(a.loop.ticks.peers()) != 1 {
		t.Error("a peer that left is still ticked for")
	}
}
