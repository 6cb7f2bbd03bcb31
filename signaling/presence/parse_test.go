package presence

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/parley/parley/signaling/internal/eventlog"
)

func TestWantsStream(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"":                                         false,
		"text/event-stream":                        true,
		"Text/Event-Stream":                        true,
		" text/event-stream ; charset=utf-8":       true,
		"*/*":                                      false,
		"application/json":                         false,
		"text/*":                                   true,
		"image/png":                                false,
		"text/event-stream, */*":                   true,
		"*/*, text/event-stream":                   true,
		"text/event-stream;q=0":                    false,
		"text/event-stream;q=0, */*":               false,
		"text/event-stream;q=0.5, */*;q=0.1":       true,
		"text/event-stream;q=0.1, */*;q=0.5":       false,
		"application/json, text/event-stream":      true,
		"application/json, text/event-stream;q=.9": false,
		"application/json;q=0.5, text/event-stream;q=0.6": true,
		"application/json, text/*":                        false,
		"text/event-stream;q=2":                           false,
		"text/event-stream;q=NaN":                         false,
		"text/event-stream;q=-1":                          false,
		"text/event-stream;q=":                            false,
		"text/event-stream;q=1e400":                       false,
		"text/event-streams":                              false,
		"event-stream":                                    false,
		",,;q=1,;":                                        false,
		strings.Repeat("text/html,", 5000):                false,
	} {
		if got := wantsStream([]string{accept}); got != want {
			t.Errorf("%.60q: %v", accept, got)
		}
	}
	if wantsStream(nil) || !wantsStream([]string{"text/html", "text/event-stream"}) {
		t.Error("no header, or two of them")
	}
}

func TestParseFeedQuery(t *testing.T) {
	t.Parallel()
	timing := Timing{}.withDefaults()
	for raw, want := range map[string]feedQuery{
		"":                              {"", "", 25 * time.Second},
		"wait=":                         {"", "", 25 * time.Second},
		"wait=3s":                       {"", "", 3 * time.Second},
		"wait=3":                        {"", "", 3 * time.Second},
		"wait=0":                        {"", "", 0},
		"wait=1m30s":                    {"", "", time.Minute},
		"wait=1000h":                    {"", "", time.Minute},
		"wait=2147483647":               {"", "", time.Minute},
		"wait=1ns":                      {"", "", 1},
		"after=e.1&wait=1s&x=y":         {"", "e.1", time.Second},
		"after=e%2E1":                   {"", "e.1", 25 * time.Second},
		"after=a&after=b":               {"", "a", 25 * time.Second},
		"access_token=t":                {"t", "", 25 * time.Second},
		"access_token=t&access_token=u": {"t,u", "", 25 * time.Second},
	} {
		if got, err := parseFeedQuery(raw, timing); err != nil || got != want {
			t.Errorf("%q: %+v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{
		"wait=-1s", "wait=-1", "wait=x", "wait=1,5s", "wait=25 s", "wait=0x10", "wait=1e3", "wait=99999999999999999999s",
		"wait=2147483648", "wait=%ff", "after=%", "after=%zz", "a;b", "access_token=%",
	} {
		if got, err := parseFeedQuery(raw, timing); err == nil {
			t.Errorf("%q: %+v", raw, got)
		}
	}
}

func TestResumeFrom(t *testing.T) {
	t.Parallel()
	good := eventlog.Position{Epoch: "e", Seq: 1}
	for _, c := range []struct {
		header, after string
		want          eventlog.Position
		named         bool
	}{
		{"", "", eventlog.Position{}, false},
		{"e.1", "", good, true},
		{"", "e.1", good, true},
		{"e.1", "f.2", good, true},
		{"rubbish", "e.1", eventlog.Position{}, true},
		{strings.Repeat("9", 1<<16), "", eventlog.Position{}, true},
	} {
		h := http.Header{}
		if c.header != "" {
			h.Set("Last-Event-ID", c.header)
		}
		if got, named := resumeFrom(h, feedQuery{after: c.after}); got != c.want || named != c.named {
			t.Errorf("%.20q, %q: %v, %v", c.header, c.after, got, named)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		`"e.1"`: true, `W/"e.1"`: true, `"a", "e.1"`: true, `*`: true, `"e.2"`: false, `e.1`: false, ``: false, `"e.1`: false,
	} {
		if got := matches([]string{header}, `"e.1"`); got != want {
			t.Errorf("%s: %v", header, got)
		}
	}
}

func TestAppendEvent(t *testing.T) { // not parallel: it counts allocations
	at := eventlog.Position{Epoch: "e", Seq: 7}
	for data, want := range map[string]string{
		`{"a":1}`:     "id: e.7\nevent: joined\ndata: {\"a\":1}\n\n",
		"{\n\"a\":1}": "id: e.7\nevent: joined\ndata: {\ndata: \"a\":1}\n\n",
		"\r":          "id: e.7\nevent: joined\ndata: \ndata: \n\n",
	} {
		if got := string(appendEvent(nil, at, "joined", []byte(data))); got != want {
			t.Errorf("%q: %q", data, got)
		}
	}
	b, data := make([]byte, 0, 512), []byte(`{"type":"joined"}`)
	if n := testing.AllocsPerRun(100, func() { b = appendEvent(b[:0], at, "joined", data) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	base := Config{Rooms: noRooms{}}
	for _, o := range []string{"https://example.org", "http://localhost:5173", "https://*.example.org", "*"} {
		c := base
		c.Origins = []string{o}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", o, err)
		}
	}
	for _, o := range []string{"", "example.org", "//example.org", "https://example.org/", "https://", "ftp://x", "https://*.*.org", "null", "https://u@x", "https://x?y"} {
		c := base
		c.Origins = []string{o}
		if err := c.Validate(); err == nil {
			t.Errorf("%q is taken", o)
		}
	}
	for _, c := range []Config{
		{},
		{Rooms: noRooms{}, MaxWatchers: -1},
		{Rooms: noRooms{}, Timing: Timing{Retry: -1}},
		{Rooms: noRooms{}, Timing: Timing{Wait: time.Hour}},
		{Rooms: noRooms{}, Timing: Timing{Stream: 48 * time.Hour}},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

type noRooms struct{ Rooms }

func FuzzFeedQuery(f *testing.F) {
	f.Add("after=e.1&wait=25s", "e.2")
	f.Add("access_token=a.b.c&wait=-1", "")
	f.Add("%zz;", "\x00")
	timing := Timing{}.withDefaults()
	f.Fuzz(func(t *testing.T, raw, lastEventID string) {
		q, err := parseFeedQuery(raw, timing)
		if err != nil {
			return
		}
		if q.wait < 0 || q.wait > timing.MaxWait {
			t.Errorf("%q waits %v", raw, q.wait)
		}
		pos, named := resumeFrom(http.Header{"Last-Event-Id": {lastEventID}}, q)
		if named != (lastEventID != "" || q.after != "") {
			t.Errorf("%q, %q: named %v", raw, lastEventID, named)
		}
		if !utf8.ValidString(pos.String()) || strings.ContainsAny(pos.String(), "\r\n\"") {
			t.Errorf("position %q would break a stream", pos)
		}
	})
}

func FuzzAccept(f *testing.F) {
	f.Add("text/event-stream;q=0.5, */*")
	f.Add(";;,q=")
	f.Fuzz(func(t *testing.T, accept string) {
		if wantsStream([]string{accept}) && !strings.Contains(strings.ToLower(accept), "text/") {
			t.Errorf("%q wants a stream", accept)
		}
	})
}
