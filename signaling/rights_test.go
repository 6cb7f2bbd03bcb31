package signaling

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling/token"
)

// joinedWith dials room a and joins with what a token allows.
func (r *rig) joinedWith(name string, slots int, can ...token.Permission) *client {
	r.t.Helper()
	c := r.dial("a")
	f := fields{"token": passFor(r.t, token.Claims{Room: "a", Identity: strings.ToLower(name), Name: name, Can: can})}
	if slots > 0 {
		f["media"] = offer(slots)
	}
	c.join(f)
	return c
}

// passFor signs claims, which are good for an hour unless they say otherwise.
func passFor(t *testing.T, c token.Claims) string {
	t.Helper()
	if c.Expires.IsZero() {
		c.Expires = time.Now().Add(time.Hour)
	}
	signed, err := token.Sign(secret, c)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// A token that opens no seat gets nothing of the room: whoever is in never hears of it, and no credentials are made.
func TestJoiningIsARight(t *testing.T) {
	seats := func(cfg *Config) {
		withSecret(cfg)
		cfg.Limits.SeatsPerIdentity = 5
	}
	bubble(t, seats, func(t *testing.T, r *rig) {
		ann := r.joinedWith("Ann", 0, token.Message)
		ann.must("chat", fields{"text": "the password is 1234"})
		ann.events()
		for name, can := range map[string][]token.Permission{
			"a badge on a public page": {token.Watch}, "nothing": {}, "the list": {token.List, token.Watch}, "an unknown one": {"fly", token.Update},
		} {
			c := r.dial("a")
			c.refused(codeForbidden, "join", fields{"token": pass(t, "a", can...), "name": "Ann", "media": offer(1)})
			c.closedWith(closeForbidden)
			if all := compact(t, c.all()); strings.Contains(all, "1234") || strings.Contains(all, "turn:") {
				t.Errorf("%s is told %s", name, all)
			}
		}
		if got := ann.events(); len(got) != 0 {
			t.Errorf("Ann was told %v", got)
		}
		if n := r.media.open(); n != 0 {
			t.Errorf("%d peers were made", n)
		}
		for _, p := range []token.Permission{token.Publish, token.Subscribe, token.Message, token.Moderate, token.Join} {
			can := r.joinedWith("Ben", 1, p).welcome["can"].([]any)
			if !slices.Contains(can, any("join")) || !slices.Contains(can, any("update")) {
				t.Errorf("%s: welcome says %v", p, can)
			}
		}
	})
}

// What each permission opens, and that it opens nothing else.
func TestPermissions(t *testing.T) {
	requests := map[string]fields{
		"publish": {"kind": "camera"}, "subscribe": {"tiles": []fields{}}, "chat": {"text": "x"}, "signal": {"data": 1},
		"moderate": {"action": "lock"}, "update": {"name": "Ann 2"},
	}
	for name, c := range map[string]struct {
		can  []token.Permission
		open []string
	}{
		"join":      {[]token.Permission{token.Join}, []string{"update"}},
		"publish":   {[]token.Permission{token.Publish}, []string{"update", "publish"}},
		"subscribe": {[]token.Permission{token.Subscribe, token.Watch}, []string{"update", "subscribe"}},
		"message":   {[]token.Permission{token.Message, token.List}, []string{"update", "chat", "signal"}},
		"moderate":  {[]token.Permission{token.Moderate}, []string{"update", "moderate"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, withSecret, func(t *testing.T, r *rig) {
				ann := r.joinedWith("Ann", 1, c.can...)
				for typ, f := range requests {
					if typ == "signal" {
						f = fields{"data": 1, "to": ann.me}
					}
					if slices.Contains(c.open, typ) {
						ann.must(typ, f)
					} else {
						ann.refused(codeForbidden, typ, f)
					}
				}
				if !ann.isOpen() {
					t.Error("closed")
				}
			})
		})
	}
}

// Who may neither watch nor talk reads no chat: not the history, not what is said, not after a resume that starts over.
func TestWhoHears(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		ann := r.joinedWith("Ann", 1, token.Message)
		ann.must("chat", fields{"text": "before"})
		deaf := []*client{r.joinedWith("Dan", 1, token.Publish), r.joinedWith("Eve", 1, token.Join), r.joinedWith("Fay", 1, token.Moderate)}
		reads := r.joinedWith("Ben", 1, token.Subscribe)
		if n := len(reads.welcome["messages"].([]any)); n != 1 {
			t.Errorf("who may subscribe finds %d messages", n)
		}
		ann.must("chat", fields{"text": "now"})
		reads.event("message")
		r.media.peer(ann.me).on.OnData(sfu.Data{Payload: []byte("data")})
		for _, c := range deaf {
			ann.refused(codeForbidden, "chat", fields{"text": "psst", "to": c.me})
			if n := len(c.welcome["messages"].([]any)); n != 0 {
				t.Errorf("finds %d messages", n)
			}
			if got := c.events("message"); len(got) != 0 {
				t.Errorf("reads %v", got)
			}
			if got := r.media.peer(c.me).got; len(got) != 0 {
				t.Errorf("gets data: %v", got)
			}
		}
		if got := r.media.peer(reads.me).got; len(got) != 1 {
			t.Errorf("who may subscribe gets %d pieces of data", len(got))
		}
		last := deaf[2]
		last.cut()
		if reply := last.resume("gone.1"); reply["room"] == nil || len(reply["messages"].([]any)) != 0 {
			t.Errorf("a resume shows %v", reply["messages"])
		}
	})
}

// A token with "update": false says who its holder is: neither the join nor an update can say anything else.
func TestFixedName(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		fixed := token.Claims{
			Room: "a", Identity: "ann", Name: "Ann", Fixed: true, Metadata: json.RawMessage(`{"team":"red"}`),
			Can: []token.Permission{token.Message},
		}
		ann := r.dial("a")
		ann.join(fields{"token": passFor(t, fixed), "name": "The host", "metadata": fields{"team": "blue"}})
		if can := ann.welcome["can"].([]any); slices.Contains(can, any("update")) || !slices.Contains(can, any("join")) {
			t.Errorf("can %v", can)
		}
		for _, f := range []fields{{"name": "The host"}, {"metadata": fields{"team": "blue"}}, {"metadata": fields{}}} {
			ann.refused(codeForbidden, "update", f)
		}
		p := r.snapshot("a").Participants[0]
		if p.Name != "Ann" || string(p.Metadata) != `{"team":"red"}` {
			t.Errorf("%+v", p)
		}
	})
}

// Who may not subscribe is shown nothing, though he has slots and others speak.
func TestNoSubscribeNoSlots(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		ben := r.joinedWith("Ben", 2, token.Publish)
		ann := r.joinedWith("Ann", 2, token.Publish, token.Subscribe)
		ann.must("publish", fields{"kind": "microphone"})
		if got := ben.events("slots"); len(got) != 0 {
			t.Errorf("%v", got)
		}
		if view := r.media.peer(ben.me).shows(); len(view) != 0 {
			t.Errorf("is shown %v", view)
		}
	})
}
