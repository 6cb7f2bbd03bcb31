package presence_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley/parley/signaling/presence"
	"github.com/parley/parley/signaling/token"
)

var secret = []byte("a secret of more than thirty-two bytes")

func sign(t testing.TB, room string, ttl time.Duration, can ...token.Permission) string {
	t.Helper()
	s, err := token.Sign(secret, token.Claims{Room: room, Identity: "x", Can: can, Expires: time.Now().Add(ttl)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func guarded(t testing.TB) presence.Config {
	t.Helper()
	v, err := token.New(token.Config{Secrets: [][]byte{secret}})
	if err != nil {
		t.Fatal(err)
	}
	return presence.Config{Tokens: v}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{}, 0)
	resp, body := g.get("/v1/rooms/empty")
	var empty struct {
		Room, Position string
		Participants   []any
	}
	if err := json.Unmarshal([]byte(body), &empty); err != nil || empty.Room != "empty" || empty.Participants == nil || len(empty.Participants) != 0 {
		t.Errorf("%s, %v", body, err)
	}
	tag := resp.Header.Get("ETag")
	if tag != `"`+empty.Position+`.m"` /* without tokens everybody may moderate */ || resp.Header.Get("Cache-Control") != "no-cache" || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v", resp.Header)
	}
	room := g.rooms.Room("empty")
	room.Whisper("private: nothing changed for watchers")
	resp, body = g.get("/v1/rooms/empty", "If-None-Match: "+tag)
	if resp.StatusCode != http.StatusNotModified || body != "" || resp.Header.Get("ETag") != tag {
		t.Errorf("%d %q %v", resp.StatusCode, body, resp.Header)
	}
	room.Join("ann")
	resp, body = g.get("/v1/rooms/empty", "If-None-Match: "+tag)
	if resp.StatusCode != http.StatusOK || !strings.Contains(body, `"ann"`) || resp.Header.Get("ETag") == tag {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if n := room.Feeds(); n != 0 {
		t.Errorf("%d feeds kept", n)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	g := newRig(t, guarded(t), 0)
	g.rooms.Room("b").Join("ann")
	g.rooms.Room("a").Join("bob")
	g.rooms.Room("nobody")
	for bearer, want := range map[string][]string{
		sign(t, "*", time.Hour, token.List):      {"a", "b"},
		sign(t, "b", time.Hour, token.List):      {"b"},
		sign(t, "nobody", time.Hour, token.List): {},
	} {
		_, body := g.get("/v1/rooms", "Authorization: Bearer "+bearer)
		var got struct{ Rooms []presence.RoomSummary }
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, r := range got.Rooms {
			names = append(names, r.Room)
		}
		if diff := cmp.Diff(want, names); diff != "" || got.Rooms == nil {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	g := newRig(t, guarded(t), 0)
	watch := sign(t, "r", time.Hour, token.Watch)
	const feed, room, list = "/v1/rooms/r/events?wait=0&", "/v1/rooms/r?", "/v1/rooms?"
	for name, c := range map[string]struct {
		path, bearer string
		want         int
		challenge    string
	}{
		"none":                         {room, "", 401, `Bearer realm="parley"`},
		"none, feed":                   {feed, "", 401, `Bearer realm="parley"`},
		"none, list":                   {list, "", 401, `Bearer realm="parley"`},
		"good":                         {room, "Bearer " + watch, 200, ""},
		"good, feed":                   {feed, "Bearer " + watch, 200, ""},
		"in the query, feed":           {feed + "access_token=" + watch, "", 200, ""},
		"in the query, not a feed":     {room + "access_token=" + watch, "", 401, `Bearer realm="parley"`},
		"in the query, list":           {list + "access_token=" + sign(t, "*", time.Hour, token.List), "", 401, `Bearer realm="parley"`},
		"header before query":          {feed + "access_token=" + watch, "Bearer rubbish", 401, `Bearer realm="parley", error="invalid_token"`},
		"rubbish in the query":         {feed + "access_token=%00", "", 401, `Bearer realm="parley", error="invalid_token"`},
		"two in the query":             {feed + "access_token=" + watch + "&access_token=" + watch, "", 401, `Bearer realm="parley", error="invalid_token"`},
		"basic":                        {room, "Basic YTpi", 401, `Bearer realm="parley", error="invalid_token"`},
		"huge":                         {room, "Bearer " + strings.Repeat("a", 100_000), 401, `Bearer realm="parley", error="invalid_token"`},
		"expired":                      {room, "Bearer " + sign(t, "r", -time.Minute, token.Watch), 401, `Bearer realm="parley", error="invalid_token", error_description="expired"`},
		"another room":                 {room, "Bearer " + sign(t, "s", time.Hour, token.Watch), 403, `Bearer realm="parley", error="insufficient_scope"`},
		"another room, feed":           {feed, "Bearer " + sign(t, "s", time.Hour, token.Watch), 403, `Bearer realm="parley", error="insufficient_scope"`},
		"any room":                     {room, "Bearer " + sign(t, "*", time.Hour, token.Watch), 200, ""},
		"no watch":                     {room, "Bearer " + sign(t, "r", time.Hour, token.Publish, token.List), 403, `Bearer realm="parley", error="insufficient_scope"`},
		"no list":                      {list, "Bearer " + watch, 403, `Bearer realm="parley", error="insufficient_scope"`},
		"list":                         {list, "Bearer " + sign(t, "*", time.Hour, token.List), 200, ""},
		"nothing granted":              {room, "Bearer " + sign(t, "r", time.Hour), 403, `Bearer realm="parley", error="insufficient_scope"`},
		"the scheme in any case":       {room, "bEARER " + watch, 200, ""},
		"bad query, and no token":      {feed + "wait=x", "", 400, ""},
		"a bad room, and no token":     {"/v1/rooms/a%20b?", "", 401, `Bearer realm="parley"`},
		"a bad room, and a good token": {"/v1/rooms/a%20b?", "Bearer " + sign(t, "*", time.Hour, token.Watch), 400, ""},
	} {
		var header []string
		if c.bearer != "" {
			header = append(header, "Authorization: "+c.bearer)
		}
		if strings.Contains(c.path, "wait=x") {
			c.path = strings.Replace(c.path, "wait=0&", "", 1)
		}
		resp, body := g.get(c.path, header...)
		if resp.StatusCode != c.want || resp.Header.Get("WWW-Authenticate") != c.challenge {
			t.Errorf("%s: %d %s, %q", name, resp.StatusCode, body, resp.Header.Get("WWW-Authenticate"))
		}
		if c.want >= 400 {
			checkError(t, name, body)
		}
	}
	st := g.server.Stats()
	if st.Unauthorized == 0 || st.Forbidden == 0 {
		t.Errorf("%+v", st)
	}
}

func checkError(t *testing.T, name, body string) {
	t.Helper()
	var e struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil || e.Error.Code == "" || e.Error.Message == "" {
		t.Errorf("%s: %s, %v", name, body, err)
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{}, 0)
	for path, want := range map[string]int{
		"/v1/rooms/r/events?wait=x":                              400,
		"/v1/rooms/r/events?wait=-1s":                            400,
		"/v1/rooms/r/events?after=%zz":                           400,
		"/v1/rooms/r/events?a;b":                                 400,
		"/v1/rooms/r/events?after=rubbish":                       200, // an unknown position: a snapshot
		"/v1/rooms/r/events?after=" + strings.Repeat("9", 50000): 200,
		"/v1/rooms/" + strings.Repeat("r", 65):                   400,
		"/v1/rooms/%2e%2e":                                       400,
		"/v1/rooms/%2e/events":                                   400,
		"/v1/rooms/" + strings.Repeat("r", 64):                   200,
		"/v1/rooms/a%2Fb":                                        400,
		"/v1/rooms/%00/events":                                   400,
		"/v1/rooms/caf%C3%A9":                                    400,
		"/v1/rooms/a/b":                                          404,
		"/v1/rooms/a/events/":                                    404,
		"/v1/rooms/":                                             404,
		"/other":                                                 404,
	} {
		resp, body := g.get(path)
		if resp.StatusCode != want {
			t.Errorf("%.60s: %d %s", path, resp.StatusCode, body)
		}
		if want >= 400 {
			checkError(t, path, body)
		}
	}
	if resp, _ := g.get("/v1/rooms/r", "X-Big: "+strings.Repeat("x", 2<<20)); resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("2 MiB of header: %d", resp.StatusCode)
	}
	// An EventSource that names rubbish is served, not refused: it would stop for good.
	s := g.stream(t.Context(), "/v1/rooms/r/events?after=rubbish", "Last-Event-ID: "+strings.Repeat("9", 100_000))
	s.mustNext(t, "snapshot")
}

func TestMethods(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{}, 0)
	for _, path := range []string{"/v1/rooms", "/v1/rooms/r", "/v1/rooms/r/events"} {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} {
			resp := g.do(t.Context(), method, path)
			resp.Body.Close()
			if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
				t.Errorf("%s %s: %d %v", method, path, resp.StatusCode, resp.Header)
			}
		}
		resp := g.do(t.Context(), http.MethodOptions, path)
		resp.Body.Close()
		if resp.StatusCode != http.StatusNoContent || resp.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("OPTIONS %s: %d %v", path, resp.StatusCode, resp.Header)
		}
		for _, accept := range []string{"", "text/event-stream"} {
			resp := g.do(t.Context(), http.MethodHead, path, "Accept: "+accept)
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			want := "application/json"
			if accept != "" && strings.HasSuffix(path, "events") {
				want = accept
			}
			if resp.StatusCode != http.StatusOK || len(body) > 0 || err != nil || resp.Header.Get("Content-Type") != want {
				t.Errorf("HEAD %s: %d %q %v", path, resp.StatusCode, body, resp.Header)
			}
		}
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	const page = "https://page.example.org"
	open := newRig(t, presence.Config{Origins: []string{page}}, 0)
	closed := newRig(t, presence.Config{}, 0)
	for _, c := range []struct {
		g            *rig
		origin, want string
	}{
		{open, page, page},
		{open, "http://page.example.org", ""}, // the scheme counts
		{open, "https://page.example.org.evil.example", ""},
		{open, "null", ""},
		{closed, page, ""},
	} {
		resp, _ := c.g.get("/v1/rooms/r", "Origin: "+c.origin)
		if got := resp.Header.Get("Access-Control-Allow-Origin"); got != c.want {
			t.Errorf("%s: %q", c.origin, got)
		}
		if resp.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Error("cookies are none of our business")
		}
		pre := c.g.do(t.Context(), http.MethodOptions, "/v1/rooms/r/events", "Origin: "+c.origin,
			"Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization")
		pre.Body.Close()
		if got := pre.Header.Get("Access-Control-Allow-Origin"); got != c.want {
			t.Errorf("preflight from %s: %q", c.origin, got)
		}
		if got := pre.Header.Get("Access-Control-Allow-Headers"); (got == "authorization") != (c.want != "") {
			t.Errorf("preflight from %s allows %q", c.origin, got)
		}
	}
}

