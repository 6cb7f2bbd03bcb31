package signaling

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/token"
)

// rest lets time pass while these keep their connections.
func rest(d time.Duration, clients ...*client) {
	for ; d > 0; d -= 4 * time.Second {
		time.Sleep(min(d, 4*time.Second))
		for _, c := range clients {
			c.send(`{"type":"ping"}`)
		}
	}
}

// dialFrom is dial from an address.
func (r *rig) dialFrom(address string) *client {
	r.t.Helper()
	c := &client{t: r.t, rig: r, room: "a", from: netip.MustParseAddr(address)}
	c.connect("")
	return c
}

// Nobody waits for ever: after timing.waiting he is told so, also when he comes back a little later for the answer.
func TestWaitingEnds(t *testing.T) {
	bubble(t, func(c *Config) { withSecret(c); c.Timing.Waiting = time.Minute }, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		bob, _ := r.knocks(r.guest("bob", "i", true))
		cem, place := r.knocks(r.guest("cem", "i", true))
		rest(56*time.Second, host, bob, cem)
		cem.cut()
		rest(5*time.Second, host, bob)
		bob.closedWith(closeWaitingTimeout)
		if m := bob.told("error"); m["code"] != string(codeWaitingTimeout) {
			t.Errorf("%v", m)
		}
		cem.connect("")
		cem.must("knock", fields{"knock": place["knock"], "secret": place["secret"]})
		cem.closedWith(closeWaitingTimeout)
		for _, e := range host.events("knock_ended") {
			if e["reason"] != "timeout" || e["by"] != nil {
				t.Errorf("%v", e)
			}
		}
		if s := r.srv.Stats(); s.Waiting != 0 || s.Knocks["timeout"] != 2 {
			t.Errorf("%d wait, %v", s.Waiting, s.Knocks)
		}
		r.knocks(r.guest("bob", "i", true)) // and may knock again
	})
}

// Who was let in must come within the time for a join; the decision stands.
func TestAdmittedMustJoin(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		bob, place := r.knocks(r.guest("bob", "i", true))
		rest(30*time.Second, host, bob)
		host.must("moderate", fields{"action": "admit"})
		rest(21*time.Second, host, bob)
		bob.closedWith(closeJoinTimeout)
		bob.connect("")
		bob.must("knock", fields{"knock": place["knock"], "secret": place["secret"]})
		bob.comesIn()
	})
}

// A connection that is dead, and not known to be, does not swallow the decision; the one that takes its place ends it.
func TestDecisionOverDeadConnection(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		for _, admit := range []bool{true, false} {
			bob, place := r.knocks(r.guest(fmt.Sprint("bob", admit), "i", true))
			release := bob.pipe.stall()
			action := map[bool]string{true: "admit", false: "decline"}[admit]
			host.must("moderate", fields{"action": action, "knock": place["knock"]})
			old := bob.pipe
			bob.connect("")
			again := bob.must("knock", fields{"knock": place["knock"], "secret": place["secret"]})
			if again["knock"] != place["knock"] {
				t.Errorf("%v", again)
			}
			release()
			if admit {
				bob.comesIn()
			} else {
				bob.closedWith(closeDeclined)
			}
			<-old.closed
		}
	})
}

