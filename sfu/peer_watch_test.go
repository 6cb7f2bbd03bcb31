package sfu

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley/parley/sfu/quality"
)

// TestWantedLayers: more is wanted at once, less after five seconds, and of what is told once nothing is told again.
func TestWantedLayers(t *testing.T) {
	t.Parallel()
	p := newPublisher(t, 3)
	p.src.cfg.RIDs = []string{"q", "h", "f"}
	p.all(true)
	now := p.now
	expect := func(after time.Duration, want ...string) {
		t.Helper()
		now = now.Add(after)
		got, _, changed := p.src.wanted(now)
		if changed != (want != nil) || changed && !cmp.Equal(got, want) {
			t.Errorf("after %v: %v, %v, want %v", now.Sub(p.now), got, changed, want)
		}
	}
	expect(0)
	expect(4900 * time.Millisecond)
	expect(200*time.Millisecond, []string{}...) // nobody came in five seconds
	if _, _, changed := p.src.wanted(now); changed {
		t.Error("told twice")
	}
	k := p.src.Attach(now, newVideoLine(&viewer{}), 640, 360)
	expect(0, "q", "h")
	k.Resize(now, 1280, 720)
	expect(0, "q", "h", "f")
	k.Resize(now, 100, 60)
	expect(time.Second)
	k.Resize(now, 1280, 720)
	expect(time.Second)
	k.Resize(now, 100, 60)
	expect(time.Second)
	expect(4900 * time.Millisecond)
	expect(200*time.Millisecond, "q")
	p.src.forgetTold() // published anew: the publisher sends all
	expect(time.Second)
	expect(5*time.Second, "q")
}

// TestUsedLayers: what a publisher does not use of its layers is no choice. Nobody wants it, and who shows the largest used has the best.
func TestUsedLayers(t *testing.T) {
	t.Parallel()
	p := newPublisher(t, 3)
	k := p.src.Attach(p.now, newVideoLine(&viewer{}), 1280, 720)
	p.serve(10)
	if got := k.report(p.now); got.RID != "f" || got.Reason != quality.Best {
		t.Fatalf("of three layers: %+v", got)
	}
	p.src.use(2, p.now) // the picture is 640 by 360 from now on
	p.layers = p.layers[:2]
	p.serve(10)
	if got := k.report(p.now); got.RID != "h" || got.Reason != quality.Best {
		t.Errorf("of two layers: %+v", got)
	}
	if rids, _, changed := p.src.wanted(p.now); changed && len(rids) > 2 {
		t.Errorf("wanted of two: %v", rids)
	}
	p.layers = p.layers[:1]
	p.serve(20) // the network of the publisher takes one alone
	if got := k.report(p.now); got.RID != "q" || got.Reason != quality.Silent {
		t.Errorf("of two layers, one silent: %+v", got)
	}
	p.src.use(0, p.now) // no such number
	p.src.use(4, p.now)
	p.src.use(3, p.now)
	p.layers = p.layers[:3]
	p.serve(10)
	if got := k.report(p.now); got.RID != "f" || got.Reason != quality.Best {
		t.Errorf("of three layers again: %+v", got)
	}
	if rids, _, changed := p.src.wanted(p.now); changed && len(rids) != 3 {
		t.Errorf("wanted of three: %v", rids)
	}
}

