//go:build linux

package lab

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNATKinds(t *testing.T) {
	t.Parallel()
	l := build(t, "pt1_")
	servers := []*echo{
		newEcho(t, l, SFU, "203.0.113.10:7001"),
		newEcho(t, l, SFU, "203.0.113.10:7002"), // the same address, another port
		newEcho(t, l, TURN, "203.0.113.20:7001"),
		newEcho(t, l, TURN, "203.0.113.20:7002"),
	}
	https := newEcho(t, l, SFU, "203.0.113.10:443")
	greet(t, l, SFU, "203.0.113.10:443")
	greet(t, l, SFU, "203.0.113.10:8443")
	strangers := []*echo{newEcho(t, l, SFU, "203.0.113.10:7003"), newEcho(t, l, NATB, "203.0.113.102:7001")}

	for _, test := range []struct {
		kind       NAT
		udp        bool
		mappings   int // at least, to the four servers; 1: exactly
		strangers  bool
		tcp, tcp43 bool // to 8443, to 443
	}{
		{kind: Full, udp: true, mappings: 1, strangers: true, tcp: true, tcp43: true},
		{kind: Restricted, udp: true, mappings: 1, tcp: true, tcp43: true},
		{kind: Symmetric, udp: true, mappings: 3 /* chance may choose a port twice */, tcp: true, tcp43: true},
		{kind: UDPBlock, tcp: true, tcp43: true},
		{kind: Only443, tcp43: true},
	} {
		t.Run(string(test.kind), func(t *testing.T) {
			if err := l.SetNAT(t.Context(), A, test.kind); err != nil {
				t.Fatal(err)
			}
			client := udp(t, l, ClientA, "10.1.0.2:0")
			if test.udp {
				passes(t, client, servers, test.mappings)
				if got := knocked(t, client, servers[0], strangers); got != test.strangers {
					t.Errorf("strangers come in: %v", got)
				}
			} else {
				blocks(t, client, append(slices.Clone(servers), https))
			}
			for _, tcp := range []struct {
				to     string
				passes bool
			}{{"203.0.113.10:8443", test.tcp}, {"203.0.113.10:443", test.tcp43}} {
				within := 5 * time.Second
				if !tcp.passes {
					within = 300 * time.Millisecond
				}
				if greeted(l, ClientA, tcp.to, within) != tcp.passes {
					t.Errorf("TCP to %s passes: %v", tcp.to, !tcp.passes)
				}
			}
		})
	}
}

// passes wants so many different mappings to the servers, each of which stays while it is used.
func passes(t *testing.T, client *net.UDPConn, servers []*echo, mappings int) {
	t.Helper()
	var seen []string
	for range 2 {
		for _, server := range servers {
			address, _ := ask(t, client, server)
			if !strings.HasPrefix(address, "203.0.113.101:") {
				t.Errorf("%v saw %s", server.LocalAddr(), address)
			}
			seen = append(seen, address)
		}
	}
	if !slices.Equal(seen[:len(servers)], seen[len(servers):]) {
		t.Errorf("mappings do not last: %v", seen)
	}
	slices.Sort(seen)
	if distinct := slices.Compact(seen); len(distinct) < mappings || mappings == 1 && len(distinct) > 1 {
		t.Errorf("mapped to %v, %d wanted", distinct, mappings)
	}
}

// knocked says whether all strangers reach the client at its mapping towards a server; it is an error when only some do.
func knocked(t *testing.T, client *net.UDPConn, server *echo, strangers []*echo) bool {
	t.Helper()
	mapping, _ := ask(t, client, server)
	for _, stranger := range strangers {
		say(t, stranger.UDPConn, "knock", mapping)
	}
	knocks := 0
	for range 5 { // round trips: what was sent before has come, or will not
		_, others := ask(t, client, server)
		knocks += len(others)
	}
	if knocks != 0 && knocks != len(strangers) {
		t.Errorf("%d of %d strangers came in", knocks, len(strangers))
	}
	return knocks > 0
}

// blocks wants no datagram to reach any server.
func blocks(t *testing.T, client *net.UDPConn, servers []*echo) {
	t.Helper()
	for _, server := range servers {
		before := server.heard.Load()
		say(t, client, "hello", server.LocalAddr().String())
		if text := hear(t, client, 50*time.Millisecond); text != "" {
			t.Errorf("an answer: %s", text)
		}
		if server.heard.Load() != before {
			t.Errorf("UDP reached %v", server.LocalAddr())
		}
	}
}