// Of two connections with one knock the newer has it.
func TestTakeUpReplaces(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		bob, place := r.knocks(r.guest("bob", "i", true))
		second := r.dial("a")
		second.must("knock", fields{"knock": place["knock"], "secret": place["secret"]})
		bob.closedWith(closeReplaced)
		if s := r.srv.Stats(); s.Waiting != 1 {
			t.Errorf("%d wait", s.Waiting)
		}
		host.must("moderate", fields{"action": "admit"})
		second.comesIn()
		// A place that was used is no place any more, nor is one with somebody else's secret or in another room.
		cem, other := r.knocks(r.guest("cem", "i", true))
		for _, c := range []struct {
			room string
			f    fields
		}{
			{"a", fields{"knock": place["knock"], "secret": place["secret"]}},
			{"a", fields{"knock": other["knock"], "secret": place["secret"]}},
			{"a", fields{"knock": place["knock"], "secret": other["secret"]}},
			{"b", fields{"knock": other["knock"], "secret": other["secret"]}},
			{"a", fields{"knock": other["knock"], "secret": "é"}},
		} {
			thief := r.dial(c.room)
			thief.refused(codeSessionGone, "knock", c.f)
			thief.must("knock", map[bool]fields{true: r.guest("dan", "i", true), false: r.passIn(c.room)}[c.room == "a"]) // the connection is as good as new
			thief.closePage()
		}
		if !cem.isOpen() {
			t.Error("lost his place")
		}
	})
}

func (r *rig) passIn(room string) fields {
	return fields{"token": passFor(r.t, token.Claims{Room: room, Identity: "x", Can: guestMay, Knock: true, Expires: time.Now().Add(time.Hour)})}
}

// Who is removed while he waits, as somebody else in the room or by his invitation, is told so, and is not there to be let in.
func TestBannedWhileWaiting(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		eve := r.dial("a")
		eve.join(r.guest("eve", "i", false))
		again, place := r.knocks(r.guest("eve", "other", true))
		// Eve was in, so she need not knock: her second tab is admitted at once, and does not join.
		if again.told("admitted") == nil {
			t.Fatal("asked about somebody who is in")
		}
		other, _ := r.knocks(r.guest("someone", "i", true))
		bystander, _ := r.knocks(r.guest("bob", "k", true))
		host.must("moderate", fields{"action": "remove", "participant": eve.me})
		if m := other.told("error"); m["code"] != string(codeInvitationClosed) {
			t.Errorf("%v", m)
		}
		other.closedWith(closeBanned)
		if !bystander.isOpen() || bystander.told("error") != nil {
			t.Error("somebody else is out")
		}
		again.refused(codeBanned, "join", fields{"token": again.told("admitted")["token"]})
		again.closedWith(closeBanned)
		host.refused(codeNoKnock, "moderate", fields{"action": "admit", "knock": place["knock"]})
		if n := r.srv.Stats().Waiting; n != 1 {
			t.Errorf("%d wait", n)
		}
	})
}

// A decline holds for the identity and for the address, but not for this machine's.
func TestDeclineHolds(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		for address, held := range map[string]bool{"198.51.100.7": true, "2001:db8::1": true, "127.0.0.1": false, "::1": false} {
			bob := r.dialFrom(address)
			bob.must("knock", r.guest("bob"+address, "i", true))
			host.must("moderate", fields{"action": "decline"})
			bob.closedWith(closeDeclined)
			other := r.dialFrom(address)
			m := other.ask("knock", r.guest("cem"+address, "i", true))
			if got := m["code"] == string(codeDeclined); got != held {
				t.Errorf("%s: %v", address, m)
			}
			same := r.dialFrom("203.0.113.9")
			same.refused(codeDeclined, "knock", r.guest("bob"+address, "i", true))
			host.must("moderate", fields{"action": "decline"})
		}
		near := r.dialFrom("2001:db8::2")
		near.refused(codeDeclined, "knock", r.guest("dan", "i", true))
		rest(time.Minute, host)
		back := r.dialFrom("198.51.100.7")
		back.must("knock", r.guest("bob198.51.100.7", "i", true))
		rm := r.srv.lookup("a")
		rm.mu.Lock()
		if n := len(rm.porch.declined); n != 0 {
			t.Errorf("%d declines are remembered for ever", n)
		}
		rm.mu.Unlock()
	})
}

