//go:build linux

package lab

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// counts are the counters of the direction up, as Control prints them.
type counts struct{ frames, lost, full, doubled int }

func upward(t *testing.T, w *Wire) (c counts) {
	t.Helper()
	text, err := w.Control("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(text, "up frames=%d lost=%d full=%d doubled=%d;", &c.frames, &c.lost, &c.full, &c.doubled); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return c
}

func control(t *testing.T, w *Wire, text string) {
	t.Helper()
	if _, err := w.Control(text); err != nil {
		t.Fatal(err)
	}
}

// flood sends n datagrams of that size and gives what came: the count and the time between first and last. It returns when
// everything that the wire let pass has come.
func flood(t *testing.T, w *Wire, from, to *net.UDPConn, n, size int) (got int, took time.Duration) {
	t.Helper()
	before := upward(t, w)
	address := to.LocalAddr().String()
	payload := strings.Repeat("x", size)
	for range n {
		say(t, from, payload, address)
	}
	deadline := time.Now().Add(10 * time.Second)
	var first, last time.Time
	for time.Now().Before(deadline) {
		if hear(t, to, 50*time.Millisecond) != "" {
			last = time.Now()
			if got++; got == 1 {
				first = last
			}
		}
		now := upward(t, w)
		passed := n - (now.lost - before.lost) - (now.full - before.full) + (now.doubled - before.doubled)
		if now.frames-before.frames == n && got == passed {
			return got, last.Sub(first)
		}
	}
	t.Fatalf("%d of %d datagrams came; before %+v, after %+v", got, n, before, upward(t, w))
	return 0, 0
}

func TestWire(t *testing.T) {
	t.Parallel()
	l := build(t, "pt2_")
	server := newEcho(t, l, SFU, "203.0.113.10:7001")
	sink := udp(t, l, SFU, "203.0.113.10:7002")
	client := udp(t, l, ClientA, "10.1.0.2:0")
	const seed = 42
	w, err := l.Wire(t.Context(), A, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		ask(t, client, server) // over the plain cable
	})
	ask(t, client, server) // and ARP is done

	// In order: each part needs the counters to itself.
	t.Run("loss", func(t *testing.T) {
		control(t, w, "up loss=30")
		before, got := upward(t, w), 0
		for range 20 {
			n, _ := flood(t, w, client, sink, 50, 100)
			got += n
		}
		simulated := set(t, seed, "loss=30")
		decisions(simulated, 1000) // the same draws, for loss alone draws
		if lost := upward(t, w).lost - before.lost; lost != int(simulated.lost) || got != 1000-lost || lost < 200 || lost > 400 {
			t.Errorf("%d of 1000 came, %d counted as lost, %d by the seed", got, lost, simulated.lost)
		}
	})
	t.Run("delay", func(t *testing.T) {
		control(t, w, "both clean")
		trip := func() time.Duration {
			best := time.Hour
			for range 5 {
				start := time.Now()
				ask(t, client, server)
				best = min(best, time.Since(start))
			}
			return best
		}
		plain := trip()
		control(t, w, "up delay=40ms")
		control(t, w, "down delay=60ms")
		if delayed := trip(); delayed < 99*time.Millisecond || delayed-plain > 200*time.Millisecond {
			t.Errorf("a round trip takes %v, without delay %v", delayed, plain)
		}
	})
	t.Run("rate", func(t *testing.T) {
		control(t, w, "both clean")
		control(t, w, "up rate=1e6 queue=2s")
		const n, size = 60, 1000
		got, took := flood(t, w, client, sink, n, size)
		rate := float64((got-1)*(size+42)*8) / took.Seconds() // IPv4, UDP and Ethernet headers are 42 bytes
		if got != n || rate < 0.6e6 || rate > 1.5e6 {
			t.Errorf("%d of %d datagrams came at %.0f bit/s", got, n, rate)
		}
	})
	t.Run("queue", func(t *testing.T) {
		control(t, w, "both clean")
		control(t, w, "up rate=100e3 queue=200ms") // a frame takes 83 ms
		if got, _ := flood(t, w, client, sink, 60, 1000); got < 3 || got > 12 {
			t.Errorf("%d of 60 datagrams passed a queue of 3", got)
		}
	})
	t.Run("duplicate", func(t *testing.T) {
		control(t, w, "both clean")
		control(t, w, "up duplicate=100")
		if got, _ := flood(t, w, client, sink, 50, 100); got != 100 {
			t.Errorf("%d datagrams came of 50 doubled", got)
		}
	})
	t.Run("unplugged", func(t *testing.T) {
		control(t, w, "both clean")
		for _, state := range []string{"down", "up"} {
			if err := l.ip(t.Context(), "-n "+l.Namespace(NATA)+" link set lan "+state); err != nil {
				t.Fatal(err)
			}
			if state == "down" {
				before := upward(t, w)
				for range 5 {
					say(t, client, "x", server.LocalAddr().String())
				}
				deadline := time.Now().Add(5 * time.Second)
				for now := before; now.frames-before.frames < 5 || now.lost-before.lost < 5; now = upward(t, w) {
					if time.Now().After(deadline) {
						t.Fatalf("frames to an interface that is down: before %+v, after %+v", before, now)
					}
					runtime.Gosched()
				}
			}
		}
		ask(t, client, server)
	})
}

