package sfu

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"github.com/parley/parley/sfu/internal/icelite"
)

// spot is an address that a check may have been forged for: a socket there, which may answer.
type spot struct {
	*net.UDPConn
	via
}

func newSpot(t *testing.T, ip string) spot {
	t.Helper()
	u, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		t.Skipf("no such address here: %v", err)
	}
	t.Cleanup(func() { _ = u.Close() })
	at := u.LocalAddr().(*net.UDPAddr).AddrPort()
	return spot{u, via{addr: netip.AddrPortFrom(at.Addr().Unmap(), at.Port())}}
}

// received returns the datagrams that have come, and their bytes with those of UDP and IP. The last is one of its own.
func (p spot) received(t *testing.T) (all [][]byte, bytes int) {
	t.Helper()
	_, err := p.WriteToUDPAddrPort([]byte("last"), p.addr)
	must(t, err)
	must(t, p.SetReadDeadline(time.Now().Add(patience)))
	for {
		b := make([]byte, 2048)
		n, err := p.Read(b)
		if must(t, err); string(b[:n]) == "last" {
			return all, bytes
		}
		all, bytes = append(all, b[:n]), bytes+n+datagramExtra
	}
}

// questionOf returns the request among what came.
func questionOf(t *testing.T, all [][]byte) *stun.Message {
	t.Helper()
	for _, b := range all {
		m := &stun.Message{Raw: b}
		if m.Decode() == nil && m.Type == stun.BindingRequest {
			return m
		}
	}
	t.Fatalf("no request in %d datagrams", len(all))
	return nil
}

// reply answers a request with a password.
func reply(t *testing.T, id [icelite.TransactionLen]byte, password string) []byte {
	t.Helper()
	m, err := stun.Build(stun.NewTransactionIDSetter(id), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: net.IPv4(127, 0, 0, 1), Port: 1}, stun.NewShortTermIntegrity(password), stun.Fingerprint)
	must(t, err)
	return m.Raw
}

// connected makes a client whose DTLS is through, over an address that has shown that it is there.
func connected(t *testing.T) (c *checker, at spot) {
	t.Helper()
	c, at = newChecker(t), newSpot(t, "127.0.0.1")
	c.ice.started = true // no handshake of its own
	c.check(c.ice.credentials(), at.via)
	all, _ := at.received(t)
	c.answer(at.via, questionOf(t, all))
	keys := testKeys()
	c.ice.established(c.now)
	must(t, c.peer.leg.start(&keys))
	return c, at
}

func (c *checker) answer(from via, m *stun.Message) {
	c.t.Helper()
	c.node.plane.ice.check(reply(c.t, m.TransactionID, c.ice.credentials().theirKey), from, c.now)
}

func (k *leg) isUp() bool {
	k.loop.Lock()
	defer k.loop.Unlock()
	return k.up
}

// TestNewAddressIsAsked: a check does not say where it came from. Media goes to a new IP address once a request that went there was
// answered from there, with the client's password; and then at once.
func TestNewAddressIsAsked(t *testing.T) {
	t.Parallel()
	c, home := connected(t)
	cred, away := c.ice.credentials(), newSpot(t, "127.0.0.66")
	if !c.peer.leg.isUp() {
		t.Fatal("the first address is not up")
	}
	c.check(cred, away.via, nominating)
	c.expect("a nominated one, elsewhere", iceConnected, &home.via)
	all, _ := away.received(t)
	m := questionOf(t, all)
	var user stun.Username
	must(t, user.GetFrom(m))
	if user.String() != cred.askUser || stun.NewShortTermIntegrity(cred.theirKey).Check(m) != nil {
		t.Errorf("the client would refuse %v", m)
	}
	table := c.node.plane.ice
	table.check(reply(t, m.TransactionID, "another password"), away.via, c.now)
	table.check(reply(t, m.TransactionID, cred.theirKey), home.via, c.now) // who has the password, but is not there
	wrong := m.TransactionID
	wrong[3]++
	table.check(reply(t, wrong, cred.theirKey), away.via, c.now)
	c.expect("forged answers", iceConnected, &home.via)
	if got := c.node.Stats().Dropped[dropCheckUnasked]; got != 3 {
		t.Errorf("%d answers were dropped", got)
	}
	c.answer(away.via, m)
	c.expect("an answer", iceConnected, &away.via)
	c.now = c.now.Add(time.Second)
	c.check(cred, home.via, nominating)
	c.expect("back: nobody need ask", iceConnected, &home.via)
	port := newSpot(t, "127.0.0.66")
	c.check(cred, port.via, nominating)
	c.expect("another port of an address that has answered", iceConnected, &port.via)
	if st := c.peer.Stats(); st.Proved != 2 || st.Asked != 2 {
		t.Errorf("%d asked, %d proved", st.Asked, st.Proved)
	}
}

