package signaling

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling/token"
)

func TestJoin(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann := r.joined("standup", "Ann", 4)
		w := ann.welcome
		if w["media"].(map[string]any)["sdp"] != "v=0 answer" {
			t.Errorf("no answer: %v", w["media"])
		}
		room := w["room"].(map[string]any)
		people := room["participants"].([]any)
		if len(people) != 1 || people[0].(map[string]any)["id"] != ann.me || people[0].(map[string]any)["name"] != "Ann" {
			t.Errorf("the snapshot does not hold the caller alone: %v", people)
		}
		if w["ping_seconds"] != 4.0 || w["resume_seconds"] != 30.0 || w["ice_ttl"] != 3600.0 || len(w["can"].([]any)) != 9 {
			t.Errorf("welcome: %v", w)
		}
		if servers := w["ice_servers"].([]any); servers[0].(map[string]any)["username"] != ann.me {
			t.Errorf("ICE servers: %v", servers)
		}

		ben := r.joined("standup", "Ben", 4)
		if n := len(ben.welcome["room"].(map[string]any)["participants"].([]any)); n != 2 {
			t.Errorf("Ben sees %d participants", n)
		}
		if got := ann.event("joined")["participant"].(map[string]any)["id"]; got != ben.me {
			t.Errorf("Ann was told that %v joined", got)
		}
		if got := ben.events(); len(got) != 0 {
			t.Errorf("Ben was sent what his snapshot holds: %v", got)
		}
	})
}

func TestLeave(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben, cem := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0), r.joined("a", "Cem", 0)
		ann.events()
		ben.send(`{"type":"leave"}`)
		ben.closedWith(closeNormal)
		if e := ann.event("left"); e["participant"] != ben.me || e["reason"] != "left" {
			t.Errorf("left: %v", e)
		}
		cem.closePage()
		if e := ann.event("left"); e["participant"] != cem.me || e["reason"] != "left" {
			t.Errorf("a closed page: %v", e)
		}
	})
}

func TestJoinNames(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		who := func(c *client) map[string]any {
			people := c.welcome["room"].(map[string]any)["participants"].([]any)
			return people[len(people)-1].(map[string]any)
		}
		c := r.dial("a")
		c.join(fields{"name": "  Ann  ", "identity": "ann", "metadata": fields{"hand": true}})
		if p := who(c); p["name"] != "Ann" || p["identity"] != "ann" || p["metadata"].(map[string]any)["hand"] != true {
			t.Errorf("%v", p)
		}
		c = r.dial("a")
		c.join(fields{"identity": "ben"})
		if p := who(c); p["name"] != "ben" || len(p["metadata"].(map[string]any)) != 0 {
			t.Errorf("%v", p)
		}
		c = r.dial("a")
		c.join(fields{"metadata": nil})
		if p := who(c); p["name"] != c.me || p["identity"] != c.me {
			t.Errorf("%v", p)
		}
		bad := r.dial("a")
		bad.refused(codeNameTooLong, "join", fields{"name": strings.Repeat("é", 65)})
		bad.refused(codeNameTooLong, "join", fields{"identity": strings.Repeat("x", 129)})
		bad.refused(codeBadName, "join", fields{"name": "a\nb"})
		bad.refused(codeBadName, "join", fields{"name": "\u202eevil"})
		bad.refused(codeMetadataTooLong, "join", fields{"metadata": fields{"x": strings.Repeat("x", 4096)}})
		bad.join(fields{"name": strings.Repeat("é", 64)}) // the socket stayed open
	})
}

