package clientip

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

var proxies = Proxies{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}

// of is what a handler behind proxies takes for the client's address.
func of(p Proxies, remote string, forwarded ...string) netip.Addr {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = remote
	for _, line := range forwarded {
		r.Header.Add("X-Forwarded-For", line)
	}
	var got netip.Addr
	p.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = Of(r) })).ServeHTTP(httptest.NewRecorder(), r)
	return got
}

func TestClientOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		remote    string
		forwarded []string
		want      string
	}{
		"no proxy":                       {"192.0.2.1:5000", nil, "192.0.2.1"},
		"no proxy, and a lie":            {"192.0.2.1:5000", []string{"198.51.100.1"}, "192.0.2.1"},
		"IPv6 with a zone":               {"[fe80::1%eth0]:5000", nil, "fe80::1"},
		"IPv4 on an IPv6 socket":         {"[::ffff:192.0.2.1]:5000", nil, "192.0.2.1"},
		"a proxy that says nothing":      {"127.0.0.1:5000", nil, "127.0.0.1"},
		"a proxy":                        {"127.0.0.1:5000", []string{"198.51.100.1"}, "198.51.100.1"},
		"a mapped proxy":                 {"[::ffff:127.0.0.1]:5000", []string{"198.51.100.1"}, "198.51.100.1"},
		"a proxy that appends to a lie":  {"127.0.0.1:5000", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		"in lines":                       {"127.0.0.1:5000", []string{"203.0.113.9", "198.51.100.1"}, "198.51.100.1"},
		"two proxies":                    {"127.0.0.1:5000", []string{"203.0.113.9, 198.51.100.1, 10.1.2.3"}, "198.51.100.1"},
		"two proxies in lines":           {"127.0.0.1:5000", []string{"203.0.113.9, 198.51.100.1", "10.1.2.3"}, "198.51.100.1"},
		"a lie that names a proxy":       {"127.0.0.1:5000", []string{"10.9.9.9, 198.51.100.1"}, "198.51.100.1"},
		"proxies alone":                  {"127.0.0.1:5000", []string{"10.9.9.9, 10.1.2.3"}, "10.9.9.9"},
		"with a port":                    {"127.0.0.1:5000", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		"IPv6":                           {"[fd00::1]:5000", []string{"2001:db8::1"}, "2001:db8::1"},
		"IPv6 in brackets":               {"[fd00::1]:5000", []string{"[2001:db8::1]"}, "2001:db8::1"},
		"IPv6 with a port":               {"[fd00::1]:5000", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		"a word":                         {"127.0.0.1:5000", []string{"198.51.100.1, unknown"}, "127.0.0.1"},
		"a word behind the second proxy": {"127.0.0.1:5000", []string{"unknown, 10.1.2.3"}, "10.1.2.3"},
		"nothing":                        {"127.0.0.1:5000", []string{""}, "127.0.0.1"},
		"commas":                         {"127.0.0.1:5000", []string{"198.51.100.1,,"}, "127.0.0.1"},
	} {
		if got := of(proxies, c.remote, c.forwarded...); got != netip.MustParseAddr(c.want) {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
	if got := of(nil, "127.0.0.1:5000", "198.51.100.1"); got != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("with no proxy trusted: %v", got)
	}
	if got := of(proxies, "@"); got.IsValid() {
		t.Errorf("no IP: %v", got)
	}
}

func TestGroup(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"192.0.2.1":         "192.0.2.1/32",
		"::ffff:192.0.2.1":  "192.0.2.1/32",
		"2001:db8:1:2:3::4": "2001:db8:1:2::/64",
		"fe80::1%eth0":      "fe80::/64",
		"::1":               "::1/128",
	} {
		if got := Group(netip.MustParseAddr(addr)); got != netip.MustParsePrefix(want) {
			t.Errorf("%s: %v, want %s", addr, got, want)
		}
	}
	if got := Group(netip.Addr{}); got.IsValid() {
		t.Errorf("no address: %v", got)
	}
}

// FuzzForwarded: whatever a client writes, and however the proxy passes it on, the client's address is the one that the proxy saw.
func FuzzForwarded(f *testing.F) {
	f.Add("", "198.51.100.1")
	f.Add("unknown, [::1]:80,", "2001:db8::1")
	f.Add("10.0.0.1, 127.0.0.1", "192.0.2.7")
	f.Fuzz(func(t *testing.T, written, saw string) {
		client, err := netip.ParseAddr(saw)
		if err != nil || proxies.Trust(client) || strings.Trim(client.Zone(), "0123456789abcdefghijklmnopqrstuvwxyz") != "" {
			t.Skip() // a proxy does not write whatever passes for a zone
		}
		want := client.Unmap().WithZone("")
		for name, lines := range map[string][]string{
			"one line":  {written + ", " + saw},
			"two lines": {written, saw},
			"two hops":  {written, saw, "10.0.0.2"},
			"with port": {written + "," + netip.AddrPortFrom(client, 9).String()},
		} {
			if got := of(proxies, "127.0.0.1:1", lines...); got != want {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
		if got := of(proxies, "192.0.2.1:1", written); got != netip.MustParseAddr("192.0.2.1") {
			t.Errorf("from a stranger %q means %v", written, got)
		}
		if a := Parse(written); a.IsValid() && (a.Zone() != "" || a.Is4In6() || strings.Contains(a.String(), "%")) {
			t.Errorf("%q is %v", written, a)
		}
	})
}
