package main

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestExposure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		env      []string
		refused  string // in the error
		listen   string
		udp      string
		admin    string
		localToo bool
	}{
		{name: "nothing set", listen: "127.0.0.1:8080", udp: ":7880", admin: "127.0.0.1:8081", localToo: true},
		{name: "other port", env: []string{"PARLEY_LISTEN=:9"}, listen: "127.0.0.1:9", udp: ":7880", admin: "127.0.0.1:8081", localToo: true},
		{name: "loopback by name", env: []string{"PARLEY_LISTEN=localhost:9", "PARLEY_UDP=[::1]:7"}, listen: "localhost:9", udp: "[::1]:7", admin: "127.0.0.1:8081"},
		{name: "all interfaces", env: []string{"PARLEY_LISTEN=0.0.0.0:80"}, refused: "PARLEY_LISTEN: 0.0.0.0:80 can be reached from other machines"},
		{name: "all interfaces, IPv6", env: []string{"PARLEY_TCP=[::]:80"}, refused: "PARLEY_TCP: [::]:80 can be reached"},
		{name: "a LAN address for media", env: []string{"PARLEY_UDP=192.168.1.2:7880"}, refused: "PARLEY_UDP: 192.168.1.2:7880 can be reached"},
		{name: "a name", env: []string{"PARLEY_LISTEN=meet.example.org:80"}, refused: "say --insecure"},
		{name: "admin", env: []string{"PARLEY_ADMIN=0.0.0.0:8081"}, refused: "PARLEY_ADMIN: 0.0.0.0:8081 can be reached"},
		{name: "secret", env: []string{"PARLEY_SECRET=" + testSecret, "PARLEY_ADMIN=:1"}, listen: ":8080", udp: ":7880", admin: "127.0.0.1:1"},
		{name: "insecure", env: []string{"PARLEY_INSECURE=true", "PARLEY_ADMIN=0.0.0.0:1", "PARLEY_UDP=192.0.2.1:1"}, listen: ":8080", udp: "192.0.2.1:1", admin: "0.0.0.0:1"},
		{name: "admin off", env: []string{"PARLEY_ADMIN=off"}, listen: "127.0.0.1:8080", udp: ":7880", admin: "off", localToo: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := mustLoad(t, c.env, "")
			err := l.exposed()
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("got %v, want %s", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if l.Listen != c.listen || l.UDP != c.udp || l.udpHere != (c.udp == ":7880" && c.localToo) || l.Admin != c.admin || (l.listenToo != "") != c.localToo {
				t.Errorf("listen %s, udp %s, admin %s, second %q", l.Listen, l.UDP, l.Admin, l.listenToo)
			}
		})
	}
}

func TestLite(t *testing.T) {
	t.Parallel()
	ips := func(list ...string) (out []netip.Addr) {
		for _, s := range list {
			out = append(out, netip.MustParseAddr(s))
		}
		return out
	}
	everywhere := netip.IPv6Unspecified()
	for _, c := range []struct {
		name string
		r    reach
		mode string
		want bool
	}{
		{"loopback", reach{bound: netip.MustParseAddr("127.0.0.1"), local: ips("10.0.0.1")}, "auto", true},
		{"behind a NAT", reach{bound: everywhere, local: ips("10.0.0.1", "172.17.0.1")}, "auto", false},
		{"behind a NAT with IPv6", reach{bound: everywhere, local: ips("192.168.1.2", "2600:1f18::1")}, "auto", false},
		{"carrier-grade NAT", reach{bound: everywhere, local: ips("100.64.1.2")}, "auto", false},
		{"behind a NAT, told its address", reach{bound: everywhere, public: ips("203.0.113.9"), local: ips("10.0.0.1")}, "auto", true},
		{"public interface", reach{bound: everywhere, local: ips("172.17.0.1", "198.51.100.7")}, "auto", true},
		{"IPv6 alone", reach{bound: everywhere, local: ips("2600:1f18::1")}, "auto", true},
		{"bound to a private address", reach{bound: netip.MustParseAddr("10.0.0.1"), local: ips("10.0.0.1", "198.51.100.7")}, "auto", false},
		{"told on", reach{bound: everywhere}, "on", true},
		{"told off", reach{bound: netip.MustParseAddr("127.0.0.1")}, "off", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.r.lite(c.mode); got != c.want {
				t.Errorf("lite is %v, want %v", got, c.want)
			}
		})
	}
}

func TestReachOfASocket(t *testing.T) {
	t.Parallel()
	r := newReach([]string{"2001:db8::1", "203.0.113.9"}, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1})
	if r.bound != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("bound to %v", r.bound)
	}
	if r.host() != netip.MustParseAddr("203.0.113.9") {
		t.Errorf("the host to name is %v, want the public IPv4 address", r.host())
	}
	if r = newReach(nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); r.host() != r.bound {
		t.Errorf("the host to name is %v, want the address bound to", r.host())
	}
}

func TestSuggestion(t *testing.T) {
	t.Parallel()
	names := []string{"listen", "udp", "tcp", "admin", "secret", "secret_file"}
	for got, want := range map[string]string{
		"lisen": `; did you mean "listen"?`, "lsiten": `; did you mean "listen"?`, "secrets": `; did you mean "secret"?`,
		"upd": `; did you mean "udp"?`, "database": "", "x": "",
	} {
		if s := suggestion(got, names); s != want {
			t.Errorf("%s: %q, want %q", got, s, want)
		}
	}
}
