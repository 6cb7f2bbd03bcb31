package signaling

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley/parley/signaling/token"
)

// relays hands out credentials that name the second they were made in, and remembers what it should take back.
type relays struct {
	ttl time.Duration

	mu      sync.Mutex
	revoked []string
}

func (*relays) made(now time.Time) string { return fmt.Sprint("made at ", now.Unix()) }

func (r *relays) Servers(identity, session string, now time.Time) ([]ICEServer, time.Duration) {
	return []ICEServer{{URLs: []string{"turn:192.0.2.1"}, Username: identity + ":" + session, Credential: r.made(now)}}, r.ttl
}

func (r *relays) Revoke(session string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.revoked = append(r.revoked, session)
}

func (r *relays) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.revoked)
}

// policy makes the server need tokens, and hand out new ones.
func policy(cfg token.Config, ice ICE) func(*Config) {
	return func(c *Config) {
		cfg.Secrets, cfg.TTL = [][]byte{secret}, 10*time.Minute
		v, err := token.New(cfg)
		if err != nil {
			panic(err)
		}
		c.Tokens, c.ICE = v, ice
	}
}

// live pings for a while, and returns the credentials that came, with the seconds after which they did.
func (c *client) live(d time.Duration) (at []int, got []map[string]any) {
	c.t.Helper()
	began := time.Now()
	for seconds := 0; time.Since(began) < d && c.isOpen(); {
		time.Sleep(time.Second)
		if seconds++; seconds%4 == 0 {
			c.send(`{"type":"ping"}`)
		}
		c.pipe.mu.Lock()
		for _, raw := range c.pipe.msgs {
			var m map[string]any
			if err := json.Unmarshal(raw, &m); err != nil {
				c.t.Fatal(err)
			}
			if m["type"] == "credentials" {
				at, got = append(at, seconds), append(got, m)
			}
		}
		c.pipe.msgs = nil
		c.pipe.mu.Unlock()
	}
	return at, got
}

// Whatever a session handed out is renewed before it ends: the relay's by the minute, the token by the five minutes, with
// media and without.
func TestCredentialsAreRenewed(t *testing.T) {
	ice := &relays{ttl: 2 * time.Minute}
	bubble(t, policy(token.Config{}, ice), func(t *testing.T, r *rig) {
		for name, slots := range map[string]int{"with media": 1, "without": 0} {
			ann := r.joinedWith("Ann", slots, token.Message)
			if ann.welcome["token"] == "" || ann.welcome["token_ttl"] != 600.0 || ann.welcome["ice_ttl"] != 120.0 || ann.welcome["session_ttl"] != nil {
				t.Fatalf("%s: %v", name, ann.welcome)
			}
			at, got := ann.live(11 * time.Minute)
			if want := []int{60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 660}; !slices.Equal(at, want) {
				t.Fatalf("%s: credentials came after %v seconds", name, at)
			}
			for i, m := range got {
				made := time.Now().Add(time.Duration(at[i]-at[len(at)-1]) * time.Second)
				server := m["ice_servers"].([]any)[0].(map[string]any)
				if server["credential"] != ice.made(made) || server["username"] != "ann:"+ann.me || m["ice_ttl"] != 120.0 || m["position"] != nil {
					t.Errorf("%s: after %d s: %v", name, at[i], m)
				}
				if fresh := at[i]%300 == 0; fresh != (m["token"] != nil) || fresh && m["token_ttl"] != 600.0 {
					t.Errorf("%s: after %d s the token is %v", name, at[i], m["token"])
				}
			}
			ann.closePage()
		}
		if n := r.srv.Stats().Renewed; n != 22 {
			t.Errorf("counted %d", n)
		}
	})
}

// Who was in comes back with what the server gave him, long after his link has expired, also to a server that was started
// anew: as who he was, in that room alone.
func TestComesBackAfterTheLink(t *testing.T) {
	bubble(t, policy(token.Config{}, &relays{ttl: time.Minute}), func(t *testing.T, r *rig) {
		link := passFor(t, token.Claims{
			Room: token.AnyRoom, Identity: "ann", Name: "Ann", Can: []token.Permission{token.Message, token.Moderate},
			Expires: time.Now().Add(25 * time.Second),
		})
		ann := r.dial("a")
		ann.join(fields{"token": link})
		_, got := ann.live(time.Hour)
		newest := ""
		for _, m := range got {
			if s, ok := m["token"].(string); ok {
				newest = s
			}
		}
		at := ann.position()
		ann.cut()
		back := ann.resume(at)
		if back["token"] == nil || back["token_ttl"] != 600.0 || back["ice_servers"] == nil {
			t.Errorf("a resume gives %v", back)
		}
		r.dial("a").refused(codeUnauthorized, "join", fields{"token": link})

		again := newRig(t, policy(token.Config{}, &relays{ttl: time.Minute})) // after a restart
		defer again.shutdown()
		c := again.dial("a")
		c.join(fields{"token": newest, "identity": "somebody else"})
		c.must("moderate", fields{"action": "lock"})
		if p := again.snapshot("a").Participants[0]; p.Identity != "ann" || p.Name != "Ann" {
			t.Errorf("%+v", p)
		}
		again.dial("b").refused(codeForbidden, "join", fields{"token": newest})
		time.Sleep(11 * time.Minute)
		again.dial("a").refused(codeUnauthorized, "join", fields{"token": newest})
	})
}

