package mux

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

func TestOwnAddresses(t *testing.T) {
	t.Parallel()
	var own ownAddrs
	now := time.Unix(1_000_000, 0)
	for _, a := range []string{"127.0.0.1", "127.8.9.1", "::1"} {
		if !own.has(netip.MustParseAddr(a), now) {
			t.Errorf("%s is not taken for this machine's", a)
		}
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil {
			t.Fatal(err)
		}
		if !own.has(p.Addr().Unmap(), now) {
			t.Errorf("%s is not taken for this machine's", p.Addr())
		}
	}
	for i, a := range []string{"198.51.100.7", "2001:db8::7"} { // documentation prefixes: nobody's
		for range 3 {
			if own.has(netip.MustParseAddr(a), now.Add(time.Duration(i)*time.Minute)) {
				t.Errorf("%s is taken for this machine's", a)
			}
		}
	}
}

// A socket for this machine alone drops and counts what comes from elsewhere, and passes what comes from here.
func TestListenUDPHere(t *testing.T) {
	t.Parallel()
	u, err := ListenUDPHere("127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	if drop, ok := u.admit(netip.MustParseAddr("198.51.100.7")); ok || drop != dropNotHere {
		t.Errorf("a stranger was let in: %v %v", drop, ok)
	}
	c, err := net.Dial("udp", u.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Write([]byte{22, 254, 253}); err != nil { // DTLS
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if n, _, err := u.Media().ReadFrom(b); n != 3 || err != nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
}

func TestTCPFromElsewhere(t *testing.T) {
	t.Parallel()
	var asked atomic.Pointer[netip.Addr]
	m := listenTCP(t, TCPConfig{Admits: func(a netip.Addr) bool { asked.Store(&a); return false }})
	refused(t, dialTCP(t, m))
	if s := m.Stats(); s.Dropped["not_here"] != 1 || s.Open != 0 || *asked.Load() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("stats: %+v, asked about %v", s, asked.Load())
	}
}

func TestListenUDPFrom(t *testing.T) {
	t.Parallel()
	u, err := ListenUDPFrom("127.0.0.1:0", 1, func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.2") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	for _, from := range []string{"127.0.0.1", "127.0.0.2"} { // the first is dropped, so the second is what is read
		c, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(from)}, u.LocalAddr().(*net.UDPAddr))
		if err != nil {
			t.Skipf("no second loopback address here: %v", err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := c.Write([]byte{22, 254, 253}); err != nil { // DTLS
			t.Fatal(err)
		}
	}
	if _, from, err := u.Media().ReadFrom(make([]byte, 100)); err != nil || from.(*net.UDPAddr).AddrPort().Addr() != netip.MustParseAddr("127.0.0.2") {
		t.Errorf("read from %v, %v", from, err)
	}
	if n := u.Stats().Dropped["not_here"]; n != 1 {
		t.Errorf("%d packets were dropped", n)
	}
}
