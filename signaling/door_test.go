package signaling

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley/parley/signaling/token"
)

// anyone lets people in without a token; with says whether there is a secret.
func anyone(with bool) func(*Config) {
	return func(cfg *Config) {
		c := token.Config{Anyone: true, Open: []token.Permission{token.Publish, token.Subscribe, token.Message, token.Watch}, ModeratorsInvite: true}
		if with {
			c.Secrets = [][]byte{secret}
		}
		v, err := token.New(c)
		if err != nil {
			panic(err)
		}
		cfg.Tokens = v
	}
}

// The first in a room moderates it, and when he has gone the one who has been there the longest; who comes back with the
// token that he had is what he was.
func TestFirstIsModerator(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]bool{"no secret": false, "a secret": true} {
		t.Run(name, func(t *testing.T) { firstIsModerator(t, secret) })
	}
}

func firstIsModerator(t *testing.T, secret bool) {
	bubble(t, anyone(secret), func(t *testing.T, r *rig) {
		ann, bob, cem := r.joined("a", "Ann", 0), r.joined("a", "Bob", 1), r.joined("a", "Cem", 0)
		if can := ann.welcome["can"].([]any); !slices.Contains(can, any("moderate")) || !slices.Contains(can, any("invite")) {
			t.Errorf("the first may %v", can)
		}
		if can := bob.welcome["can"].([]any); slices.Contains(can, any("moderate")) {
			t.Errorf("the second may %v", can)
		}
		bob.refused(codeForbidden, "moderate", fields{"action": "lock"})
		ann.must("moderate", fields{"action": "lock"})
		bob.events()
		ann.closePage()
		if can := bob.event("permissions")["can"].([]any); !slices.Contains(can, any("moderate")) || !slices.Contains(can, any("invite")) {
			t.Errorf("the next may %v", can)
		}
		told := cem.events("updated", "permissions")
		if len(told) != 1 || told[0]["participant"].(map[string]any)["moderator"] != true {
			t.Errorf("the third is told %v", told)
		}
		bob.must("moderate", fields{"action": "unlock"})
		newest := bob.told("credentials")
		if newest == nil || newest["token"] == nil {
			t.Fatalf("his token does not say it: %v", bob.all())
		}
		bob.cut()
		for range 10 {
			time.Sleep(4 * time.Second)
			cem.send(`{"type":"ping"}`)
		}
		cem.must("moderate", fields{"action": "lock"}) // who did not come back is succeeded
		back := r.dial("a")
		back.join(fields{"token": newest["token"]})
		back.must("moderate", fields{"action": "unlock"})
		if p := r.snapshot("a").Participants; !p[0].Moderator || !p[1].Moderator {
			t.Errorf("%+v", p)
		}
	})
}

// Who was promoted hears of those who knock, from the list that comes with it on.
func TestPromotedSeesWhoKnocks(t *testing.T) {
	bubble(t, anyone(true), func(t *testing.T, r *rig) {
		ann, bob := r.joined("a", "Ann", 0), r.joined("a", "Bob", 0)
		r.knocks(r.guest("eve", "i", true))
		bob.events()
		ann.closePage()
		if list := bob.event("permissions")["waiting"].([]any); len(list) != 1 {
			t.Errorf("%v", list)
		}
		r.knocks(r.guest("cem", "i", true))
		if k := bob.event("knocking")["knock"].(map[string]any); k["identity"] != "cem" {
			t.Errorf("%v", k)
		}
		at := bob.position()
		bob.cut()
		r.knocks(r.guest("dan", "i", true))
		bob.resume(at)
		if k := bob.event("knocking")["knock"].(map[string]any); k["identity"] != "dan" {
			t.Errorf("missed: %v", k)
		}
	})
}

// A stranger becomes nobody's moderator where people with tokens are, and takes nobody's identity.
func TestAnonymousAmongTokens(t *testing.T) {
	bubble(t, anyone(true), func(t *testing.T, r *rig) {
		ann := r.in("ann", token.Message)
		eve := r.dial("a")
		eve.join(fields{"identity": "ann", "name": "Eve"})
		if p := r.snapshot("a").Participants[1]; p.Identity == "ann" || p.Moderator {
			t.Errorf("%+v", p)
		}
		ann.closePage()
		if got := eve.events("permissions"); len(got) != 0 {
			t.Errorf("promoted: %v", got)
		}
		r.dial("a").refused(codeUnauthorized, "join", fields{"token": "forged"})
	})
}

