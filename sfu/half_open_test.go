package sfu

import (
	"maps"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestHalfHandshakeEnds: a client that begins a DTLS handshake and does not go on holds nothing after some time, and not much until then.
func TestHalfHandshakeEnds(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	d := c.peer.transport.(*direct)
	d.handshakeTime = 50 * time.Millisecond
	if !c.check(c.ice.credentials(), udpVia(9)) {
		t.Fatal("no check")
	}
	full := make([]byte, 1200)
	full[0] = firstDTLS
	for sent := 0; sent < handshakeBytes+len(full); sent += len(full) {
		d.record(full)
	}
	if c.peer.Stats().Dropped[dropDTLSFull] == 0 {
		t.Error("all of it is kept")
	}
	eventually(t, "the end", func() bool { return c.peer.State() == PeerFailed })
	d.tasks.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dtls != dtlsFailed {
		t.Errorf("DTLS is in state %d", d.dtls)
	}
}

// TestTooManyStreamsAreToldOnce: a client's packets go on coming until it is closed, and each would be a line of the log.
func TestTooManyStreamsAreToldOnce(t *testing.T) {
	t.Parallel()
	var log logged
	n := newTestNode(t, func(c *Config) { c.Plane, c.Log = PlaneBatched, log.logger() })
	p, err := n.NewPeer("p", "", &events{})
	must(t, err)
	for range 50 {
		p.tooManyStreams()
	}
	<-p.done
	if got := strings.Count(log.String(), "too many SSRCs"); got != 1 {
		t.Errorf("%d lines", got)
	}
}

// TestPanicInTheReader: a mistake of ours in what reads the socket costs a packet, and no other client.
func TestPanicInTheReader(t *testing.T) {
	t.Parallel()
	var log logged
	n := newTestNode(t, func(c *Config) { c.Plane, c.Log = PlaneBatched, log.logger() })
	good := join(t, n, "good", browserConfig{slots: 1})
	var nobody *leg // as no leg ever is
	n.plane.mu.Lock()
	known, at := *n.plane.known.Load(), netip.MustParseAddrPort("192.0.2.1:5")
	next := map[netip.AddrPort]*leg{at: {}}
	maps.Copy(next, known)
	n.plane.known.Store(&next)
	n.plane.mu.Unlock()
	r := &reader{plane: n.plane, out: n.plane.conns[0].NewSender()}
	for range 3 {
		r.Packet(append([]byte{0x80, 96}, make([]byte, 40)...), at, netip.Addr{})
	}
	r.got = append(r.got, datagram{leg: nobody, loop: nil})
	r.Done()
	if len(r.got) != 0 {
		t.Error("the batch stays")
	}
	if got := n.Stats().Panics; got != 4 {
		t.Errorf("%d panics are counted", got)
	}
	if got := strings.Count(log.String(), "level=ERROR"); got != 1 {
		t.Errorf("%d lines", got)
	}
	good.sendMedia(1)
	eventually(t, "another client's media", func() bool { return good.peer.Stats().PacketsIn > 10 })
}

// TestPanicInATask: so does one in a goroutine that works for one client. It ends him.
func TestPanicInATask(t *testing.T) {
	t.Parallel()
	n := newDirectNode(t)
	bad := join(t, n, "bad", browserConfig{noData: true})
	good := join(t, n, "good", browserConfig{noData: true})
	bad.peer.transport.(*direct).spawn(func() { panic("on purpose") })
	<-bad.peer.done
	n.spawn(func() { panic("on purpose") })
	eventually(t, "both are counted", func() bool { return n.Stats().Panics == 2 })
	if good.peer.State() != PeerConnected {
		t.Error(good.peer.State())
	}
}

// TestPanicOverTCP: the connection ends, and the listener goes on.
func TestPanicOverTCP(t *testing.T) {
	t.Parallel()
	n := newDirectNode(t)
	ours, theirs := net.Pipe()
	c := &tcpConn{node: n, conn: brokenConn{ours}, wake: make(chan struct{}, 1)}
	n.tasks.Go(c.read)
	n.tasks.Go(c.flush)
	if _, err := theirs.Read(make([]byte, 1)); err == nil {
		t.Error("the connection stays")
	}
	if got := n.Stats().Panics; got != 1 {
		t.Errorf("%d panics are counted", got)
	}
}

// brokenConn is a connection that is a mistake of ours.
type brokenConn struct{ net.Conn }

func (brokenConn) Read([]byte) (int, error) { panic("on purpose") }