// TestProofsEnd: who was there long ago need not be there now.
func TestProofsEnd(t *testing.T) {
	t.Parallel()
	c, home := connected(t)
	cred, away := c.ice.credentials(), newSpot(t, "127.0.0.66")
	c.check(cred, away.via)
	all, _ := away.received(t)
	c.answer(away.via, questionOf(t, all))
	c.expect("asked ahead", iceConnected, &home.via)
	for range 8 {
		c.now = c.now.Add(5 * time.Second)
		c.check(cred, home.via)
	}
	c.check(cred, away.via, nominating)
	c.expect("40 s later", iceConnected, &home.via)
}

// TestForgedChecksBringLittle: whose address is forged gets no more than three times what was sent for it, whatever is due to the
// client, before DTLS and after.
func TestForgedChecksBringLittle(t *testing.T) {
	t.Parallel()
	victim := newSpot(t, "127.0.0.66")
	for name, c := range map[string]*checker{"new": newChecker(t), "connected": nil} {
		if c == nil {
			c, _ = connected(t)
		} else {
			c.ice.started = true
		}
		sent := 0
		for range 3 {
			b := message(t, c.ice.credentials(), nominating)
			c.node.plane.ice.check(b, victim.via, c.now)
			sent += len(b) + datagramExtra
			for range 20 { // DTLS repeats its flights, and the ticker its requests
				c.now = c.now.Add(askRepeat)
				c.ice.tick(c.now)
				if name == "new" {
					c.ice.sendDTLS(make([]byte, 1100))
					c.ice.sendDTLS(make([]byte, 40))
				}
			}
		}
		if _, got := victim.received(t); got > unprovenShare*sent || got == 0 {
			t.Errorf("%s: %d bytes for %d", name, got, sent)
		}
	}
}

// TestHandshakeProvesItsAddress where all our flights went there, and no other.
func TestHandshakeProvesItsAddress(t *testing.T) {
	t.Parallel()
	for name, elsewhere := range map[string]bool{"one": false, "two": true} {
		c, home, away := newChecker(t), newSpot(t, "127.0.0.1"), newSpot(t, "127.0.0.66")
		c.ice.started = true
		c.check(c.ice.credentials(), home.via)
		c.ice.arrivedDTLS(home.addr, 300)
		c.ice.sendDTLS(make([]byte, 500))
		if all, _ := home.received(t); len(all) != 3 {
			t.Fatalf("%s: %d datagrams, not an answer, a request and a flight", name, len(all))
		}
		if elsewhere {
			c.check(c.ice.credentials(), away.via, nominating)
			c.ice.arrivedDTLS(away.addr, 300)
			c.ice.sendDTLS(make([]byte, 500))
		}
		keys := testKeys()
		c.ice.established(c.now)
		must(t, c.peer.leg.start(&keys))
		if up := c.peer.leg.isUp(); up == elsewhere {
			t.Errorf("%s: up is %v", name, up)
		}
		if elsewhere {
			all, _ := away.received(t)
			c.answer(away.via, questionOf(t, all))
			if !c.peer.leg.isUp() {
				t.Error("it is not up once it has answered")
			}
		}
	}
}

