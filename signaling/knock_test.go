package signaling

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley/parley/signaling/token"
)

var guestMay = []token.Permission{token.Publish, token.Subscribe, token.Message, token.Watch}

// pass as a guest has it; knocking or not.
func (r *rig) guest(identity, invitation string, knocks bool) fields {
	r.t.Helper()
	return fields{"token": passFor(r.t, token.Claims{
		Room: "a", Identity: identity, Name: identity, Can: guestMay, Guest: true, Knock: knocks, Invitation: invitation,
		Expires: time.Now().Add(time.Hour),
	})}
}

// knocks dials and knocks, and returns what it is told.
func (r *rig) knocks(f fields) (*client, map[string]any) {
	r.t.Helper()
	c := r.dial("a")
	waiting := c.must("knock", f)
	if waiting["type"] != "waiting" || waiting["knock"] == "" || waiting["secret"] == "" {
		r.t.Fatalf("knock: %v", waiting)
	}
	return c, waiting
}

// told is the newest message of a type that came unasked on the present connection; nil: none.
func (c *client) told(typ string) map[string]any {
	c.t.Helper()
	synctest.Wait()
	for _, m := range slices.Backward(c.all()) {
		if m["type"] == typ && m["id"] == nil {
			return m
		}
	}
	return nil
}

// comesIn wants the client to have been admitted, and joins with the token that it was given.
func (c *client) comesIn() {
	c.t.Helper()
	m := c.told("admitted")
	if m == nil {
		c.t.Fatalf("not admitted: %v", c.all())
	}
	c.join(fields{"token": m["token"]})
}

// A guest knocks, is seen, is let in, and joins on the same connection; nobody else sees that he knocks.
func TestKnock(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host, ann := r.in("host", token.Moderate), r.in("ann", token.Message)
		early := r.dial("a")
		early.refused(codeMustKnock, "join", r.guest("bob", "i", true))
		bob, waiting := r.knocks(r.guest("bob", "i", true))
		if waiting["for"] != "moderator" {
			t.Errorf("%v", waiting)
		}
		ann.events()
		seen := host.event("knocking")["knock"].(map[string]any)
		if seen["id"] != waiting["knock"] || seen["identity"] != "bob" || seen["guest"] != true || seen["like"] != nil {
			t.Errorf("%v", seen)
		}
		second := r.in("second", token.Moderate)
		if list := second.welcome["room"].(map[string]any)["waiting"].([]any); len(list) != 1 {
			t.Errorf("a moderator who comes later sees %v", list)
		}
		if late := r.in("late", token.Message); late.welcome["room"].(map[string]any)["waiting"] != nil {
			t.Error("who may not moderate sees who knocks")
		}
		ann.refused(codeForbidden, "moderate", fields{"action": "admit", "knock": waiting["knock"]})
		for range 5 { // longer than a join may take
			time.Sleep(4 * time.Second)
			for _, c := range []*client{bob, host, second, ann} {
				c.send(`{"type":"ping"}`)
			}
		}
		host.must("moderate", fields{"action": "admit", "knock": waiting["knock"]})
		second.refused(codeNoKnock, "moderate", fields{"action": "decline", "knock": waiting["knock"]})
		over := host.event("knock_ended")
		if over["reason"] != "admitted" || over["by"] != host.me {
			t.Errorf("%v", over)
		}
		if got := ann.events("knocking", "knock_ended"); len(got) != 0 {
			t.Errorf("Ann sees %v", got)
		}
		bob.comesIn()
		if p := r.snapshot("a").Participants; !p[len(p)-1].Guest || p[0].Guest || !p[0].Moderator {
			t.Errorf("%+v", p)
		}
		bob.closePage()
		again := r.dial("a") // what he had still says that he must knock; but he was let in
		again.join(r.guest("bob", "i", true))
	})
}

