package ws

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley/parley/signaling"
	"github.com/parley/parley/signaling/token"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	ann := s.open("standup")
	if h := ann.resp.Header; h.Get("Sec-WebSocket-Protocol") != "parley.v1" || h.Get("Sec-WebSocket-Extensions") != "" {
		t.Errorf("%v", h)
	}
	me := ann.join()
	ann.send(`{"type":"chat","id":2,"text":"hello"}`)
	got := map[string]bool{}
	for range 2 {
		m := ann.read()
		got[m["type"].(string)] = true
		if m["type"] == "message" && (m["from"] != me || m["text"] != "hello") {
			t.Errorf("%v", m)
		}
	}
	if !got["ok"] || !got["message"] {
		t.Errorf("%v", got)
	}
	ann.frame(fin|opPing, 4, []byte("beat"))
	if op, payload, err := ann.next(); op != opPong || string(payload) != "beat" || err != nil {
		t.Errorf("ping: opcode %d %q %v", op, payload, err)
	}
	ann.frame(opText, 9, []byte(`{"type":"`)) // a message in two frames, with a ping between
	ann.frame(fin|opPing, 0, nil)
	ann.frame(fin, 6, []byte(`ping"}`))
	if op, _, err := ann.next(); op != opPong || err != nil {
		t.Errorf("ping: opcode %d %v", op, err)
	}
	if m := ann.read(); m["type"] != "pong" {
		t.Errorf("%v", m)
	}
	ann.send(`{"type":"leave"}`)
	if code, _ := ann.closed(); code != 1000 {
		t.Errorf("closed with %d", code)
	}
	s.until("left", func(s signaling.Stats) bool { return s.Sessions == 0 && s.Connections == 0 })
}

// How a connection ends decides whether its session lives on.
func TestEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, code := range []uint16{1000, 1001} {
		w := s.open("a")
		w.join()
		w.close(code)
		s.until("a closed page", func(s signaling.Stats) bool { return s.Sessions == 0 && s.Connections == 0 })
	}
	abrupt := s.open("b")
	abrupt.join()
	_ = abrupt.conn.Close()
	s.until("a lost network", func(s signaling.Stats) bool { return s.Detached == 1 && s.Connections == 0 })
	odd := s.open("b")
	odd.join()
	odd.close(4900)
	s.until("another code", func(s signaling.Stats) bool { return s.Detached == 2 && s.Connections == 0 })
	none := s.open("b")
	none.join()
	none.frame(fin|opClose, 0, nil)
	s.until("no code", func(s signaling.Stats) bool { return s.Detached == 3 && s.Connections == 0 })
}

