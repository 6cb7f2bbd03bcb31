package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/parley/parley/internal/clientip"
)

func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trusted, peer, forwarded, want string
		warned                         bool
	}{
		"none":                      {"", "192.0.2.1:1", "198.51.100.1", "192.0.2.1", false},
		"none, but one stands here": {"", "127.0.0.1:1", "198.51.100.1", "127.0.0.1", true},
		"named":                     {"127.0.0.1", "127.0.0.1:1", "198.51.100.1", "198.51.100.1", false},
		"by prefix":                 {"172.16.0.0/12,::1", "172.18.0.1:1", "203.0.113.1, 198.51.100.1", "198.51.100.1", false},
		"mapped":                    {"::ffff:10.0.0.0/104", "10.2.0.1:1", "198.51.100.1", "198.51.100.1", false},
		"another":                   {"10.0.0.0/8", "192.0.2.1:1", "198.51.100.1", "192.0.2.1", false},
	} {
		l := mustLoad(t, []string{"PARLEY_TRUSTED_PROXIES=" + c.trusted}, "")
		var got netip.Addr
		var log bytes.Buffer
		h := l.behindProxies(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = clientip.Of(r) }),
			slog.New(slog.NewTextHandler(&log, nil)))
		for range 3 {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			r.Header.Set("X-Forwarded-For", c.forwarded)
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
		if got != netip.MustParseAddr(c.want) {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
		if n := strings.Count(log.String(), "trusted_proxies"); n > 1 || (n == 1) != c.warned {
			t.Errorf("%s: %d warnings, want one: %v", name, n, c.warned)
		}
	}
	if _, err := load([]string{"PARLEY_TRUSTED_PROXIES=proxy.local"}, "", nil); err == nil || !strings.Contains(err.Error(), "PARLEY_TRUSTED_PROXIES") {
		t.Errorf("a name is no prefix: %v", err)
	}
}