func TestKnockDeclined(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		bob, _ := r.knocks(r.guest("bob", "i", true))
		host.must("moderate", fields{"action": "decline"})
		bob.closedWith(closeDeclined)
		if m := bob.told("error"); m["code"] != string(codeDeclined) || m["retry_ms"] != 60000.0 {
			t.Errorf("%v", m)
		}
		again := r.dial("a")
		if m := again.ask("knock", r.guest("bob", "i", true)); m["code"] != string(codeDeclined) || m["retry_ms"].(float64) < 1 {
			t.Errorf("%v", m)
		}
		again.closedWith(closeDeclined)
		for range 16 {
			time.Sleep(4 * time.Second)
			host.send(`{"type":"ping"}`)
		}
		r.knocks(r.guest("bob", "i", true))
		if n := r.srv.Stats().Knocks["declined"]; n != 1 {
			t.Errorf("counted %d", n)
		}
	})
}

// A connection that is lost keeps its place, and hears what was decided meanwhile; nobody else can take it up.
func TestKnockIsTakenUp(t *testing.T) {
	t.Parallel()
	for name, decided := range map[string]bool{"undecided": false, "decided": true} {
		t.Run(name, func(t *testing.T) { takenUp(t, decided) })
	}
}

func takenUp(t *testing.T, decided bool) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		bob, waiting := r.knocks(r.guest("bob", "i", true))
		bob.cut()
		if decided {
			host.must("moderate", fields{"action": "admit", "knock": waiting["knock"]})
		}
		thief := r.dial("a")
		thief.refused(codeSessionGone, "knock", fields{"knock": waiting["knock"], "secret": "guessed"})
		time.Sleep(8 * time.Second)
		host.send(`{"type":"ping"}`)
		bob.connect("")
		if again := bob.must("knock", fields{"knock": waiting["knock"], "secret": waiting["secret"]}); again["knock"] != waiting["knock"] {
			t.Errorf("%v", again)
		}
		time.Sleep(attendEvery)
		if !decided {
			var away []any
			for _, e := range host.events("knocking", "knock_ended") {
				away = append(away, e["knock"].(map[string]any)["away"])
			}
			if !slices.Equal(away, []any{nil, true, nil}) {
				t.Errorf("the moderator sees that he is away: %v", away)
			}
			host.must("moderate", fields{"action": "admit", "knock": waiting["knock"]})
		}
		bob.comesIn()
	})
}

// Who does not come back is taken off the list after the resume time; who closes the page at once.
func TestKnockEnds(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		bob, _ := r.knocks(r.guest("bob", "i", true))
		cem, gone := r.knocks(r.guest("cem", "i", true))
		bob.closePage()
		if e := host.events("knock_ended"); len(e) != 1 || e[0]["reason"] != "left" {
			t.Errorf("%v", e)
		}
		cem.cut()
		for range 8 {
			time.Sleep(4 * time.Second)
			host.send(`{"type":"ping"}`)
		}
		if e := host.events("knock_ended"); len(e) != 1 || e[0]["reason"] != "timeout" {
			t.Errorf("%v", e)
		}
		cem.connect("")
		cem.refused(codeSessionGone, "knock", fields{"knock": gone["knock"], "secret": gone["secret"]})
		if s := r.srv.Stats(); s.Waiting != 0 {
			t.Errorf("%d wait", s.Waiting)
		}
	})
}

// A guest opens no room: he waits for the host, and is in as soon as somebody has come; who must knock is then asked about.
func TestGuestWaitsForTheHost(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		early := r.dial("a")
		early.refused(codeMustKnock, "join", r.guest("bob", "i", false))
		bob, waiting := r.knocks(r.guest("bob", "i", false))
		eve, knocking := r.knocks(r.guest("eve", "k", true))
		if waiting["for"] != "host" || knocking["for"] != "host" {
			t.Errorf("%v, %v", waiting, knocking)
		}
		host := r.in("host", token.Moderate)
		bob.comesIn()
		if list := host.welcome["room"].(map[string]any)["waiting"].([]any); len(list) != 1 {
			t.Errorf("the host is asked about %v", list)
		}
		if m := eve.told("waiting"); m["for"] != "moderator" {
			t.Errorf("Eve is told %v", m)
		}
		host.closePage()
		if m := eve.told("waiting"); m["for"] != "host" {
			t.Errorf("Eve is told %v", m)
		}
		// Others come in to who is there, also without the host; and who was in opens the room again.
		cem := r.dial("a")
		cem.join(r.guest("cem", "i", false))
		renewed := cem.welcome["token"]
		bob.closePage()
		cem.closePage()
		back := r.dial("a")
		back.join(fields{"token": renewed})
	})
}