// What a query string holds is nowhere in the log, even at Debug, and even when things go wrong.
func TestTokensAreNotLogged(t *testing.T) {
	t.Parallel()
	var logged safeBuffer
	cfg := guarded(t)
	cfg.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg.Timing.Stream = time.Millisecond
	g := newRig(t, cfg, 0)
	bearer := sign(t, "r", time.Hour, token.Watch)
	s := g.stream(t.Context(), "/v1/rooms/r/events?access_token="+bearer)
	s.mustNext(t, "snapshot")
	if _, err := s.next(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	g.get("/v1/rooms/r/events?access_token=" + bearer + "rubbish")
	waitFor(t, "the end of the stream in the log", func() bool { return strings.Contains(logged.String(), "stream ended") })
	if strings.Contains(logged.String(), bearer[:20]) {
		t.Error(logged.String())
	}
}

func TestUnavailableRooms(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{}, 0)
	g.rooms.Fail(errors.New("shutting down"))
	for _, path := range []string{"/v1/rooms/r", "/v1/rooms/r/events"} {
		resp, body := g.get(path)
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
		checkError(t, path, body)
	}
	s := g.stream(t.Context(), "/v1/rooms/r/events")
	if e, err := s.next(); !errors.Is(err, io.EOF) || s.retry == "" {
		t.Errorf("%+v, %v, retry %q; want a retry time and the end", e, err, s.retry)
	}
	g.rooms.Fail(nil)
	g.stream(t.Context(), "/v1/rooms/r/events").mustNext(t, "snapshot")
}

