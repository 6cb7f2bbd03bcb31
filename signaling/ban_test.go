package signaling

import (
	"fmt"
	"testing"
	"time"

	"github.com/parley/parley/signaling/token"
)

// joinAs is the join of somebody with a token of his own.
func (r *rig) joinAs(identity string, can ...token.Permission) fields {
	r.t.Helper()
	return fields{"token": passFor(r.t, token.Claims{Room: "a", Identity: identity, Name: identity, Can: can})}
}

func (r *rig) in(identity string, can ...token.Permission) *client {
	r.t.Helper()
	c := r.dial("a")
	c.join(r.joinAs(identity, can...))
	return c
}

// Whoever is removed stays out until the room ends: with the same token, with another, with more rights; all he had is gone.
func TestRemovedStaysOut(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		eve, phone := r.in("eve", token.Message), r.in("eve", token.Message)
		bob := r.in("bob", token.Message)
		host.must("moderate", fields{"action": "remove", "participant": eve.me})
		eve.closedWith(closeRemoved)
		phone.closedWith(closeRemoved)
		if !bob.isOpen() {
			t.Error("another identity was removed")
		}
		if reply := eve.resume("x"); reply["code"] != string(codeSessionGone) {
			t.Errorf("the session is resumed: %v", reply)
		}
		for _, can := range [][]token.Permission{{token.Message}, {token.Moderate}} {
			again := r.dial("a")
			again.refused(codeBanned, "join", r.joinAs("eve", can...))
			again.closedWith(closeBanned)
		}
		elsewhere := r.dial("b")
		elsewhere.join(fields{"token": passFor(t, token.Claims{Room: "b", Identity: "eve", Can: []token.Permission{token.Message}})})

		host.closePage()
		again := r.dial("a")
		again.refused(codeBanned, "join", r.joinAs("eve", token.Message)) // Bob is still in: the same meeting
		bob.closePage()
		again = r.dial("a")
		again.refused(codeBanned, "join", r.joinAs("eve", token.Message)) // the room may only be empty for a moment
		time.Sleep(time.Minute + 10*time.Second)
		r.in("eve", token.Message) // a new one
	})
}

func TestKick(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		eve, phone := r.in("eve", token.Message), r.in("eve", token.Message)
		host.must("moderate", fields{"action": "remove", "participant": eve.me, "ban": false})
		eve.closedWith(closeRemoved)
		if !phone.isOpen() {
			t.Error("a kick took the other session, too")
		}
		r.in("eve", token.Message)
		host.must("moderate", fields{"action": "remove", "participant": phone.me, "ban": true})
		c := r.dial("a")
		c.refused(codeBanned, "join", r.joinAs("eve", token.Message))
		host.refused(codeBadMessage, "moderate", fields{"action": "remove", "participant": host.me, "ban": "yes"})
	})
}

// One's own identity is never banned: a moderator who removes his other device, or himself, can come back.
func TestNobodyBansHimself(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		host, phone := r.in("host", token.Moderate), r.in("host", token.Moderate)
		r.in("bob", token.Message)
		host.must("moderate", fields{"action": "remove", "participant": phone.me})
		phone.closedWith(closeRemoved)
		if !host.isOpen() {
			t.Fatal("removed with his other device")
		}
		host.must("moderate", fields{"action": "remove", "participant": host.me})
		host.closedWith(closeRemoved)
		r.in("host", token.Moderate)
	})
}

// The list of who is kept out has an end. A moderator is told, and nobody who is on it gets in for another's sake.
func TestBansAreBounded(t *testing.T) {
	few := func(cfg *Config) { withSecret(cfg); cfg.Limits.Bans = 3 }
	bubble(t, few, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		for i := range 3 {
			eve := r.in(fmt.Sprint("eve", i), token.Message)
			host.must("moderate", fields{"action": "remove", "participant": eve.me})
		}
		last := r.in("eve3", token.Message)
		host.refused(codeTooManyBans, "moderate", fields{"action": "remove", "participant": last.me})
		if !last.isOpen() {
			t.Error("removed all the same")
		}
		host.must("moderate", fields{"action": "remove", "participant": last.me, "ban": false})
		last.closedWith(closeRemoved)
		c := r.dial("a")
		c.refused(codeBanned, "join", r.joinAs("eve0", token.Message))
		if n := r.srv.Stats().Errors[string(codeTooManyBans)]; n != 1 {
			t.Errorf("counted %d times", n)
		}
	})
}