// TestMovesAreBounded: each move changes what all readers look into.
func TestMovesAreBounded(t *testing.T) {
	t.Parallel()
	c, _ := connected(t)
	moves, last := 0, c.ice.path.Load()
	for i := range 1000 { // 10 s
		c.now = c.now.Add(10 * time.Millisecond)
		c.check(c.ice.credentials(), udpVia(uint16(1000+i)), nominating)
		if v := c.ice.path.Load(); *v != *last {
			moves, last = moves+1, v
		}
	}
	if moves > 24 || moves < 15 {
		t.Errorf("%d moves in 10 s", moves)
	}
	k, known := c.peer.leg, 0
	k.loop.Lock()
	defer k.loop.Unlock()
	for i := range 1000 {
		before := *c.node.plane.known.Load()
		at := udpVia(uint16(3000 + i)).addr
		k.meet(at, c.now.Add(time.Duration(i)*10*time.Millisecond))
		if before[at] == nil && (*c.node.plane.known.Load())[at] != nil {
			known++
		}
	}
	if known > 24 || known < 15 {
		t.Errorf("%d addresses were learnt in 10 s", known)
	}
}

// TestStraysKeepTheAddress: a packet that authenticates may come from anywhere; only the port is followed.
func TestStraysKeepTheAddress(t *testing.T) {
	t.Parallel()
	r := newRawPlane(t, func(c *Config) { c.Plane = PlaneBatched })
	n := r.node
	up(t, r.pub, r.from)
	payload := append(vp8Packets(1, true, 640, 360, 1)[0], make([]byte, 100)...)
	in := n.plane.readers[0]
	in.Packet(r.protect(t, 1, payload), r.from, netip.Addr{})
	in.Done()
	victim := netip.MustParseAddrPort("192.0.2.9:7")
	n.plane.learn(victim, r.pub.leg) // by a forged check and a packet from there
	for seq, to := range map[uint16]string{2: "192.0.2.9:8", 3: "127.0.0.1:8"} {
		at := netip.MustParseAddrPort(to)
		in.Packet(r.protect(t, seq, payload), at, netip.Addr{})
		in.Done()
		r.pub.loop.Lock()
		now := r.pub.leg.to.Addr()
		r.pub.loop.Unlock()
		if followed := now == at; followed != (seq == 3) {
			t.Errorf("from %v: media goes to %v", at, now)
		}
	}
	if got := r.pub.Stats().PacketsIn; got != 3 {
		t.Errorf("%d packets were taken", got)
	}
}

// TestSilentClientIsSentNothing until it is heard.
func TestSilentClientIsSentNothing(t *testing.T) {
	t.Parallel()
	c, home := connected(t)
	k := c.peer.leg
	late := time.Unix(0, k.heardAt.Load()).Add(mutedAfter - time.Second)
	if k.listen(late); !k.isUp() {
		t.Error("silence is too short")
	}
	k.listen(late.Add(2 * time.Second))
	if k.isUp() || c.peer.Stats().Silenced != 1 {
		t.Error("it is still sent to")
	}
	if !k.ready.Load() {
		t.Error("it is not listened to")
	}
	c.now = late.Add(3 * time.Second)
	c.check(c.ice.credentials(), home.via)
	if !k.isUp() {
		t.Error("it was heard")
	}
	k.listen(late.Add(30 * time.Second))
	k.loop.Lock()
	k.heardFrom(home.addr, late.Add(31*time.Second))
	k.loop.Unlock()
	if !k.isUp() {
		t.Error("its media was heard")
	}
}

// TestQuietPathGivesWay: when nothing comes over the path in use any more, another that is checked is used before ICE calls it dead.
func TestQuietPathGivesWay(t *testing.T) {
	t.Parallel()
	c, home := connected(t)
	cred, away := c.ice.credentials(), newSpot(t, "127.0.0.66")
	c.check(cred, away.via)
	all, _ := away.received(t)
	c.answer(away.via, questionOf(t, all))
	c.now = c.now.Add(quietAfter - time.Second)
	c.check(cred, away.via)
	c.expect("the one in use may be there", iceConnected, &home.via)
	c.peer.leg.heardAt.Store(c.now.UnixNano()) // media comes over it
	c.now = c.now.Add(2 * time.Second)
	c.check(cred, away.via)
	c.expect("its media comes", iceConnected, &home.via)
	c.now = c.now.Add(2 * time.Second)
	c.check(cred, away.via)
	c.expect("nothing comes", iceConnected, &away.via)
}