// Who knocks and goes, again and again, from one address or from many, is slowed down, and told for how long.
func TestKnocksAreSlowed(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		knock := func(address string, i int) map[string]any {
			c := r.dialFrom(address)
			defer c.closePage()
			return c.ask("knock", r.guest(fmt.Sprint("g", i), "i", true))
		}
		taken := 0
		var wait float64
		for i := range 20 {
			m := knock("198.51.100.7", i)
			if m["type"] == "waiting" {
				taken++
			} else if wait, _ = m["retry_ms"].(float64); m["code"] != string(codeRateLimited) || wait <= 0 {
				t.Errorf("%v", m)
			}
		}
		if taken != 5 {
			t.Errorf("%d of 20 from one address", taken)
		}
		rest(time.Duration(wait)*time.Millisecond, host)
		if m := knock("198.51.100.7", 0); m["type"] != "waiting" {
			t.Errorf("after the wait: %v", m)
		}
		taken = 0
		for i := range 300 {
			if m := knock(fmt.Sprintf("203.0.%d.%d", i/200, i%200), i); m["type"] == "waiting" {
				taken++
			}
		}
		if taken < 90 || taken > 110 {
			t.Errorf("%d of 300 from everywhere", taken)
		}
		if n := len(host.events("knocking", "knock_ended")); n > 250 || !host.isOpen() {
			t.Errorf("the moderator is told %d things", n)
		}
		rest(2*time.Minute, host)
		rm := r.srv.lookup("a")
		rm.mu.Lock()
		defer rm.mu.Unlock()
		if n := len(rm.porch.callers); n != 0 {
			t.Errorf("%d addresses are remembered for ever", n)
		}
	})
}

// What a moderator allowed one person is not another's: the admitted connection joins as who knocked, or as somebody who needs nothing.
func TestAdmissionIsNotForOthers(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		bob, _ := r.knocks(r.guest("bob", "i", true))
		host.must("moderate", fields{"action": "admit"})
		bob.refused(codeMustKnock, "join", r.guest("eve", "i", true))
		bob.comesIn()

		// A token without a name of its own is let in on its connection alone.
		nobody := fields{"token": passFor(t, token.Claims{Room: "a", Can: guestMay, Knock: true, Expires: time.Now().Add(time.Hour)})}
		cem, _ := r.knocks(nobody)
		host.must("moderate", fields{"action": "admit"})
		cem.join(nobody) // without the token that it was given
		r.dial("a").refused(codeMustKnock, "join", nobody)
	})
}

// Without a secret everybody names himself, and so enters no locked room by the name of one who was let in.
func TestLockedRoomOfAnyone(t *testing.T) {
	bubble(t, anyone(false), func(t *testing.T, r *rig) {
		host := r.joined("a", "Host", 0)
		host.must("moderate", fields{"action": "lock"})
		bob := r.dial("a")
		bob.refused(codeRoomLocked, "join", fields{"identity": "bob"})
		bob = r.dial("a")
		bob.must("knock", fields{"identity": "bob", "name": "Bob"})
		host.must("moderate", fields{"action": "admit"})
		bob.comesIn()
		if p := r.snapshot("a").Participants[1]; p.Identity != "bob" {
			t.Errorf("%+v", p)
		}
		r.dial("a").refused(codeRoomLocked, "join", fields{"identity": "bob"})
		pass := bob.welcome["token"]
		bob.closePage()
		bob = r.dial("a")
		bob.join(fields{"token": pass}) // reloads his page
	})
}

// Who gives up waiting for an open room, or is in anyhow, waits no more.
func TestJoinEndsKnock(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		bob, _ := r.knocks(r.guest("bob", "i", true))
		bob.join(r.joinAs("bob", token.Message)) // another token, that needs no answer
		e := host.event("knock_ended")
		if e["reason"] != "admitted" || e["by"] != nil {
			t.Errorf("%v", e)
		}
		if n := r.srv.Stats().Waiting; n != 0 {
			t.Errorf("%d wait", n)
		}
		bob.must("chat", fields{"text": "hello"})
		cem, _ := r.knocks(r.guest("cem", "i", true))
		cem.send(`{"type":"leave"}`)
		cem.closedWith(closeNormal)
		dan, _ := r.knocks(r.guest("dan", "i", true))
		dan.send("rubbish")
		dan.closedWith(closeBadMessage)
		for _, e := range host.events("knock_ended") {
			if e["reason"] != "left" {
				t.Errorf("%v", e)
			}
		}
	})
}

