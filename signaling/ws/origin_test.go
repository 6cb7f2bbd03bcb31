package ws

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
)

func TestOrigins(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		configured string
		host       string
		tls        bool
		forwarded  string
		origin     []string
		allowed    bool
	}{
		{name: "no browser", host: "example.org", allowed: true},
		{name: "own", host: "example.org", origin: []string{"http://example.org"}, allowed: true},
		{name: "own, TLS", host: "example.org", tls: true, origin: []string{"https://example.org"}, allowed: true},
		{name: "own, with a port", host: "localhost:8080", origin: []string{"http://localhost:8080"}, allowed: true},
		{name: "own, IPv6", host: "[::1]:8080", origin: []string{"http://[::1]:8080"}, allowed: true},
		{name: "default port", host: "example.org:443", tls: true, origin: []string{"https://example.org"}, allowed: true},
		{name: "case", host: "Example.org", origin: []string{"http://EXAMPLE.org"}, allowed: true},
		{name: "another scheme", host: "example.org", tls: true, origin: []string{"http://example.org"}},
		{name: "another scheme (2)", host: "example.org", origin: []string{"https://example.org"}},
		{name: "another port", host: "example.org:8080", origin: []string{"http://example.org"}},
		{name: "another host", host: "example.org", origin: []string{"http://evil.org"}},
		{name: "a longer host", host: "example.org", origin: []string{"http://example.org.evil.org"}},
		{name: "a subdomain", host: "example.org", origin: []string{"http://a.example.org"}},
		{name: "behind TLS", host: "example.org", forwarded: "https", origin: []string{"https://example.org"}, allowed: true},
		{name: "behind TLS, page without", host: "example.org", forwarded: "https", origin: []string{"http://example.org"}},
		{name: "null", host: "example.org", origin: []string{"null"}},
		{name: "empty", host: "example.org", origin: []string{""}},
		{name: "two", host: "example.org", origin: []string{"http://example.org", "http://evil.org"}},
		{name: "a path", host: "example.org", origin: []string{"http://example.org/"}},
		{name: "a user", host: "example.org", origin: []string{"http://example.org@evil.org"}},
		{name: "a file", host: "example.org", origin: []string{"file:///etc/passwd"}},
		{name: "configured", configured: "https://app.org", host: "example.org", origin: []string{"https://app.org"}, allowed: true},
		{name: "configured, default port", configured: "https://app.org:443", host: "x", origin: []string{"https://app.org"}, allowed: true},
		{name: "configured, another scheme", configured: "https://app.org", host: "example.org", origin: []string{"http://app.org"}},
		{name: "wildcard", configured: "https://*.app.org", host: "x", origin: []string{"https://a.app.org"}, allowed: true},
		{name: "wildcard, deeper", configured: "https://*.app.org", host: "x", origin: []string{"https://a.b.app.org"}, allowed: true},
		{name: "wildcard, none", configured: "https://*.app.org", host: "x", origin: []string{"https://app.org"}},
		{name: "wildcard, empty", configured: "https://*.app.org", host: "x", origin: []string{"https://.app.org"}},
		{name: "wildcard, other end", configured: "https://*.app.org", host: "x", origin: []string{"https://a.app.org.evil.org"}},
		{name: "wildcard in the origin", configured: "https://*.app.org", host: "x", origin: []string{"https://*.app.org"}},
		{name: "all", configured: "*", host: "x", origin: []string{"https://evil.org"}, allowed: true},
		{name: "all but two", configured: "*", host: "x", origin: []string{"https://a.org", "https://b.org"}},
	} {
		r := &http.Request{Host: c.host, Header: http.Header{}}
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-Proto", c.forwarded)
		}
		for _, o := range c.origin {
			r.Header.Add("Origin", o)
		}
		var configured []string
		if c.configured != "" {
			configured = []string{c.configured}
			if err := checkOrigin(c.configured); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if got := newOrigins(configured).allow(r); got != c.allowed {
			t.Errorf("%s: allowed is %v", c.name, got)
		}
	}
}

func TestCheckOrigin(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"", "example.org", "https://", "https://example.org/", "https://example.org/x", "ftp://example.org", "null",
		"https://*.*.org", "https://a@b.org", "https://example.org?x", "https://example.org#x", "http*://example.org", "**",
	} {
		if err := checkOrigin(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestSubprotocols(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header []string
		bearer string
		ok     bool
	}{
		{[]string{"parley.v1"}, "", true},
		{[]string{"parley.v1, bearer.a.b.c"}, "a.b.c", true},
		{[]string{"bearer.a.b.c , parley.v1"}, "a.b.c", true},
		{[]string{"bearer.a.b.c", "parley.v1"}, "a.b.c", true},
		{[]string{"chat, parley.v1"}, "", true},
		{nil, "", false},
		{[]string{""}, "", false},
		{[]string{"chat"}, "", false},
		{[]string{"bearer.a.b.c"}, "", false},
		{[]string{"parley.v2"}, "", false},
		{[]string{"parley.v1, bearer."}, "", false},
		{[]string{"parley.v1, bearer.a, bearer.b"}, "", false},
		{[]string{"parley.v1, bearer." + strings.Repeat("x", 8193)}, "", false},
	} {
		bearer, err := subprotocols(c.header)
		if bearer != c.bearer || (err == nil) != c.ok {
			t.Errorf("%.60q: %q, %v", c.header, bearer, err)
		}
		if err != nil && (strings.Contains(err.Error(), ".a") || strings.Contains(err.Error(), "xx")) {
			t.Errorf("the error quotes the token: %v", err)
		}
	}
}

func FuzzSubprotocols(f *testing.F) {
	for _, s := range []string{"", "parley.v1", "parley.v1, bearer.a.b.c", ",,,", "bearer.,parley.v1", "bearer.a,bearer.a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		bearer, err := subprotocols([]string{header})
		if err != nil {
			if bearer != "" {
				t.Errorf("a token beside the error %v", err)
			}
			return
		}
		if strings.ContainsAny(bearer, ", ") || len(bearer) > maxBearer || !strings.Contains(header, protocol) ||
			bearer != "" && !strings.Contains(header, bearerPrefix+bearer) {
			t.Errorf("%q gives %q", header, bearer)
		}
	})
}

func FuzzOrigin(f *testing.F) {
	for _, s := range []string{"", "null", "https://example.org", "http://[::1]:80", "https://*.x", "http://a@b", "HTTP://A:80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		origin, ok := parseOrigin(s)
		if !ok {
			return
		}
		again, ok := parseOrigin(origin)
		if !ok || again != origin {
			t.Errorf("%q gives %q, which gives %q %v", s, origin, again, ok)
		}
	})
}