func TestRefusedUpgrade(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for name, c := range map[string]struct {
		headers []string
		status  int
	}{
		"own origin":          {[]string{speaks, "Origin: http://" + s.addr}, 101},
		"configured origin":   {[]string{speaks, "Origin: https://app.example.org"}, 101},
		"no origin":           {[]string{speaks}, 101},
		"another origin":      {[]string{speaks, "Origin: https://evil.example"}, 403},
		"another scheme":      {[]string{speaks, "Origin: https://" + s.addr}, 403},
		"no subprotocol":      {[]string{"X: y"}, 400},
		"another subprotocol": {[]string{"Sec-WebSocket-Protocol: chat"}, 400},
		"two bearers":         {[]string{speaks + ", bearer.a, bearer.b"}, 400},
	} {
		if w := s.dial("a", c.headers...); w.resp.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d", name, w.resp.StatusCode, c.status)
		}
	}
	resp, err := http.Get("http://" + s.addr + "/v1/rooms/a/ws")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest && resp.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("a plain GET: %d", resp.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestBearer(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789abcdef0123456789abcdef")
	s := newSite(t, func(cfg *signaling.Config) {
		var err error
		if cfg.Tokens, err = token.New(token.Config{Secrets: [][]byte{secret}}); err != nil {
			t.Fatal(err)
		}
	})
	signed, err := token.Sign(secret, token.Claims{Room: "a", Identity: "ann", Can: []token.Permission{token.Join}, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	w := s.dial("a", speaks+", bearer."+signed)
	if got := w.resp.Header.Values("Sec-WebSocket-Protocol"); len(got) != 1 || got[0] != "parley.v1" {
		t.Errorf("%v", got)
	}
	w.join()
	bad := s.dial("a", speaks+", bearer."+signed+"x")
	bad.send(`{"type":"join","id":1}`)
	if m := bad.read(); m["code"] != "unauthorized" {
		t.Errorf("%v", m)
	}
	if code, _ := bad.closed(); code != 4501 {
		t.Errorf("closed with %d", code)
	}
	malformed := s.dial("a", "Sec-WebSocket-Protocol: bearer."+signed)
	if malformed.resp.StatusCode != http.StatusBadRequest {
		t.Errorf("%d", malformed.resp.StatusCode)
	}
	w.close(1000)
	s.until("the end", func(s signaling.Stats) bool { return s.Connections == 0 })
	if log := s.log.String(); strings.Contains(log, signed[:40]) || !strings.Contains(log, "act=join") {
		t.Errorf("the token is in the log, or nothing is: %s", log)
	}
}

func TestBadFrames(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	binary := s.open("a")
	binary.frame(fin|opBinary, 2, []byte("{}"))
	if m := binary.read(); m["code"] != "bad_message" {
		t.Errorf("%v", m)
	}
	if code, _ := binary.closed(); code != 4500 {
		t.Errorf("binary: closed with %d", code)
	}
	utf8 := s.open("a")
	utf8.send("{\"type\":\"join\",\"id\":1,\"name\":\"\xff\"}")
	if m := utf8.read(); m["code"] != "bad_message" {
		t.Errorf("%v", m)
	}
	reserved := s.open("a")
	reserved.frame(fin|0x40|opText, 2, []byte("{}"))
	if code, _ := reserved.closed(); code != 1002 {
		t.Errorf("a reserved bit: closed with %d", code)
	}
	unmasked := s.open("a")
	if _, err := unmasked.conn.Write([]byte{fin | opText, 2, '{', '}'}); err != nil {
		t.Fatal(err)
	}
	if code, _ := unmasked.closed(); code == 1000 {
		t.Errorf("an unmasked frame: closed with %d", code)
	}
	s.until("all gone", func(s signaling.Stats) bool { return s.Connections == 0 })
}

func TestTooBig(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	limit := s.rooms.MaxMessage()
	whole := s.open("a")
	whole.join()
	text := `{"type":"chat","id":2,"text":"` + strings.Repeat("x", limit) + `"}`
	whole.send(text)
	if m := whole.read(); m["code"] != "message_too_big" {
		t.Errorf("%v", m)
	}
	if code, _ := whole.closed(); code != 4509 {
		t.Errorf("closed with %d", code)
	}
	parts := s.open("b")
	parts.join()
	parts.frame(opText, 0, nil)
	for range limit/1000 + 1 {
		parts.frame(0, 1000, make([]byte, 1000))
	}
	if m := parts.read(); m["code"] != "message_too_big" {
		t.Errorf("%v", m)
	}
	if code, _ := parts.closed(); code != 4509 {
		t.Errorf("closed with %d", code)
	}
	s.until("all gone", func(s signaling.Stats) bool { return s.Connections == 0 && s.Sessions == 0 })
}

// Before a token was seen that is good, a connection holds 16 KiB; a join that shows one comes whole.
func TestStrangersHoldLittle(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789abcdef0123456789abcdef")
	s := newSite(t, func(cfg *signaling.Config) {
		var err error
		if cfg.Tokens, err = token.New(token.Config{Secrets: [][]byte{secret}}); err != nil {
			t.Fatal(err)
		}
	})
	good, err := token.Sign(secret, token.Claims{
		Room: "a", Identity: "ann", Can: []token.Permission{token.Subscribe}, Expires: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	join := func(token string) string {
		return `{"token":"` + token + `","type":"join","id":1,"more":"` + strings.Repeat("x", 60<<10) + `"}`
	}
	w := s.open("a")
	w.send(join(good))
	if m := w.read(); m["type"] != "welcome" {
		t.Errorf("%v", m)
	}
	w.send(`{"type":"chat","id":2,"text":"` + strings.Repeat("x", 30<<10) + `"}`)
	if m := w.read(); m["code"] == "message_too_big" {
		t.Errorf("who has joined: %v", m)
	}
	stranger := s.open("a")
	stranger.frame(fin|opText, 1<<18, []byte(join("x"))[:20<<10]) // and no more
	if m := stranger.read(); m["code"] != "unauthorized" {
		t.Errorf("%v", m)
	}
	s.until("gone", func(s signaling.Stats) bool { return s.Connections == 1 })
}

// A peer that stops in the middle of a frame that is too big: the close frame is sent, and the socket is cut.
func TestStalledInFrame(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.ws.cut = 300 * time.Millisecond
	w := s.open("a")
	w.frame(fin|opText, 1<<31-1, make([]byte, s.rooms.MaxMessage()+1))
	if m := w.read(); m["code"] != "message_too_big" {
		t.Errorf("%v", m)
	}
	s.until("cut", func(s signaling.Stats) bool { return s.Connections == 0 })
}

func quick(cfg *signaling.Config) {
	cfg.Timing = signaling.Timing{
		Join: 300 * time.Millisecond, Ping: 100 * time.Millisecond, Silence: 400 * time.Millisecond, Write: 300 * time.Millisecond,
	}
}

// A half-open socket: nothing comes, and nothing says that nothing will.
func TestHalfOpen(t *testing.T) {
	t.Parallel()
	s := newSite(t, quick)
	w := s.open("a")
	w.join()
	if code, _ := w.closed(); code != 4001 {
		t.Errorf("closed with %d", code)
	}
	s.until("detached", func(s signaling.Stats) bool { return s.Connections == 0 && s.Detached == 1 })
}

// Who connects and says nothing, or says it letter by letter, is sent away.
func TestSlowLoris(t *testing.T) {
	t.Parallel()
	s := newSite(t, quick)
	s.ws.cut = 300 * time.Millisecond
	silent := s.open("a")
	if code, _ := silent.closed(); code != 4006 {
		t.Errorf("closed with %d", code)
	}
	slow := s.open("a")
	slow.frame(fin|opText, 100, []byte(`{"type":`))
	s.until("cut", func(s signaling.Stats) bool { return s.Connections == 0 && s.Closes["4006"] == 2 })
}

// A peer that stops reading is closed as too slow; others do not notice.
func TestStopsReading(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(cfg *signaling.Config) {
		quick(cfg)
		cfg.Timing.Join, cfg.Timing.Silence = 10*time.Second, 25*time.Second
		cfg.Limits = signaling.Limits{MessagesPerSecond: 100_000, MessageBurst: 100_000}
	})
	stuck, ann := s.open("a"), s.open("a")
	stuck.join()
	ann.join()
	done := make(chan struct{})
	ahead := make(chan struct{}, 64) // Ann sends no further ahead of what she has read, or she would be the slow one on a busy machine
	go func() {                      // Ann reads all she is sent
		defer close(done)
		for {
			op, msg, err := ann.next()
			if err != nil || op == opClose {
				return
			}
			if !strings.Contains(string(msg), `"type":"message"`) {
				continue // replies go ahead of events: what she has read of those says nothing
			}
			select {
			case <-ahead:
			default:
			}
		}
	}()
	chat := `{"type":"chat","id":%,"text":"` + strings.Repeat("x", 4000) + `"}`
	for id := 2; s.rooms.Stats().Closes["4002"] == 0; id++ {
		if id > 20_000 {
			t.Fatal("80 MB, and nobody was too slow")
		}
		select {
		case ahead <- struct{}{}:
		case <-done:
			t.Fatal("the wrong one was closed")
		}
		ann.send(strings.Replace(chat, "%", strconv.Itoa(id), 1))
	}
	s.until("the slow one is gone", func(s signaling.Stats) bool { return s.Connections == 1 && s.Detached == 1 })
	select {
	case <-done:
		t.Error("the wrong one was closed")
	default:
	}
	_ = ann.conn.Close()
	<-done
}

func TestDraining(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	w := s.open("a")
	w.join()
	done := make(chan error)
	go func() { done <- s.rooms.Shutdown(t.Context()) }()
	if code, reason := w.closed(); code != 4000 || reason != "0" {
		t.Errorf("closed with %d %q", code, reason)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	late := s.dial("a", speaks)
	if late.resp.StatusCode != http.StatusServiceUnavailable || late.resp.Header.Get("Retry-After") != "1" {
		t.Errorf("%d %v", late.resp.StatusCode, late.resp.Header)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if _, err := New(Config{}); err == nil {
		t.Error("no rooms")
	}
	s := newSite(t, nil)
	if _, err := New(Config{Rooms: s.rooms, Origins: []string{"example.org"}}); err == nil {
		t.Error("no origin")
	}
	if _, err := New(Config{Rooms: s.rooms}); err != nil {
		t.Error(err)
	}
}
