package turn

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v3"
)

// behindNAT is a rig whose relays have an address that this host has not, and to which no router leads back: nothing that
// is sent there arrives anywhere.
func behindNAT(t *testing.T, media ...netip.AddrPort) *rig {
	t.Helper()
	return newRig(t, func(c *Config) {
		c.Allow, c.RelayIP, c.Media = nil, netip.MustParseAddr("198.51.100.7"), media
	})
}

func TestRelayToRelayBehindANAT(t *testing.T) {
	t.Parallel()
	r := behindNAT(t)
	ann, bob := relayOf(t, r.client(t, "udp", "ann")), relayOf(t, r.client(t, "tcp", "bob"))
	for _, way := range []struct{ from, to net.PacketConn }{{ann, bob}, {bob, ann}} {
		b := make([]byte, 64)
		arrived := func() bool {
			for from, to := range map[net.PacketConn]net.Addr{ann: bob.LocalAddr(), bob: ann.LocalAddr()} { // each permits the other
				if _, err := from.WriteTo([]byte("hello"), to); err != nil {
					t.Fatal(err)
				}
			}
			if err := way.to.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			n, from, err := way.to.ReadFrom(b)
			if err == nil && (string(b[:n]) != "hello" || from.String() != way.from.LocalAddr().String()) {
				t.Fatalf("got %q from %v, want it from %v", b[:n], from, way.from.LocalAddr())
			}
			return err == nil
		}
		eventually(t, "a packet passes between two relays", arrived)
	}
}

func TestPermissionsHoldBetweenRelays(t *testing.T) {
	t.Parallel()
	r := behindNAT(t)
	bob := r.raw(t, r.Credentials(User{Session: "bob"}, r.clock.Now())) // permits nobody
	if got := code(bob.allocate()); got != 0 {
		t.Fatalf("allocate: %d", got)
	}
	to := net.UDPAddrFromAddrPort(r.relays.all()[0].relay)
	ann := relayOf(t, r.client(t, "udp", "ann"))
	eventually(t, "a packet without permission is refused", func() bool {
		if _, err := ann.WriteTo([]byte("evil"), to); err != nil {
			t.Fatal(err)
		}
		return r.Stats().Refused["no_permission"] > 0
	})
	if n := r.Stats().DownPackets; n != 0 {
		t.Errorf("%d packets came through", n)
	}
}

func TestRelayToOwnMediaBehindANAT(t *testing.T) {
	t.Parallel()
	media := newEcho(t, "0.0.0.0:0")
	port := addrPort(media.LocalAddr()).Port()
	told := netip.AddrPortFrom(netip.MustParseAddr("198.51.100.7"), port)
	r := behindNAT(t, netip.AddrPortFrom(netip.IPv4Unspecified(), port), told)
	roundTrip(t, relayOf(t, r.client(t, "udp", "ann")), net.UDPAddrFromAddrPort(told), "by the outer address")
}

func TestInside(t *testing.T) {
	t.Parallel()
	ap, ip := netip.MustParseAddrPort, netip.MustParseAddr
	local := addrs("127.0.0.1", "10.0.0.5")
	outer := Config{RelayIP: ip("198.51.100.7"), Media: []netip.AddrPort{ap("0.0.0.0:7880"), ap("198.51.100.7:7880")}}
	bound := Config{RelayIP: ip("198.51.100.7"), Media: []netip.AddrPort{ap("10.0.0.5:7880"), ap("198.51.100.7:7880")}}
	plain := Config{RelayIP: ip("10.0.0.5"), Media: []netip.AddrPort{ap("0.0.0.0:7880")}}
	for _, tt := range []struct {
		name     string
		cfg      Config
		bind     string
		peer, to string
	}{
		{"a relay", outer, "0.0.0.0", "198.51.100.7:50000", "127.0.0.1:50000"},
		{"media", outer, "0.0.0.0", "198.51.100.7:7880", "127.0.0.1:7880"},
		{"media that is bound", bound, "0.0.0.0", "198.51.100.7:7880", "10.0.0.5:7880"},
		{"somebody else", outer, "0.0.0.0", "8.8.8.8:53", "8.8.8.8:53"},
		{"this host's own address", plain, "10.0.0.5", "10.0.0.5:50000", "10.0.0.5:50000"},
	} {
		in := newInside(tt.cfg, ip(tt.bind), local)
		if got := in.inward(ap(tt.peer)); got != ap(tt.to) {
			t.Errorf("%s: %v leads to %v, want %v", tt.name, tt.peer, got, tt.to)
		}
	}
}

// TestRelayIsNoClient: a relay that asks for a relay gets none, or one packet could go through the port 32 times.
func TestRelayIsNoClient(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.policy.relays = someRelays{50000: true}
	e := newEndpoint(r.Server, nil, nil) // what is answered ends in a panic, which is counted
	relay := net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:50000"))
	ask := stun.MustBuild(stun.NewType(stun.MethodAllocate, stun.ClassRequest), stun.TransactionID)
	e.handle(ask.Raw, relay)
	e.handle([]byte{0x40, 0, 0, 4, 1, 2, 3, 4}, relay)
	wantRefused(t, r.Server, Nested, 2)
	if n := r.Stats().Panics; n != 0 {
		t.Errorf("%d were answered", n)
	}
	e.handle(ask.Raw, net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:50001")))
	if n := r.Stats().Panics; n != 1 {
		t.Errorf("%d: a client is not answered", n)
	}
}