func TestJoinToken(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		claims := jwt.MapClaims{"room": "a", "sub": "ann", "can": []string{"publish"}, "exp": time.Now().Add(time.Hour).Unix()}
		none, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
		if err != nil {
			t.Fatal(err)
		}
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		rs256, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		expired, err := token.Sign(secret, token.Claims{Room: "a", Expires: time.Now().Add(-time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		early, err := token.Sign(secret, token.Claims{Room: "a", Expires: time.Now().Add(2 * time.Hour), NotBefore: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			token string
			code  errorCode
			close CloseCode
		}{
			"missing":       {"", codeUnauthorized, closeUnauthorized},
			"malformed":     {"abc", codeUnauthorized, closeUnauthorized},
			"none":          {none, codeUnauthorized, closeUnauthorized},
			"RS256":         {rs256, codeUnauthorized, closeUnauthorized},
			"expired":       {expired, codeUnauthorized, closeUnauthorized},
			"not yet valid": {early, codeUnauthorized, closeUnauthorized},
			"another room":  {pass(t, "b", token.Publish), codeForbidden, closeForbidden},
		} {
			conn := r.dial("a")
			conn.refused(c.code, "join", fields{"token": c.token})
			conn.closedWith(c.close)
			if t.Failed() {
				t.Fatal(name)
			}
		}
		if n := r.srv.Stats().RoomsKept; n != 0 {
			t.Errorf("%d rooms were made", n)
		}

		good := r.dial("a")
		good.join(fields{"token": pass(t, "a", token.Publish), "identity": "somebody else"})
		p := good.welcome["room"].(map[string]any)["participants"].([]any)[0].(map[string]any)
		if p["identity"] != "ann@example.org" || p["name"] != "Ann Token" {
			t.Errorf("%v", p)
		}
		bearer := &client{t: t, rig: r, room: "a"}
		bearer.connect(pass(t, "*", token.Publish))
		bearer.join(fields{"name": "Ann"})
	})
}

func TestJoinLimits(t *testing.T) {
	small := func(cfg *Config) { cfg.Limits = Limits{Participants: 2, Rooms: 2} }
	bubble(t, small, func(t *testing.T, r *rig) {
		r.joined("a", "Ann", 0)
		ben := r.joined("a", "Ben", 0)
		full := r.dial("a")
		full.refused(codeRoomFull, "join", nil)
		full.closedWith(closeRoomFull)
		r.joined("b", "Ann", 0)
		many := r.dial("c")
		many.refused(codeTooManyRooms, "join", nil)
		many.closedWith(closeTooManyRooms)
		ben.send(`{"type":"leave"}`)
		r.joined("a", "Cem", 0)
		bad := r.dial("no/room")
		bad.refused(codeBadRoom, "join", nil)
		bad.closedWith(closeBadMessage)
	})
}

func TestSecondJoin(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		c := r.joined("a", "Ann", 0)
		c.refused(codeAlreadyJoined, "join", fields{"name": "Ben"})
		c.refused(codeAlreadyJoined, "resume", fields{"session": c.me, "secret": c.secret, "position": ""})
		c.must("chat", fields{"text": "still here"})
		if n := len(r.snapshot("a").Participants); n != 1 {
			t.Errorf("%d participants", n)
		}
	})
}

func TestBeforeJoin(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		c := r.dial("a")
		for _, typ := range requestTypes() {
			c.refused(codeNotJoined, typ, nil)
		}
		c.refused(codeUnknownType, "dance", nil)
		c.send(`{"type":"ping"}`)
		all := c.all()
		if pong := all[len(all)-1]; pong["type"] != "pong" || pong["position"] != nil {
			t.Errorf("pong: %v", pong)
		}
		c.join(fields{"name": "Ann"})

		gone := r.dial("a")
		gone.send(`{"type":"leave"}`)
		gone.closedWith(closeNormal)
	})
}

func TestFirstMessageBad(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		for _, msg := range []string{
			"", "hello", "[]", "null", `"join"`, "{", `{"type":"join"`, `{}`, `{"type":7}`, `{"type":"join"}`,
			`{"type":"join","id":0}`, `{"type":"join","id":-1}`, `{"type":"join","id":1.5}`, `{"type":"join","id":"1"}`,
			`{"type":"join","id":9007199254740992}`, `{"type":"join","id":1,"name":7}`, `{"type":"join","id":1,"media":"v=0"}`,
			`{"type":"join","id":1,"media":{"sdp":"v=0","slots":[{"audio":1}]}}`, `{"type":"join","id":1,"metadata":[]}`,
			`{"type":"resume","id":1}`, `{"type":"resume","id":1,"session":"x","secret":7}`, "{\"type\":\"join\",\"id\":1,\"name\":\"\xff\"}",
			`{"type":"join","id":1}{"type":"join","id":1}`,
		} {
			c := r.dial("a")
			c.send(msg)
			c.closedWith(closeBadMessage)
			all := c.all()
			if len(all) != 1 || all[0]["code"] != string(codeBadMessage) {
				t.Errorf("%q: %v", msg, all)
			}
		}
	})
}