// A lock keeps out who was not in; they may knock, and come in when it is lifted.
func TestKnockAtALockedRoom(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host, ann := r.in("host", token.Moderate), r.in("ann", token.Message)
		host.must("moderate", fields{"action": "lock"})
		ann.closePage()
		r.in("ann", token.Message)
		out := r.dial("a")
		out.refused(codeRoomLocked, "join", r.joinAs("bob", token.Message))
		bob, waiting := r.knocks(r.joinAs("bob", token.Message))
		host.must("moderate", fields{"action": "admit", "knock": waiting["knock"]})
		bob.comesIn()
		cem, _ := r.knocks(r.joinAs("cem", token.Message))
		host.must("moderate", fields{"action": "unlock"})
		cem.comesIn()
		host.must("moderate", fields{"action": "lock"})
		host.must("moderate", fields{"action": "remove", "participant": cem.me, "ban": false})
		late := r.dial("a")
		late.refused(codeRoomLocked, "join", r.joinAs("cem", token.Message)) // he was shown out
	})
}

// A thousand knock: those in the room are told of as many as may wait, and go on as before.
func TestKnockedByAThousand(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host, ann := r.in("host", token.Moderate, token.Message), r.in("ann", token.Message)
		host.events()
		refused := 0
		for i := range 1000 {
			c := r.dial("a")
			c.link.from = netip.AddrFrom4([4]byte{198, 51, byte(100 + i/200), byte(i % 200)})
			if m := c.ask("knock", r.guest(fmt.Sprint("g", i), "i", true)); m["code"] == string(codeTooManyWaiting) {
				c.closedWith(closeTooManyWaiting)
				refused++
			}
		}
		if refused != 950 || r.srv.Stats().Knocks["room_full"] != 950 {
			t.Errorf("%d are refused", refused)
		}
		if got := host.events("knocking"); len(got) != 50 {
			t.Errorf("the moderator is told of %d", len(got))
		}
		if got := ann.events(); len(got) != 0 {
			t.Errorf("others are told %v", got)
		}
		ann.must("chat", fields{"text": "all quiet"})
		if got := host.event("message"); got["text"] != "all quiet" {
			t.Errorf("%v", got)
		}
		if s := r.srv.Stats(); s.Sessions != 2 || s.Rooms != 1 || s.Waiting != 50 {
			t.Errorf("%d sessions, %d rooms, %d wait", s.Sessions, s.Rooms, s.Waiting)
		}
		host.must("moderate", fields{"action": "decline"})
		if got := host.events("knock_ended"); len(got) != 50 {
			t.Errorf("%d are over", len(got))
		}
		for i := range 7 { // from one address
			c := r.dial("a")
			c.link.from = netip.MustParseAddr("203.0.113.9")
			m := c.ask("knock", r.guest(fmt.Sprint("h", i), "i", true))
			if full := m["code"] == string(codeTooManyWaiting); full != (i >= 5) {
				t.Errorf("%d from one address: %v", i, m)
			}
		}
	})
}