func TestPollAnswers(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{}, 0)
	room := g.rooms.Room("r")
	type answer struct {
		Room, Position string
		Snapshot       *struct{ Position string }
		Events         []struct{ Type, Position string }
	}
	poll := func(query string) answer {
		resp, body := g.get("/v1/rooms/r/events?" + query)
		var a answer
		if err := json.Unmarshal([]byte(body), &a); err != nil || a.Events == nil || a.Room != "r" {
			t.Fatalf("%s, %v", body, err)
		}
		if resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%v", resp.Header)
		}
		return a
	}
	first := poll("")
	if first.Snapshot == nil || first.Snapshot.Position != first.Position || len(first.Events) != 0 {
		t.Fatalf("%+v", first)
	}
	again := poll("wait=10ms&after=" + first.Position)
	if again.Snapshot != nil || again.Position != first.Position || len(again.Events) != 0 {
		t.Errorf("nothing new: %+v", again)
	}
	for _, after := range []string{"", "rubbish", "unknown.0", strings.Replace(first.Position, ".0", ".7", 1)} {
		if a := poll("after=" + after); a.Snapshot == nil {
			t.Errorf("after=%s: %+v", after, a)
		}
	}
	begin := time.Now()
	late := make(chan answer, 1)
	go func() { late <- poll("wait=20s&after=" + first.Position) }()
	waitFor(t, "the poll to wait", func() bool { return g.server.Stats().Watchers == 1 })
	room.Join("ann")
	news := <-late
	if len(news.Events) != 1 || news.Events[0].Type != "joined" || news.Position != news.Events[0].Position {
		t.Errorf("%+v", news)
	}
	room.Leave("ann")
	room.Join("bob")
	if both := poll("wait=20s&after=" + news.Position); len(both.Events) != 2 {
		t.Errorf("%+v", both)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// safeBuffer is a bytes.Buffer for several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Who was removed from a room does not go on watching it.
func TestBarred(t *testing.T) {
	t.Parallel()
	g := newRig(t, guarded(t), 0)
	bearer := "Authorization: Bearer " + sign(t, "r", time.Hour, token.Watch)
	if res, _ := g.get("/v1/rooms/r", bearer); res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	g.rooms.Bar("x")
	for _, path := range []string{"/v1/rooms/r", "/v1/rooms/r/events"} {
		if res, body := g.get(path, bearer); res.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
	}
}