// A shutdown tells who waits to come back; the successor knows no place of before, and gives a new one for the same token.
func TestWaitingOverRestart(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		r.in("host", token.Moderate)
		pass := r.guest("bob", "i", true)
		bob, place := r.knocks(pass)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := r.srv.Shutdown(ctx); err != nil {
			t.Fatal(err)
		}
		bob.closedWith(closeDraining)
		next := newRig(t, withSecret)
		defer next.shutdown()
		host := next.in("host", token.Moderate)
		back := next.dial("a")
		back.refused(codeSessionGone, "knock", fields{"knock": place["knock"], "secret": place["secret"]})
		if again := back.must("knock", pass); again["knock"] == place["knock"] {
			t.Errorf("%v", again)
		}
		host.must("moderate", fields{"action": "admit"})
		back.comesIn()
	})
}

// Moderators decide at the same time as those who wait come back, leave and are shown out. Every knock ends once, and nothing is left.
func TestDecideRaces(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) {
		withSecret(c)
		c.Limits.Waiting, c.Limits.WaitingPerAddress = 1000, 1000
	})
	defer r.shutdown()
	var all sync.WaitGroup
	send := func(l *Link, m fields) {
		raw, err := json.Marshal(m)
		if err != nil {
			t.Error(err)
		}
		l.Receive(raw)
	}
	open := func() (*Link, *pipe) {
		p := newPipe()
		l, err := r.srv.Open("a", "", netip.Addr{}, p)
		if err != nil {
			t.Error(err)
		}
		return l, p
	}
	var links []*Link
	for i := range 3 {
		l, _ := open()
		links = append(links, l)
		f := r.joinAs(fmt.Sprint("host", i), token.Moderate)
		f["type"], f["id"] = "join", 1
		send(l, f)
	}
	const knocks = 100
	for i := range knocks {
		l, p := open()
		links = append(links, l)
		f := r.guest(fmt.Sprint("g", i), "i", true)
		f["type"], f["id"] = "knock", 1
		send(l, f)
		all.Go(func() {
			switch i % 4 {
			case 0:
				l.End(true)
			case 1:
				l.End(false)
			case 2:
				var w fields
				for w == nil {
					<-p.news
					p.mu.Lock()
					_ = json.Unmarshal(p.msgs[0], &w)
					p.mu.Unlock()
				}
				again, _ := open()
				send(again, fields{"type": "knock", "id": 1, "knock": w["knock"], "secret": w["secret"]})
				again.End(true)
			default:
				send(l, fields{"type": "leave"})
			}
		})
		if i%10 == 0 {
			for j, action := range []string{"admit", "decline", "admit"} {
				host := links[j]
				all.Go(func() { send(host, fields{"type": "moderate", "id": i + 2, "action": action}) })
			}
		}
	}
	all.Wait()
	r.srv.Decide("a", "", false, "program")
	for _, l := range links {
		l.End(true)
	}
	ended := uint64(0)
	s := r.srv.Stats()
	for _, how := range []knockEnd{knockAdmitted, knockDeclined, knockLeft, knockTimeout} {
		ended += s.Knocks[string(how)]
	}
	if ended != knocks {
		t.Errorf("%d knocks ended %d times: %v", knocks, ended, s.Knocks)
	}
}

