package turn

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"github.com/parley/parley/internal/mux"
)

func TestRelay(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			peer := newEcho(t, "127.0.0.1:0")
			relay := relayOf(t, r.client(t, network, "ann"))
			roundTrip(t, relay, peer.LocalAddr(), "by Send indication or channel")
			eventually(t, "everything is counted", func() bool {
				s := r.Stats()
				return s.Allocations == 1 && s.Allocated == 1 && s.UpPackets > 0 && s.UpBytes > 0 && s.DownBytes > 0
			})
			if at := addrPort(relay.LocalAddr()); at.Port() < 21400 || at.Port() > 21549 || at.Addr() != netip.MustParseAddr("127.0.0.1") {
				t.Errorf("relay at %v", at)
			}
			if err := relay.Close(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the allocation is gone", func() bool { return r.Stats().Allocations == 0 })
		})
	}
}

func TestRelayToRelay(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Allow = nil })
	ann, bob := relayOf(t, r.client(t, "udp", "ann")), relayOf(t, r.client(t, "tcp", "bob"))
	b := make([]byte, 64)
	for deadline := time.Now().Add(patience); ; {
		if time.Now().After(deadline) {
			t.Fatal("nothing passed between two relays")
		}
		// Both send: each needs a permission for the other.
		for from, to := range map[net.PacketConn]net.Addr{ann: bob.LocalAddr(), bob: ann.LocalAddr()} {
			if _, err := from.WriteTo([]byte("hello"), to); err != nil {
				t.Fatal(err)
			}
		}
		if err := bob.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if n, from, err := bob.ReadFrom(b); err == nil {
			if string(b[:n]) != "hello" || from.String() != ann.LocalAddr().String() {
				t.Errorf("got %q from %v", b[:n], from)
			}
			return
		}
	}
}

func TestBindingIsAnsweredWithoutSoftware(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := r.raw(t, Credentials{})
	m := c.ask(patience, stun.MethodBinding)
	var mapped stun.XORMappedAddress
	if code(m) != 0 || mapped.GetFrom(m) != nil || mapped.String() != c.conn.LocalAddr().String() {
		t.Errorf("answer %v says %v, want %v", m, mapped, c.conn.LocalAddr())
	}
	for _, m := range []*stun.Message{m, c.ask(patience, stun.MethodAllocate, overUDP)} {
		if m.Contains(stun.AttrSoftware) {
			t.Errorf("tells its software: %v", m)
		}
	}
	if at, err := r.client(t, "tcp", "ann").SendBindingRequest(); err != nil || at == nil {
		t.Errorf("over TCP: %v, %v", at, err)
	}
}

func TestOnTheMux(t *testing.T) {
	t.Parallel()
	udp, err := mux.ListenUDP("127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, udp) })
	media := make(chan struct{})
	go func() { // the SFU: reads media, answers it
		defer close(media)
		b := make([]byte, 2048)
		for {
			n, from, err := udp.Media().ReadFrom(b)
			if err != nil {
				return
			}
			if _, err := udp.Media().WriteTo(b[:n], from); err != nil {
				return
			}
		}
	}()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tcp := mux.NewTCP(l, mux.TCPConfig{})
	t.Cleanup(func() { closed(t, tcp) })
	r := newRig(t, func(c *Config) {
		closed(t, c.UDP)
		closed(t, c.TCP[0])
		c.UDP, c.TCP, c.Allow = udp.TURN(), []net.Listener{tcp.TURN()}, nil
		c.Media = []netip.AddrPort{addrPort(udp.LocalAddr())}
	})
	r.udp, r.tcp = udp.LocalAddr(), tcp.Addr()

	rtp := "\x80\x60 looks like RTP"
	for _, network := range []string{"udp", "tcp"} {
		roundTrip(t, relayOf(t, r.client(t, network, "ann")), udp.LocalAddr(), rtp)
	}
	closed(t, r.Server)
	if c, err := net.Dial("udp4", udp.LocalAddr().String()); err != nil {
		t.Fatal(err)
	} else { // media outlives TURN
		defer closed(t, c)
		if _, err := c.Write([]byte(rtp)); err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 64)); err != nil {
			t.Errorf("media after TURN closed: %v", err)
		}
	}
	closed(t, udp)
	<-media
}

func TestTwoServersInOneProcess(t *testing.T) {
	t.Parallel()
	one, two := newRig(t, nil), newRig(t, nil)
	peer := newEcho(t, "127.0.0.1:0")
	roundTrip(t, relayOf(t, one.client(t, "udp", "ann")), peer.LocalAddr(), "one")
	roundTrip(t, relayOf(t, two.client(t, "udp", "ann")), peer.LocalAddr(), "two")
	if one.Stats().Allocations != 1 || two.Stats().Allocations != 1 {
		t.Errorf("%+v %+v", one.Stats(), two.Stats())
	}
}

func TestCloseWithClients(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	peer := newEcho(t, "127.0.0.1:0")
	for _, network := range []string{"udp", "tcp"} {
		roundTrip(t, relayOf(t, r.client(t, network, network)), peer.LocalAddr(), "hello")
	}
	half, err := net.Dial("tcp4", r.tcp.String())
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, half)
	if _, err := half.Write([]byte{0, 3, 0}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both TCP clients are there", func() bool { return r.Stats().Conns == 2 })
	closed(t, r.Server)
	if s := r.Stats(); s.Allocations != 0 || s.Conns != 0 {
		t.Errorf("after close: %+v", s)
	}
	if _, err := half.Read(make([]byte, 1)); err == nil {
		t.Error("a TCP client is still connected")
	}
	closed(t, r.Server) // again
}

func TestValidate(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, l)
	good := Config{TCP: []net.Listener{l}, Secrets: []string{secret}, RelayIP: netip.MustParseAddr("::ffff:192.0.2.1")}
	if err := good.Validate(); err != nil {
		t.Errorf("refused: %v", err)
	}
	for want, change := range map[string]func(*Config){
		"nothing to listen on": func(c *Config) { c.TCP = nil },
		"16 bytes":             func(c *Config) { c.Secrets = []string{"short"} },
		"too short-lived":      func(c *Config) { c.TTL = time.Second },
		"a realm of more than": func(c *Config) { c.Realm = "meet.example.org" },
		"one IPv4 address":     func(c *Config) { c.RelayIP = netip.MustParseAddr("2001:db8::1") },
		"no range":             func(c *Config) { c.MinPort, c.MaxPort = 2, 1 },
		"media address":        func(c *Config) { c.Media = make([]netip.AddrPort, 1) },
		"prefix is invalid":    func(c *Config) { c.Allow = make([]netip.Prefix, 1) },
		"must not be negative": func(c *Config) { c.Limits.Peers = -1 },
	} {
		bad := good
		change(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
		if s, err := New(bad); err == nil {
			t.Errorf("%s: started", want)
			closed(t, s)
		}
	}
	if _, err := net.Dial("tcp4", l.Addr().String()); errors.Is(err, net.ErrClosed) {
		t.Error("a refused configuration closed its listener")
	}
}