func TestJoinTimeout(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		c := r.dial("a")
		for range 9 {
			time.Sleep(time.Second)
			c.send(`{"type":"ping"}`) // does not help
		}
		if !c.isOpen() {
			t.Fatal("closed early")
		}
		time.Sleep(time.Second)
		c.closedWith(closeJoinTimeout)
	})
}

// A join that fails leaves nothing behind: no participant, no event, no peer, no place taken.
func TestJoinFails(t *testing.T) {
	one := func(cfg *Config) { cfg.Limits.Rooms = 1 }
	bubble(t, one, func(t *testing.T, r *rig) {
		watcher, err := r.srv.Feed("a")
		if err != nil {
			t.Fatal(err)
		}
		defer watcher.Release()
		c := r.dial("a")
		c.refused(codeBadOffer, "join", fields{"media": fields{"sdp": "hello"}})
		c.refused(codeBadOffer, "join", fields{"media": fields{}})
		c.refused(codeBadOffer, "join", fields{"media": offer(26)})
		twice := offer(1)
		twice["send"] = []fields{{"mid": "0", "kind": "camera"}, {"mid": "1", "kind": "camera"}}
		c.refused(codeBadOffer, "join", fields{"media": twice})
		twice["send"] = []fields{{"mid": "0", "kind": "smell"}}
		c.refused(codeBadOffer, "join", fields{"media": twice})

		r.media.negotiate = func(context.Context, string, sfu.Offer) (string, error) { return "", errors.New("disk on fire") }
		reply := c.ask("join", fields{"media": offer(1)})
		if reply["code"] != "internal" || strings.Contains(reply["message"].(string), "fire") {
			t.Errorf("%v", reply)
		}
		if n := watcher.Log().Position().Seq; n != 0 {
			t.Errorf("%d events were logged", n)
		}
		if n := r.media.open(); n != 0 {
			t.Errorf("%d peers are open", n)
		}
		if s := r.srv.Stats(); s.Rooms != 0 || s.Sessions != 0 {
			t.Errorf("%+v", s)
		}
		r.media.negotiate = nil
		c.join(fields{"media": offer(1)})
	})
}

func TestJoinNegotiateTimeout(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		r.media.negotiate = func(ctx context.Context, _ string, _ sfu.Offer) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}
		c := r.dial("a")
		c.refused(codeInternal, "join", fields{"media": offer(1)})
		if n := len(r.snapshot("a").Participants); n != 0 {
			t.Errorf("%d participants", n)
		}
	})
}

// The connection goes away while the media node works on the offer: the join is given up.
func TestJoinCutWhileNegotiating(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		started := make(chan struct{})
		r.media.negotiate = func(ctx context.Context, _ string, _ sfu.Offer) (string, error) {
			close(started)
			<-ctx.Done()
			return "", ctx.Err()
		}
		c := r.dial("a")
		go c.link.Receive([]byte(`{"type":"join","id":1,"media":{"sdp":"v=0"}}`))
		<-started
		c.cut()
		if s := r.srv.Stats(); s.Sessions != 0 || s.Rooms != 0 || s.Connections != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Two race for the last place while their media is negotiated: one gets it, the other is told, and closed.
func TestJoinRaceForLastPlace(t *testing.T) {
	one := func(cfg *Config) { cfg.Limits.Participants = 1 }
	bubble(t, one, func(t *testing.T, r *rig) {
		gate := make(chan struct{})
		r.media.negotiate = func(context.Context, string, sfu.Offer) (string, error) {
			<-gate
			return "v=0", nil
		}
		a, b := r.dial("a"), r.dial("a")
		for _, c := range []*client{a, b} {
			go c.link.Receive([]byte(`{"type":"join","id":1,"media":{"sdp":"v=0"}}`))
		}
		synctest.Wait()
		close(gate)
		synctest.Wait()
		if a.isOpen() == b.isOpen() {
			t.Fatalf("open: %v and %v", a.isOpen(), b.isOpen())
		}
		if n := len(r.snapshot("a").Participants); n != 1 {
			t.Errorf("%d participants", n)
		}
		if n := r.media.open(); n != 1 {
			t.Errorf("%d peers", n)
		}
	})
}