// Whoever was removed neither knocks nor comes in, nor does anybody new by his invitation; those who were in by it do.
func TestRemovedGuest(t *testing.T) {
	var store memoryBans
	with := func(cfg *Config) {
		withSecret(cfg)
		cfg.Bans = &store
	}
	bubble(t, with, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		eve, bob := r.dial("a"), r.dial("a")
		eve.join(r.guest("eve", "i", false))
		bob.join(r.guest("bob", "i", false))
		host.must("moderate", fields{"action": "remove", "participant": eve.me})
		again := r.dial("a")
		again.refused(codeBanned, "join", r.guest("eve", "i", false))
		knocking := r.dial("a")
		knocking.refused(codeBanned, "knock", r.guest("eve", "i", true))
		other := r.dial("a")
		other.refused(codeInvitationClosed, "join", r.guest("eve in disguise", "i", false))
		other.closedWith(closeBanned)
		bob.closePage()
		bob = r.dial("a")
		bob.join(r.guest("bob", "i", false))
		if !r.srv.KeptOut("a", token.Claims{Invitation: "i"}) || r.srv.KeptOut("a", token.Claims{Invitation: "other"}) || r.srv.KeptOut("b", token.Claims{Invitation: "i"}) {
			t.Error("barred is wrong")
		}
		bans := host.must("bans", nil)["bans"].([]any)
		if b := bans[0].(map[string]any); len(bans) != 1 || b["identity"] != "eve" || b["by"] != "host" || b["invitation"] != "i" {
			t.Errorf("%v", bans)
		}
		bob.refused(codeForbidden, "bans", nil)

		restarted := newRig(t, with)
		defer restarted.shutdown()
		if !restarted.srv.KeptOut("a", token.Claims{Invitation: "i"}) {
			t.Error("forgotten before anybody is back")
		}
		restarted.in("host", token.Moderate)
		again = restarted.dial("a")
		again.refused(codeBanned, "join", r.guest("eve", "i", false))
		if !restarted.srv.Unban("a", "eve") || restarted.srv.Unban("a", "eve") {
			t.Error("unban reports wrongly")
		}
		again = restarted.dial("a")
		again.join(r.guest("eve", "i", false))

		host.must("moderate", fields{"action": "unban", "identity": "eve"})
		again = r.dial("a")
		again.join(r.guest("eve", "i", false))
	})
}

// memoryBans keeps bans as a disk would.
type memoryBans struct {
	mu   sync.Mutex
	bans map[string][]Ban
}

func (m *memoryBans) Load(room string) []Ban {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.bans[room])
}

func (m *memoryBans) Store(room string, bans []Ban) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bans == nil {
		m.bans = map[string][]Ban{}
	}
	m.bans[room] = slices.Clone(bans)
}

// A guest who takes a moderator's name is marked, and so is who knocks with the name of somebody in the room.
func TestLikeness(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host := r.in("Ann", token.Moderate)
		_, _ = r.knocks(r.guest("аnn", "i", true)) // Cyrillic
		if k := host.event("knocking")["knock"].(map[string]any); k["like"] != host.me {
			t.Errorf("%v", k)
		}
		eve := r.dial("a")
		f := r.guest("eve", "i", false)
		f["name"] = "ANN"
		eve.join(f)
		p := r.snapshot("a").Participants
		if p[1].Like != host.me || p[0].Like != "" {
			t.Errorf("%+v", p)
		}
	})
}

func TestKnockIsRefused(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		r.in("host", token.Moderate)
		r.dial("a").refused(codeUnauthorized, "knock", fields{})
		r.dial("a").refused(codeUnauthorized, "knock", fields{"token": "forged"})
		r.dial("b").refused(codeForbidden, "knock", r.guest("bob", "i", true))
		r.dial("a").refused(codeForbidden, "knock", r.joinAs("bob", token.Watch))
		r.dial("a").refused(codeBadMessage, "knock", fields{"knock": "x"})
		r.dial("..").refused(codeBadRoom, "knock", r.guest("bob", "i", true))
		twice, _ := r.knocks(r.guest("bob", "i", true))
		twice.refused(codeAlreadyJoined, "knock", r.guest("bob", "i", true))
		twice.refused(codeNotJoined, "chat", fields{"text": "hello?"})
		in := r.in("ann", token.Message)
		in.refused(codeAlreadyJoined, "knock", r.guest("bob", "i", true))
		free := r.dial("a") // nothing to wait for
		free.must("knock", r.joinAs("cem", token.Message))
		free.comesIn()
	})
}