// TestReportAndHeld reads what a client is told of its own connection.
func TestReportAndHeld(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	a, b := join(t, n, "a", browserConfig{slots: 1}), join(t, n, "b", browserConfig{slots: 1, noSend: true})
	cam, err := a.peer.Publish(Camera, false)
	must(t, err)
	a.sendMedia(7)
	must(t, b.peer.Show([]SlotView{{Video: cam, Width: 640, Height: 360}}))
	eventually(t, "a picture in the report", func() bool {
		r := b.peer.Report()
		return len(r.Slots) == 1 && r.Slots[0].Rate > 0 && r.Slots[0].Reason == quality.Best && r.Slots[0].Codec == "VP8" && r.Slots[0].Video == "a.camera"
	})
	eventually(t, "an uplink in the report", func() bool {
		r := a.peer.Report()
		return len(r.Uplink) == 1 && len(r.Uplink[0].Layers) == 1 && r.Uplink[0].Layers[0].Active && r.Uplink[0].Layers[0].Wanted
	})
	eventually(t, "a score", func() bool {
		b.on.mu.Lock()
		defer b.on.mu.Unlock()
		return len(b.on.scores) > 0 && b.on.scores[len(b.on.scores)-1] >= 4
	})
	if b.peer.leg == nil {
		return // only the batched plane limits
	}
	pause := func(limit int) {
		b.peer.loop.Lock()
		defer b.peer.loop.Unlock()
		b.peer.downlink.est, b.peer.downlink.reports = nil, reportsNone // it would raise the limit again
		b.peer.send.Load().lines[1].sink.Load().aim(time.Now(), limit, topTemporal)
	}
	pause(-1)
	held := func(want ...quality.Held) func() bool {
		return func() bool {
			b.on.mu.Lock()
			defer b.on.mu.Unlock()
			return len(b.on.held) > 0 && cmp.Equal(b.on.held[len(b.on.held)-1], want)
		}
	}
	eventually(t, "a paused video", held(quality.Held{Slot: 0, State: "paused", Reason: quality.Bandwidth}))
	if r := b.peer.Report(); r.Slots[0].Reason != quality.Paused || r.Slots[0].Spatial != -1 {
		t.Errorf("%+v", r.Slots[0])
	}
	pause(maxLayers)
	eventually(t, "all videos flow", func() bool {
		b.on.mu.Lock()
		defer b.on.mu.Unlock()
		return len(b.on.held[len(b.on.held)-1]) == 0
	})
}

// TestSentAgain: a layer that was not sent because nobody watched it is used as soon as it comes, for who is about to join as well.
func TestSentAgain(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 3), &viewer{}
	p.all(true)
	p.serve(10)
	p.now = p.now.Add(lowerAfter)
	p.src.wanted(p.now)
	p.now = p.now.Add(lowerAfter)
	if rids, _, changed := p.src.wanted(p.now); !changed || len(rids) != 0 || !p.src.short() {
		t.Fatalf("%v is wanted though nobody watches", rids)
	}
	p.now = p.now.Add(lowerAfter)
	p.src.Anticipate(p.now)
	if rids, _, _ := p.src.wanted(p.now); len(rids) != 3 || p.src.short() {
		t.Fatalf("%v are wanted of three", rids)
	}
	p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	p.tick()
	for i := range 8 { // the largest layer's encoder starts last
		p.send(0, i == 0)
		p.send(1, i == 0)
		p.tick()
	}
	p.up.plis = []uint32{3000}
	p.serve(3)
	if got := contentSSRC(v); got != 3000 {
		t.Errorf("shows %d, not the layer that is sent again", got)
	}
	p.now = p.now.Add(hope)
	p.src.sinks[0].Detach()
	if _, _, changed := p.src.wanted(p.now); changed {
		t.Error("told at once that nobody watches")
	}
	p.now = p.now.Add(lowerAfter)
	if rids, _, changed := p.src.wanted(p.now); !changed || len(rids) != 0 {
		t.Errorf("%v is wanted though nobody watches", rids)
	}
}

// TestFirstScore: who has not been connected yet has no bad connection, unless it takes long.
func TestFirstScore(t *testing.T) {
	t.Parallel()
	start := time.Unix(1e9, 0)
	for name, c := range map[string]struct {
		connected func(at time.Duration) bool
		first     time.Duration
	}{
		"connected after 3 s": {func(at time.Duration) bool { return at >= 3*time.Second }, 3 * time.Second},
		"never connected":     {func(time.Duration) bool { return false }, connectPatience},
		"lost at once":        {func(at time.Duration) bool { return at == time.Second }, time.Second},
	} {
		var w watch
		var scored []time.Duration
		for at := time.Duration(0); at <= connectPatience+scoreEvery; at += watchEvery {
			if w.due(start.Add(at), c.connected(at)) {
				scored = append(scored, at)
			}
		}
		if len(scored) < 2 || scored[0] != c.first || scored[1] != c.first+scoreEvery {
			t.Errorf("%s: scored after %v", name, scored)
		}
	}
}