// Over HTTP another decides: nobody in the room did, and all at once.
func TestDecideFromOutside(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		if r.srv.Decide("a", "", true, "program") || len(r.srv.Waiting("a")) != 0 {
			t.Error("there is somebody in no room")
		}
		bob, place := r.knocks(r.guest("bob", "i", true)) // nobody is in the room at all
		if list := r.srv.Waiting("a"); len(list) != 1 || list[0].Identity != "bob" || !list[0].Guest {
			t.Errorf("%+v", list)
		}
		if !r.srv.Decide("a", place["knock"].(string), true, "program") || r.srv.Decide("a", place["knock"].(string), false, "program") {
			t.Error("decided twice, or not at all")
		}
		bob.comesIn() // and opens the room: who was let in may
		host := r.in("host", token.Moderate)
		cem, _ := r.knocks(r.guest("cem", "i", true))
		r.srv.Decide("a", "", false, "program")
		cem.closedWith(closeDeclined)
		if e := host.event("knock_ended"); e["by"] != nil {
			t.Errorf("%v", e)
		}
	})
}

// A watcher who may moderate has a snapshot with who waits, at a position that moves with it; others' does not even move.
func TestFeedOfWhoWaits(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		r.in("host", token.Moderate)
		feed, err := r.srv.Feed("a")
		if err != nil {
			t.Fatal(err)
		}
		defer feed.Release()
		public, at := feed.Snapshot()
		cursor, err := feed.Log().Follow(at, eventlog.Watcher().Moderating())
		if err != nil {
			t.Fatal(err)
		}
		defer cursor.Close()
		_, _ = r.knocks(r.guest("bob", "i", true))
		again, still := feed.Snapshot()
		if still != at || &again[0] != &public[0] {
			t.Error("the public snapshot was made anew")
		}
		full, moved := feed.FullSnapshot()
		var s Snapshot
		if err := json.Unmarshal(full, &s); err == nil {
			t.Error("a position can be read back: compare it here")
		}
		var w struct{ Waiting []Knock }
		if err := json.Unmarshal(full, &w); err != nil || len(w.Waiting) != 1 || moved == at {
			t.Errorf("%s at %v, %v", full, moved, err)
		}
		if twice, _ := feed.FullSnapshot(); &twice[0] != &full[0] {
			t.Error("encoded twice for one position")
		}
		entries, err := cursor.Next(nil)
		if err != nil || len(entries) != 1 || entries[0].Type != "knocking" {
			t.Errorf("%v, %v", entries, err)
		}
		if s := r.srv.Stats(); s.Watchers != 1 || s.Waiting != 1 {
			t.Errorf("%d watch, %d wait", s.Watchers, s.Waiting)
		}
	})
}

// A name that looks like a moderator's is marked whenever it comes to: by a join, a new name, a promotion; and no longer than it does.
func TestLikenessFollows(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		eve := r.in("Аnn Lee", token.Message) // Cyrillic
		like := func() string { return r.snapshot("a").Participants[0].Like }
		if like() != "" {
			t.Error("like nobody's")
		}
		ann := r.in("Ann Lee", token.Moderate)
		if u := eve.events("updated"); like() != ann.me || len(u) != 1 || u[0]["participant"].(map[string]any)["like"] != ann.me {
			t.Errorf("%q, %v", like(), u)
		}
		ann.must("update", fields{"name": "Beth"})
		if like() != "" {
			t.Error("still like one who has another name")
		}
		eve.must("update", fields{"name": "8eth"})
		ann.must("update", fields{"name": "8 e t h"})
		if like() != ann.me {
			t.Error("not like the new name")
		}
		phone := r.in("Ann Lee", token.Message) // the moderator's own, without the permission
		phone.must("update", fields{"name": "8eth"})
		if p := r.snapshot("a").Participants; p[2].Like != "" {
			t.Errorf("like oneself: %+v", p[2])
		}
		ann.closePage()
		if like() != "" {
			t.Error("like one who is gone")
		}
		if !slices.ContainsFunc(r.snapshot("a").Participants, func(p Participant) bool { return p.ID == phone.me }) {
			t.Error("the phone is gone, too")
		}
	})
}
