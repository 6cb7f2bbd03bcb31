package sfu

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// nat forwards a client's packets to a node, from a port that can change.
type nat struct {
	inner *net.UDPConn // the client's side
	to    *net.UDPAddr
	tasks sync.WaitGroup

	mu       sync.Mutex
	outer    *net.UDPConn // Guarded by mu.
	client   *net.UDPAddr // Guarded by mu.
	blockICE bool         // Guarded by mu.
}

func newNAT(t *testing.T, to netip.AddrPort) *nat {
	t.Helper()
	loopback := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}
	inner, err := net.ListenUDP("udp4", loopback)
	must(t, err)
	n := &nat{inner: inner, to: net.UDPAddrFromAddrPort(to)}
	n.rebind(t)
	n.tasks.Go(func() {
		b := make([]byte, 2048)
		for {
			size, from, err := inner.ReadFromUDP(b)
			if err != nil {
				return
			}
			n.mu.Lock()
			n.client = from
			if !n.blockICE || b[0] > 3 {
				_, _ = n.outer.WriteToUDP(b[:size], n.to)
			}
			n.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		_ = inner.Close()
		n.mu.Lock()
		_ = n.outer.Close()
		n.mu.Unlock()
		n.tasks.Wait()
	})
	return n
}

// rebind forgets the mapping: packets leave from another port, and what comes to the old one is lost.
func (n *nat) rebind(t *testing.T) { n.rebindAt(t, net.IPv4(127, 0, 0, 1)) }

// rebindAt is rebind to another IP address.
func (n *nat) rebindAt(t *testing.T, ip net.IP) {
	t.Helper()
	outer, err := net.ListenUDP("udp4", &net.UDPAddr{IP: ip})
	must(t, err)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.outer != nil {
		_ = n.outer.Close()
	}
	n.outer = outer
	n.tasks.Go(func() {
		b := make([]byte, 2048)
		for {
			size, _, err := outer.ReadFromUDP(b)
			if err != nil {
				return
			}
			n.mu.Lock()
			client := n.client
			n.mu.Unlock()
			if client != nil {
				_, _ = n.inner.WriteToUDP(b[:size], client)
			}
		}
	})
}

func (n *nat) block(ice bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.blockICE = ice
}

// behind makes b reach the node through the NAT only.
func (n *nat) behind(b *browser) {
	b.mend = func(answer string) string {
		return strings.ReplaceAll(answer, " "+strconv.Itoa(n.to.Port)+" typ host",
			" "+strconv.Itoa(n.inner.LocalAddr().(*net.UDPAddr).Port)+" typ host")
	}
}

// TestMediaFollowsNewPorts guards that media goes on both ways when a client's NAT chooses another port, without ICE's help.
func TestMediaFollowsNewPorts(t *testing.T) {
	t.Parallel()
	n := newDirectNode(t)
	at := n.cfg.Conn.LocalAddr().(*net.UDPAddr).AddrPort()
	var nats []*nat
	var both []*browser
	for _, id := range []string{"a", "b"} {
		b := newBrowser(t, n, id, browserConfig{slots: 1})
		box := newNAT(t, at)
		box.behind(b)
		must(t, b.negotiate(nil))
		b.waitState(PeerConnected)
		nats, both = append(nats, box), append(both, b)
	}
	a, b := both[0], both[1]
	cam, err := a.peer.Publish(Camera, false)
	must(t, err)
	must(t, b.peer.Show([]SlotView{{Video: cam, Width: 640, Height: 360}}))
	a.sendMedia('v')
	more := func(what string) {
		t.Helper()
		before := len(b.videoPackets(0))
		eventually(t, what, func() bool { return len(b.videoPackets(0)) > before+20 })
	}
	more("media")
	for i, who := range []string{"the publisher", "the viewer"} {
		nats[i].block(true)
		nats[i].rebind(t)
		more("media after " + who + " moved")
		if got := both[i].peer.count.moved.Load(); got != 1 {
			t.Errorf("%s moved %d times", who, got)
		}
		nats[i].block(false)
	}
}

// TestMediaFollowsToAnotherNetwork: a client whose IP address changes is asked whether it is there, and goes on.
func TestMediaFollowsToAnotherNetwork(t *testing.T) {
	t.Parallel()
	n := newDirectNode(t)
	a := join(t, n, "a", browserConfig{slots: 1})
	b := newBrowser(t, n, "b", browserConfig{slots: 1})
	box := newNAT(t, n.cfg.Conn.LocalAddr().(*net.UDPAddr).AddrPort())
	box.behind(b)
	must(t, b.negotiate(nil))
	b.waitState(PeerConnected)
	cam, err := a.peer.Publish(Camera, false)
	must(t, err)
	must(t, b.peer.Show([]SlotView{{Video: cam, Width: 640, Height: 360}}))
	a.sendMedia('v')
	eventually(t, "media", func() bool { return len(b.videoPackets(0)) > 20 })
	proved := b.peer.count.proved.Load()
	box.rebindAt(t, net.IPv4(127, 0, 0, 67))
	before := len(b.videoPackets(0))
	eventually(t, "media over the other network", func() bool { return len(b.videoPackets(0)) > before+20 })
	if got := b.peer.count.proved.Load(); got == proved {
		t.Error("it was not asked")
	}
	if v := b.peer.transport.(*direct).ice.path.Load(); v.addr.Addr() != netip.MustParseAddr("127.0.0.67") {
		t.Errorf("media goes to %v", v.addr)
	}
}

// TestStrangersDoNotMoveALeg guards that who knows an address and an SSRC, but not the keys, changes nothing.
func TestStrangersDoNotMoveALeg(t *testing.T) {
	t.Parallel()
	n := newDirectNode(t)
	a := join(t, n, "a", browserConfig{})
	_, err := a.peer.Publish(Camera, false)
	must(t, err)
	a.sendMedia('v')
	eventually(t, "a known stream", func() bool {
		a.peer.loop.Lock()
		defer a.peer.loop.Unlock()
		return len(a.peer.leg.streams) > 0
	})
	a.peer.loop.Lock()
	to, ssrc := a.peer.leg.to, a.peer.leg.streams[0].ssrc
	a.peer.loop.Unlock()
	stranger, err := net.DialUDP("udp4", nil, n.cfg.Conn.LocalAddr().(*net.UDPAddr))
	must(t, err)
	defer stranger.Close()
	tapped := n.plane.readers[0]
	from := stranger.LocalAddr().(*net.UDPAddr).AddrPort()
	pkt := make([]byte, 60)
	pkt[0], pkt[1] = 0x80, 96
	pkt[8], pkt[9], pkt[10], pkt[11] = byte(ssrc>>24), byte(ssrc>>16), byte(ssrc>>8), byte(ssrc)
	r := &reader{plane: n.plane, out: tapped.plane.conns[0].NewSender()}
	if !r.Packet(pkt, from, netip.Addr{}) {
		t.Fatal("the packet was not looked at")
	}
	r.Done()
	a.peer.loop.Lock()
	defer a.peer.loop.Unlock()
	if a.peer.leg.to != to || a.peer.count.moved.Load() != 0 {
		t.Error("it moved the leg")
	}
	if (*n.plane.known.Load())[from] != nil {
		t.Error("its address is known")
	}
}
