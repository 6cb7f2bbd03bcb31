package turn

import (
	"testing"
	"time"
)

// TestPanicEndsOneClient: a mistake of ours in the midst of a client's packet ends that client alone.
func TestPanicEndsOneClient(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			echo := newEcho(t, "127.0.0.1:0")
			ann, bob := relayOf(t, r.client(t, network, "ann")), relayOf(t, r.client(t, network, "bob"))
			roundTrip(t, ann, echo.LocalAddr(), "before")
			roundTrip(t, bob, echo.LocalAddr(), "before")
			r.clock.fail()
			if _, err := ann.WriteTo([]byte("the last"), echo.LocalAddr()); err != nil {
				t.Fatal(err)
			}
			eventually(t, "her relay has ended", func() bool { return r.Stats().Allocations == 1 && r.Stats().Panics == 1 })
			roundTrip(t, bob, echo.LocalAddr(), "bob goes on")
		})
	}
}

// TestPanicOfAReader: the same where a peer's packet is what it meets.
func TestPanicOfAReader(t *testing.T) {
	t.Parallel()
	echo := newEcho(t, "127.0.0.1:0")
	r := newRig(t, nil)
	c := r.raw(t, r.Credentials(User{Session: "ann"}, time.Now()))
	if got := code(c.allocate()); got != 0 {
		t.Fatalf("allocate: %d", got)
	}
	if got := code(permission("127.0.0.1:0")(c)); got != 0 {
		t.Fatalf("permission: %d", got)
	}
	a := r.relays.all()[0]
	r.clock.fail()
	if _, err := echo.WriteTo([]byte("hello"), a.conn.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the allocation has ended", func() bool { return r.Stats().Allocations == 0 && r.Stats().Panics == 1 })
	if got := code(c.allocate()); got != 0 {
		t.Errorf("the next allocation: %d", got)
	}
}