func TestWireCloseIsIdempotent(t *testing.T) {
	t.Parallel()
	l := build(t, "pt3_")
	ctx, cancel := context.WithCancel(t.Context())
	w, err := l.Wire(ctx, B, 1)
	cancel() // bounds the making only
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := l.Wire(ctx, B, 1); err == nil {
		t.Error("made after the context's end")
	}
}

func TestFramesGoOutInOrder(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	var waiting frames
	for order := range uint64(1000) {
		heap.Push(&waiting, frame{at: epoch.Add(time.Duration(rng.IntN(50))), order: order})
	}
	last := heap.Pop(&waiting).(frame)
	for waiting.Len() > 0 {
		f := heap.Pop(&waiting).(frame)
		if f.at.Before(last.at) || f.at.Equal(last.at) && f.order < last.order {
			t.Fatalf("%v, %d after %v, %d", f.at, f.order, last.at, last.order)
		}
		last = f
	}
}

// unwired is a wire that can be controlled, without a lab.
func unwired() *Wire { return &Wire{up: newLane(nil, nil, 1), down: newLane(nil, nil, 2)} }

func TestControl(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text     string
		up, down float64 // loss
		fails    bool
	}{
		{text: ""},
		{text: "up"},
		{text: "up loss=1", up: 1},
		{text: " down\t loss=2  burst=3\r", down: 2},
		{text: "both loss=3", up: 3, down: 3},
		{text: "both loss=3 loss=x", fails: true},
		{text: "sideways loss=1", fails: true},
		{text: "loss=1", fails: true},
		{text: "UP loss=1", fails: true},
	} {
		w := unwired()
		answer, err := w.Control(test.text)
		if (err != nil) != test.fails || w.up.line.Loss != test.up || w.down.line.Loss != test.down {
			t.Errorf("%q: %v, loss up %v, down %v", test.text, err, w.up.line.Loss, w.down.line.Loss)
		}
		const want = "up frames=0 lost=0 full=0 doubled=0; down frames=0 lost=0 full=0 doubled=0"
		if !test.fails && answer != want {
			t.Errorf("%q: answer %q", test.text, answer)
		}
	}
}

// FuzzControl: a line is taken for the directions it names, or refused and changes neither.
func FuzzControl(f *testing.F) {
	for _, seed := range []string{
		"", "up", "both clean", "down delay=50ms jitter=5ms loss=2 burst=4", "up rate=1e6 queue=300ms duplicate=1 reorder=1",
		"up loss=1\x00", "both\tloss=1", "up rate=1e-300", "nowhere loss=1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w := unwired()
		answer, err := w.Control(text)
		up, down := w.up.line.Impairment, w.down.line.Impairment
		clean := Impairment{}
		switch words := strings.Fields(text); {
		case err != nil:
			if up != clean || down != clean || answer != "" {
				t.Fatalf("%q: refused with %v, but answers %q and is %+v, %+v", text, err, answer, up, down)
			}
		case strings.Count(answer, "frames=0") != 2 || strings.Contains(answer, "\n"):
			t.Fatalf("%q: answer %q", text, answer)
		case len(words) > 0 && words[0] == "both":
			if up != down {
				t.Fatalf("%q: up %+v, down %+v", text, up, down)
			}
		case up != clean && words[0] != "up" || down != clean && words[0] != "down":
			t.Fatalf("%q: up %+v, down %+v", text, up, down)
		}
	})
}
