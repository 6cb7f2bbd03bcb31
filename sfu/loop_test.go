package sfu

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/pion/rtp"
)

// TestGroupsShareLoops guards that a loop lives as long as its group has peers, and that "" is nobody's group.
func TestGroupsShareLoops(t *testing.T) {
	t.Parallel()
	ls := newLoops(nil)
	a, b, other := ls.join("a"), ls.join("a"), ls.join("b")
	lone, alone := ls.join(""), ls.join("")
	if a != b || a == other || lone == alone {
		t.Fatal("loops are not by group")
	}
	ls.leave(a)
	if ls.join("a") != a {
		t.Error("a group with peers in it lost its loop")
	}
	for range 2 {
		ls.leave(a)
	}
	if len(ls.byGroup) != 1 {
		t.Errorf("%d loops are left, not b's alone", len(ls.byGroup))
	}
}

// TestGroupsSeeEachOther forwards between peers of different groups, in both directions at once: no loop waits for the other.
func TestGroupsSeeEachOther(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	a := join(t, n, "a", browserConfig{slots: 1, group: "one"})
	b := join(t, n, "b", browserConfig{slots: 1, group: "two"})
	sa, err := a.peer.Publish(Camera, false)
	must(t, err)
	sb, err := b.peer.Publish(Camera, false)
	must(t, err)
	must(t, a.peer.Show([]SlotView{{Video: sb, Width: 640, Height: 360}}))
	must(t, b.peer.Show([]SlotView{{Video: sa, Width: 640, Height: 360}}))
	a.sendMedia('a')
	b.sendMedia('b')
	eventually(t, "pictures both ways", func() bool {
		return len(a.videoPackets(0)) > 100 && len(b.videoPackets(0)) > 100
	})
}

// countingEgress takes every packet.
type countingEgress struct{ n int }

func (c *countingEgress) WriteRTP(_ *rtp.Header, payload []byte) (int, error) {
	c.n++
	return len(payload), nil
}

// TestLoopsDoNotWaitForEachOther runs two loops that post to each other, from several threads.
func TestLoopsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	loops := [2]*loop{{}, {}}
	var out [2]countingEgress
	var lines [2]*Line
	for i := range lines { // line i is in loop i and shows something of the other
		lines[i] = NewLine(LineConfig{SSRC: 1, Egress: &out[i], loop: loops[i]})
		lines[i].from = loops[1-i]
	}
	const threads, rounds = 4, 2000
	var wg sync.WaitGroup
	for range threads {
		for i := range loops {
			wg.Go(func() {
				for range rounds {
					loops[i].Lock()
					_, err := lines[1-i].from.post(loops[1-i], lines[1-i], &rtp.Header{Version: 2}, []byte("x"))
					loops[i].Unlock()
					if err != nil {
						t.Errorf("post: %v", err)
						return
					}
				}
			})
		}
	}
	wg.Wait()
	if out[0].n != threads*rounds || out[1].n != threads*rounds {
		t.Errorf("%d and %d packets came, not %d", out[0].n, out[1].n, threads*rounds)
	}
}

// TestPostTellsTheResult guards that a sink learns what became of its packet, one packet later, and that an inbox is bounded.
func TestPostTellsTheResult(t *testing.T) {
	t.Parallel()
	from, to := &loop{}, &loop{}
	line := NewLine(LineConfig{SSRC: 1, Egress: deadEgress{}, loop: to})
	post := func() error {
		from.Lock()
		defer from.Unlock()
		_, err := from.post(to, line, &rtp.Header{}, []byte("x"))
		return err
	}
	if err := post(); err != nil {
		t.Errorf("the first packet: %v", err)
	}
	if err := post(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the second packet: %v", err)
	}
	for i := range maxPosted + 1 {
		if ok := to.incoming.put(line, &rtp.Header{}, []byte(fmt.Sprint(i))); ok != (i < maxPosted) {
			t.Fatalf("packet %d: %v", i, ok)
		}
	}
}

// deadEgress takes nothing.
type deadEgress struct{}

func (deadEgress) WriteRTP(*rtp.Header, []byte) (int, error) { return 0, net.ErrClosed }