// Who moderated and comes back under his identity alone takes his seat over, and no more: then another moderates, before the old session has
// ended by itself or after.
func TestSeatTakenOverWithoutToken(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]bool{"known to be gone": true, "seen to be gone later": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, anyone(false), func(t *testing.T, r *rig) {
				ann := fields{"identity": "ann", "name": "Ann"}
				old := r.dial("a")
				old.join(ann)
				bob := r.joined("a", "Bob", 0)
				old.cut()
				time.Sleep(cutGrace / 10)
				if known {
					time.Sleep(cutGrace + 2*attendEvery)
				}
				r.dial("a").join(ann)
				time.Sleep(cutGrace + 3*attendEvery)
				if can := bob.event("permissions")["can"].([]any); !slices.Contains(can, any("moderate")) {
					t.Errorf("the next may %v", can)
				}
				if p := r.snapshot("a").Participants; len(p) != 2 || p[0].ID != bob.me || !p[0].Moderator || p[1].Moderator {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

// A room that a moderator ends makes nobody a moderator on its way out.
func TestEndPromotesNobody(t *testing.T) {
	bubble(t, anyone(true), func(t *testing.T, r *rig) {
		ann, bob, cem := r.joined("a", "Ann", 0), r.joined("a", "Bob", 0), r.joined("a", "Cem", 0)
		ann.must("moderate", fields{"action": "end"})
		for _, c := range []*client{ann, bob, cem} {
			c.closedWith(closeRoomEnded)
		}
		if n := r.srv.Stats().Promoted; n != 0 {
			t.Errorf("%d were promoted", n)
		}
	})
}

// Many come and go at once: whenever it is quiet, somebody moderates.
func TestSomebodyAlwaysModerates(t *testing.T) {
	bubble(t, anyone(true), func(t *testing.T, r *rig) {
		var clients []*client
		for i := range 12 {
			clients = append(clients, r.joined("a", string(rune('A'+i)), 0))
		}
		for len(clients) > 1 {
			var gone sync.WaitGroup
			for range min(3, len(clients)-1) {
				c := clients[0]
				clients = clients[1:]
				gone.Go(func() { c.pipe.Close(1001, "") })
			}
			gone.Wait()
			synctest.Wait()
			clients = append(clients[1:], clients[0])
			moderators := 0
			for _, p := range r.snapshot("a").Participants {
				if p.Moderator {
					moderators++
				}
			}
			if moderators != 1 {
				t.Fatalf("%d of %d moderate", moderators, len(clients))
			}
		}
	})
}

// Who moderated an empty room does so in it when he comes back, and not when others have met there since it was forgotten.
func TestAppointmentEndsWithTheRoom(t *testing.T) {
	bubble(t, anyone(true), func(t *testing.T, r *rig) {
		eve := r.joined("a", "Eve", 0)
		kept := fields{"token": eve.welcome["token"]}
		if c, err := r.srv.cfg.Tokens.Verify(eve.welcome["token"].(string), "a", time.Now()); err != nil || c.May(token.Moderate) || c.May(token.Invite) {
			t.Errorf("his token lets him moderate anywhere: %v, %v", c.Can, err)
		}
		eve.closePage()
		eve = r.dial("a")
		eve.join(kept)
		eve.must("moderate", fields{"action": "lock"})
		eve.closePage()
		time.Sleep(time.Minute + 10*time.Second)

		ann := r.joined("a", "Ann", 0)
		ann.must("moderate", fields{"action": "lock"})
		r.dial("a").refused(codeRoomLocked, "join", kept)
		ann.must("moderate", fields{"action": "unlock"})
		eve = r.dial("a")
		eve.join(kept)
		eve.refused(codeForbidden, "moderate", fields{"action": "lock"})
		renewed := fields{"token": eve.welcome["token"]}
		eve.closePage()
		eve = r.dial("a")
		eve.join(renewed)
		eve.refused(codeForbidden, "moderate", fields{"action": "lock"})
	})
}