// Without a secret the token is good until a restart, and without a relay nothing else is renewed.
func TestNothingToRenew(t *testing.T) {
	bubble(t, func(cfg *Config) { cfg.ICE = nil }, func(t *testing.T, r *rig) {
		ann := r.joined("a", "Ann", 0)
		if ann.welcome["token"] == nil || ann.welcome["token_ttl"] != 3600.0 {
			t.Errorf("%v", ann.welcome)
		}
		if at, _ := ann.live(20 * time.Minute); len(at) != 0 {
			t.Errorf("credentials after %v seconds", at)
		}
	})
}

// The relay's credentials go with the seat, however it is lost; and who was removed gets no new token.
func TestCredentialsGoWithTheSeat(t *testing.T) {
	ice := &relays{ttl: time.Minute}
	bubble(t, policy(token.Config{}, ice), func(t *testing.T, r *rig) {
		host := r.in("host", token.Moderate)
		eve, bob, cem := r.in("eve", token.Message), r.in("bob", token.Message), r.in("cem", token.Message)
		if got := ice.list(); len(got) != 0 {
			t.Fatalf("revoked %v", got)
		}
		renewed := eve.welcome["token"]
		host.must("moderate", fields{"action": "remove", "participant": eve.me})
		bob.closePage()
		cem.cut()
		host.live(2 * time.Minute)
		if got := ice.list(); !slices.Equal(got, []string{eve.me, bob.me, cem.me}) {
			t.Errorf("revoked %v, want Eve, Bob and Cem: %s %s %s", got, eve.me, bob.me, cem.me)
		}
		if n := len(eve.events("credentials")); n != 0 {
			t.Errorf("Eve was given %d", n)
		}
		again := r.dial("a")
		again.refused(codeBanned, "join", fields{"token": renewed})
	})
}

// Where tokens are enforced a session ends a grace after its token. Its client knows when from the start, and is told again.
func TestSessionEndsWithItsToken(t *testing.T) {
	enforced := policy(token.Config{Enforce: true, Grace: time.Minute}, &relays{ttl: time.Hour})
	bubble(t, enforced, func(t *testing.T, r *rig) {
		host := r.dial("a")
		host.join(fields{"token": passFor(t, token.Claims{
			Room: "a", Identity: "host", Can: []token.Permission{token.Moderate}, Expires: time.Now().Add(time.Hour),
		})})
		ann := r.dial("a")
		ann.join(fields{"token": passFor(t, token.Claims{
			Room: "a", Identity: "ann", Can: []token.Permission{token.Message}, Expires: time.Now().Add(12 * time.Minute),
		})})
		if ann.welcome["session_ttl"] != 13*60.0 || ann.welcome["token_ttl"] != 600.0 {
			t.Fatalf("%v", ann.welcome)
		}
		alive := make(chan struct{})
		go func() {
			defer close(alive)
			for range 14 * 15 {
				time.Sleep(4 * time.Second)
				host.link.Receive([]byte(`{"type":"ping"}`))
			}
		}()
		at, got := ann.live(14 * time.Minute)
		<-alive
		if want := []int{5 * 60, 12 * 60}; !slices.Equal(at, want) {
			t.Fatalf("told after %v seconds: %v", at, got)
		}
		if m := got[0]; m["token_ttl"] != 7*60.0 || m["session_ttl"] != 8*60.0 {
			t.Errorf("%v", m)
		}
		if m := got[1]; m["token"] != nil || m["session_ttl"] != 60.0 {
			t.Errorf("%v", m)
		}
		ann.closedWith(closeTokenExpired)
		if e := host.event("left"); e["participant"] != ann.me || e["reason"] != "expired" {
			t.Errorf("%v", e)
		}
		ann.resume("x")
		if m := ann.all(); m[0]["code"] != string(codeSessionGone) {
			t.Errorf("resumed: %v", m)
		}
		ann.connect("")
		ann.refused(codeUnauthorized, "join", fields{"token": got[0]["token"]})
	})
}