// Who is removed takes the links along that he made: he would come back by them as somebody else. Others' stay.
func TestRemovedLosesHisLinks(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		links := r.withInvitations()
		host := r.in("host", token.Moderate, token.Invite, token.Message)
		eve := r.in("eve", token.Invite, token.Message)
		host.must("invite", nil)
		made := eve.must("invite", nil)["invitation"].(map[string]any)["id"].(string)
		host.must("moderate", fields{"action": "remove", "participant": eve.me, "ban": false})
		if links.Revoked("a", made) {
			t.Error("a kick took the links")
		}
		eve = r.in("eve", token.Invite, token.Message)
		host.must("moderate", fields{"action": "remove", "participant": eve.me})
		r.dial("a").refused(codeInvitationRevoked, "join", r.guest("eve2", made, false))
		if list := links.List("a", time.Now()); len(list) != 1 || list[0].By != "host" {
			t.Errorf("%+v", list)
		}
	})
}

// A drained server forgets no ban; the next lifts one before anybody is in; and they end with the room and its tokens.
func TestBansAreKept(t *testing.T) {
	var store memoryBans
	with := func(cfg *Config) { withSecret(cfg); cfg.Bans = &store }
	bubble(t, with, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		for _, identity := range []string{"eve", "dan"} {
			host.must("moderate", fields{"action": "remove", "participant": r.in(identity, token.Message).me})
		}
		r.shutdown()
		next := newRig(t, with)
		defer next.shutdown()
		if !next.srv.Unban("a", "dan") || next.srv.Unban("a", "dan") {
			t.Error("Dan's ban")
		}
		next.dial("a").refused(codeBanned, "join", next.joinAs("eve", token.Message)) // he is the first who comes
		next.in("dan", token.Message).closePage()
		time.Sleep(time.Hour + 2*time.Minute) // the room has ended, and so has every token that he may have
		if got := next.srv.Bans("a"); len(got) != 0 {
			t.Errorf("kept beyond the room: %v", got)
		}
		next.in("eve", token.Message)
	})
}

// A ban outlives its room for as long as the removed may have a token: he does not open the next one, nor come into it.
func TestBanOutlivesTheRoom(t *testing.T) {
	var store memoryBans
	bubble(t, func(cfg *Config) {
		policy(token.Config{}, fakeICE{})(cfg) // tokens are good for ten minutes
		cfg.Bans = &store
	}, func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		eve := r.dial("a")
		eve.join(r.guest("eve", "i", false))
		renewed := eve.welcome["token"]
		host.must("moderate", fields{"action": "remove", "participant": eve.me})
		host.closePage()
		time.Sleep(2 * time.Minute)
		if r.srv.lookup("a") != nil {
			t.Fatal("the room is still there")
		}
		again := r.dial("a")
		again.refused(codeBanned, "join", fields{"token": renewed})
		if !r.srv.KeptOut("a", token.Claims{Invitation: "i"}) {
			t.Error("her link lets her in under another name")
		}
		time.Sleep(time.Hour)
		if bans := r.srv.Bans("a"); len(bans) != 0 {
			t.Errorf("%+v", bans)
		}
		again = r.dial("a")
		again.refused(codeUnauthorized, "join", fields{"token": renewed})
		r.in("host", token.Moderate)
		again = r.dial("a")
		again.join(r.guest("eve", "i", false)) // with another token, to another meeting
	})
}

// A link that is made at the moment of the removal is withdrawn, too.
func TestLinkOfTheLastMoment(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		links := r.withInvitations()
		eve := r.in("eve", token.Invite, token.Message)
		room := r.srv.lookup("a")
		links.meanwhile = func() { room.end(room.sessions[eve.me], reasonRemoved, closeRemoved) }
		eve.send(fields{"type": "invite", "id": 9})
		eve.closedWith(closeRemoved)
		if links.made != 1 || !links.Revoked("a", "1") {
			t.Errorf("%d made, and it is good", links.made)
		}
	})
}
