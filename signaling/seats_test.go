package signaling

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/parley/parley/signaling/token"
)

// seatFor signs a token for room "a".
func seatFor(t *testing.T, identity string, can ...token.Permission) string {
	t.Helper()
	signed, err := token.Sign(secret, token.Claims{Room: "a", Identity: identity, Can: can, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// One token cannot fill a room: its identity has four seats, and a host has one even in a room that is full.
func TestSeatsOfAnIdentity(t *testing.T) {
	few := func(cfg *Config) {
		withSecret(cfg)
		cfg.Limits.Participants = 5
	}
	bubble(t, few, func(t *testing.T, r *rig) {
		eve, ann, host := seatFor(t, "eve", token.Subscribe), seatFor(t, "ann", token.Subscribe), seatFor(t, "host", token.Moderate)
		for range 4 {
			r.dial("a").join(fields{"token": eve})
		}
		fifth := r.dial("a")
		fifth.refused(codeTooManySeats, "join", fields{"token": eve})
		fifth.closedWith(closeTooManySeats)
		r.dial("a").join(fields{"token": ann})
		r.dial("a").refused(codeRoomFull, "join", fields{"token": seatFor(t, "ben", token.Subscribe)})
		for range 6 {
			r.dial("a").join(fields{"token": host})
		}
		if got := r.srv.Stats().Unseated["identity"]; got != 1 {
			t.Errorf("%d refused for their identity", got)
		}
	})
}

// One address, or a /64, has so many seats on the whole server, and gets them back.
func TestSeatsOfAnAddress(t *testing.T) {
	few := func(cfg *Config) { cfg.Limits.SeatsPerAddress = 2 }
	bubble(t, few, func(t *testing.T, r *rig) {
		dial := func(room, from string) *client {
			c := &client{t: t, rig: r, room: room, from: netip.MustParseAddr(from)}
			c.connect("")
			return c
		}
		first := dial("a", "2001:db8::1")
		first.join(nil)
		dial("b", "2001:db8::2").join(nil)
		third := dial("c", "2001:db8::3")
		third.refused(codeTooManySeats, "join", nil)
		third.closedWith(closeTooManySeats)
		dial("a", "2001:db8:0:1::3").join(nil)
		dial("a", "192.0.2.1").join(nil)
		for i := range 5 {
			r.joined(fmt.Sprint("d", i), "Ann", 0) // of no address
			dial("e", "127.0.0.1").join(nil)
		}
		first.closePage()
		again := dial("c", "2001:db8::3")
		again.join(nil)
		again.closePage()
		dial("c", "2001:db8::3").refused(codeBadName, "join", fields{"name": "\x00"})
		dial("c", "2001:db8::3").join(nil)
		if got := r.srv.Stats().Unseated["address"]; got != 1 {
			t.Errorf("%d refused for their address", got)
		}
	})
}

// Who comes back while the old session is away takes its seat, media and all; also where it seems that there is none left.
func TestSeatOfAGhost(t *testing.T) {
	one := func(cfg *Config) { cfg.Limits = Limits{SeatsPerIdentity: 1, Participants: 2} }
	bubble(t, one, func(t *testing.T, r *rig) {
		ann, ben := r.dial("a"), r.joined("a", "Ben", 1)
		ann.join(fields{"identity": "ann", "media": offer(1)})
		ann.must("publish", fields{"kind": "camera"})
		defer ben.keepAlive()()
		ben.events()
		second := r.dial("a")
		second.refused(codeTooManySeats, "join", fields{"identity": "ann"})
		ann.cut()
		time.Sleep(2 * time.Second)
		back := r.dial("a")
		back.join(fields{"identity": "ann"})
		if got := fmt.Sprint(types(ben.events())); got != "[updated left joined]" {
			t.Errorf("Ben was told %s", got)
		}
		if !r.media.peer(ann.me).closed {
			t.Error("the ghost's media goes on")
		}
		if got := len(r.snapshot("a").Participants); got != 2 {
			t.Errorf("%d participants", got)
		}
		if reply := ann.resume(ann.position()); reply["code"] != string(codeSessionGone) {
			t.Errorf("%v", reply)
		}
		if got := r.srv.Stats().Replaced; got != 1 {
			t.Errorf("%d replaced", got)
		}
	})
}

// Who was alone and takes over the own seat finds the room as it was: its bans, its lock, its chat.
func TestHeirFindsTheRoomAsItWas(t *testing.T) {
	one := func(cfg *Config) {
		withSecret(cfg)
		cfg.Limits = Limits{SeatsPerIdentity: 1}
	}
	bubble(t, one, func(t *testing.T, r *rig) {
		host, eve := r.dial("a"), r.dial("a")
		host.join(r.joinAs("host", token.Moderate, token.Message))
		eve.join(r.joinAs("eve", token.Message))
		host.must("chat", fields{"text": "hello"})
		host.must("moderate", fields{"action": "remove", "participant": eve.me})
		host.must("moderate", fields{"action": "lock"})
		host.cut()
		time.Sleep(2 * time.Second)
		back := r.dial("a")
		back.join(r.joinAs("host", token.Moderate, token.Message))
		if got := back.welcome["messages"].([]any); len(got) != 1 {
			t.Errorf("%d messages", len(got))
		}
		if room := back.welcome["room"].(map[string]any); room["locked"] != true {
			t.Error("the lock is gone")
		}
		r.dial("a").refused(codeBanned, "join", r.joinAs("eve", token.Message))
	})
}

// Who comes back sooner than the room has seen that he was gone takes over, too: then it is the ghost that goes.
func TestGhostOfOneWhoIsBack(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		phone, ann, ben := r.dial("a"), r.dial("a"), r.joined("a", "Ben", 0)
		phone.join(fields{"identity": "ann"})
		ann.join(fields{"identity": "ann"})
		defer ben.keepAlive()()
		defer phone.keepAlive()()
		stop := ann.keepAlive()
		time.Sleep(10 * time.Second)
		stop()
		time.Sleep(100 * time.Millisecond)
		back := r.dial("a")
		back.join(fields{"identity": "ann"})
		defer back.keepAlive()()
		ben.events()
		time.Sleep(7 * time.Second)
		left := ben.event("left")
		if left["participant"] != ann.me || left["reason"] != "replaced" {
			t.Errorf("%v", left)
		}
		ann.closedWith(closeReplaced)
		if got := len(r.snapshot("a").Participants); got != 3 {
			t.Errorf("%d participants", got)
		}
	})
}

func types(events []map[string]any) []string {
	out := []string{}
	for _, e := range events {
		out = append(out, e["type"].(string))
	}
	return out
}
