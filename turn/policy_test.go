package turn

import (
	"net/netip"
	"testing"
	"time"
)

// someRelays are live relay ports.
type someRelays map[uint16]bool

func (r someRelays) live(port uint16) bool { return r[port] }

func addrs(list ...string) []netip.Addr {
	out := make([]netip.Addr, len(list))
	for i, s := range list {
		out[i] = netip.MustParseAddr(s)
	}
	return out
}

func TestDenyList(t *testing.T) {
	t.Parallel()
	p := newPolicy(Config{RelayIP: netip.MustParseAddr("5.6.7.8")}, nil, someRelays{})
	for _, tt := range []struct {
		first, last string // both refused
		outside     string // beside them, allowed; empty: see below
	}{
		{"0.0.0.0", "0.255.255.255", "1.0.0.0"},
		{"10.0.0.0", "10.255.255.255", "11.0.0.0"},
		{"100.64.0.0", "100.127.255.255", "100.128.0.0"},
		{"127.0.0.0", "127.255.255.255", "128.0.0.0"},
		{"169.254.0.0", "169.254.255.255", "169.255.0.0"},
		{"172.16.0.0", "172.31.255.255", "172.32.0.0"},
		{"192.0.0.0", "192.0.0.255", "192.0.1.0"},
		{"192.0.2.0", "192.0.2.255", "192.0.3.0"},
		{"192.88.99.0", "192.88.99.255", "192.88.100.0"},
		{"192.168.0.0", "192.168.255.255", "192.169.0.0"},
		{"198.18.0.0", "198.19.255.255", "198.20.0.0"},
		{"198.51.100.0", "198.51.100.255", "198.51.101.0"},
		{"203.0.113.0", "203.0.113.255", "203.0.114.0"},
		{"224.0.0.0", "239.255.255.255", "223.255.255.255"},
		{"240.0.0.0", "255.255.255.255", ""},
		{"::", "::", ""},
		{"::1", "::1", ""},
		{"64:ff9b::", "64:ff9b::ffff:ffff", ""},
		{"64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", ""},
		{"100::", "100::ffff:ffff:ffff:ffff", ""},
		{"2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
		{"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", ""},
		{"2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
		{"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
		{"fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
		{"fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
		{"ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
		{"::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8"}, // IPv4 in disguise
		{"fe80::1%eth0", "::1%lo", ""},
	} {
		for _, s := range []string{tt.first, tt.last} {
			ip := netip.MustParseAddr(s)
			if reason, ok := p.permit(ip); ok || reason != DeniedPeer {
				t.Errorf("permit %v: %v, %v", ip, reason, ok)
			}
			if reason, ok := p.send(netip.AddrPortFrom(ip, 4000)); ok || reason != DeniedPeer {
				t.Errorf("send %v: %v, %v", ip, reason, ok)
			}
		}
		if tt.outside == "" {
			continue
		}
		ip := netip.MustParseAddr(tt.outside)
		if reason, ok := p.permit(ip); !ok {
			t.Errorf("permit %v: %v", ip, reason)
		}
		if reason, ok := p.send(netip.AddrPortFrom(ip, 4000)); !ok {
			t.Errorf("send %v: %v", ip, reason)
		}
	}
	for _, ip := range addrs("2606:4700::1", "2a00:1450::1") { // public, but there is no IPv6 relay
		if reason, ok := p.permit(ip); ok || reason != PeerFamily {
			t.Errorf("permit %v: %v, %v", ip, reason, ok)
		}
	}
	if _, ok := p.permit(netip.Addr{}); ok {
		t.Error("no address was permitted")
	}
	if _, ok := p.send(netip.AddrPort{}); ok {
		t.Error("sent to no address")
	}
}

func TestPolicyAboutThisHost(t *testing.T) {
	t.Parallel()
	p := newPolicy(Config{
		RelayIP: netip.MustParseAddr("198.51.100.7"), // outside of a 1:1 NAT
		Media: []netip.AddrPort{
			netip.MustParseAddrPort("198.51.100.7:7880"),
			netip.MustParseAddrPort("[::]:7881"),
			netip.MustParseAddrPort("127.0.0.1:7882"),
		},
		Allow: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("::ffff:10.9.0.0/112")},
	}, addrs("127.0.0.1", "::1", "192.168.1.10", "fe80::5"), someRelays{50000: true})
	for _, tt := range []struct {
		peer   string
		reason Reason
		ok     bool
	}{
		{"198.51.100.7:7880", 0, true},
		{"198.51.100.7:50000", 0, true}, // a live relay
		{"198.51.100.7:50001", OwnPort, false},
		{"198.51.100.7:22", OwnPort, false},
		{"192.168.1.10:7881", 0, true},
		{"[::ffff:192.168.1.10]:7881", 0, true},
		{"192.168.1.10:7880", OwnPort, false}, // though its network is allowed
		{"192.168.1.11:7880", 0, true},
		{"10.9.1.1:1", 0, true},
		{"10.8.1.1:1", DeniedPeer, false},
		{"127.0.0.1:7882", 0, true}, // named, so meant
		{"127.0.0.1:7881", DeniedPeer, false},
		{"127.0.0.1:50000", DeniedPeer, false},
		{"[fe80::5]:7881", PeerFamily, false},
		{"8.8.8.8:22", 0, true},
	} {
		reason, ok := p.send(netip.MustParseAddrPort(tt.peer))
		if ok != tt.ok || !ok && reason != tt.reason {
			t.Errorf("%s: %v, %v", tt.peer, reason, ok)
		}
	}
	for _, ip := range addrs("198.51.100.7", "192.168.1.10", "127.0.0.1", "192.168.1.11") {
		if reason, ok := p.permit(ip); !ok {
			t.Errorf("permit %v: %v", ip, reason)
		}
	}
	for _, ip := range addrs("198.51.100.8", "127.0.0.2", "::1") {
		if _, ok := p.permit(ip); ok {
			t.Errorf("permit %v", ip)
		}
	}
	secondary := newPolicy(Config{RelayIP: netip.MustParseAddr("5.6.7.8")}, addrs("5.6.7.8", "5.6.7.9"), someRelays{})
	if reason, ok := secondary.permit(netip.MustParseAddr("5.6.7.9")); ok || reason != DeniedPeer {
		t.Errorf("an address of this host without media: %v, %v", reason, ok)
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	b := newBudget(1)
	ip := netip.MustParseAddr("192.0.2.1")
	for i := range 20 {
		if !b.allow(ip, now) {
			t.Fatalf("refused after %d", i)
		}
	}
	if b.allow(ip, now) {
		t.Error("one over the burst")
	}
	if !b.allow(ip.Next(), now) {
		t.Error("one client pays for another")
	}
	if !b.allow(ip, now.Add(time.Second)) || b.allow(ip, now.Add(time.Second)) {
		t.Error("one a second")
	}

	flood := netip.MustParseAddr("10.0.0.0")
	passed := 0
	for range budgetEntries + 1000 {
		if b.allow(flood, now) {
			passed++
		}
		flood = flood.Next()
	}
	if len(b.byIP) > budgetEntries || passed > budgetEntries+20 {
		t.Errorf("%d addresses remembered, %d passed", len(b.byIP), passed)
	}
	if later := now.Add(time.Minute); !b.allow(flood, later) || len(b.byIP) > 1 {
		t.Errorf("a minute later %d addresses are remembered", len(b.byIP))
	}
}

func TestNobodyBesidesThoseAllowed(t *testing.T) {
	t.Parallel()
	p := newPolicy(Config{
		RelayIP: netip.MustParseAddr("192.168.1.2"), Media: []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:7880")},
		Allow: []netip.Prefix{netip.MustParsePrefix("192.168.1.0/24")}, AllowOnly: true,
	}, addrs("192.168.1.2", "203.0.113.9"), someRelays{50000: true})
	for to, want := range map[string]bool{
		"192.168.1.7:4000": true, "192.168.1.2:7880": true, "192.168.1.2:50000": true,
		"8.8.8.8:53": false, "192.168.2.7:4000": false, "192.168.1.2:22": false, "203.0.113.9:22": false, "10.0.0.1:4000": false,
	} {
		if _, got := p.send(netip.MustParseAddrPort(to)); got != want {
			t.Errorf("%s: %v, want %v", to, got, want)
		}
	}
	if _, ok := p.permit(netip.MustParseAddr("8.8.8.8")); ok {
		t.Error("permission for somebody out on the Internet")
	}
}
