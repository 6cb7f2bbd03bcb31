package sfu

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// checker is a client of which only the checks are there.
type checker struct {
	t     *testing.T
	node  *Node
	peer  *Peer
	offer Offer
	ice   *iceAgent
	now   time.Time
}

func newChecker(t *testing.T) *checker {
	t.Helper()
	n := newDirectNode(t)
	b := newBrowser(t, n, "b", browserConfig{slots: 1})
	o := b.offer(nil)
	_, err := b.peer.Negotiate(t.Context(), o)
	must(t, err)
	return &checker{t: t, node: n, peer: b.peer, offer: o, ice: &b.peer.transport.(*direct).ice, now: time.Now()}
}

// message makes a check with these credentials.
func message(t *testing.T, c *credentials, more ...stun.Setter) []byte {
	t.Helper()
	setters := append([]stun.Setter{stun.BindingRequest, stun.TransactionID, stun.NewUsername(c.user)}, more...)
	m, err := stun.Build(append(setters, stun.NewShortTermIntegrity(c.password), stun.Fingerprint)...)
	must(t, err)
	return m.Raw
}

var nominating = stun.RawAttribute{Type: stun.AttrUseCandidate}

// check gives the node a check, and reports whether it authenticated.
func (c *checker) check(cred *credentials, from via, more ...stun.Setter) bool {
	c.t.Helper()
	return c.node.plane.ice.check(message(c.t, cred, more...), from, c.now)
}

// expect compares the state and the path.
func (c *checker) expect(what string, s iceState, path *via) {
	c.t.Helper()
	got, used := iceState(c.ice.state.Load()), c.ice.path.Load()
	if got != s || (used == nil) != (path == nil) || used != nil && *used != *path {
		c.t.Fatalf("%s: state %d, path %v; not %d, %v", what, got, used, s, path)
	}
}

func udpVia(port uint16) via {
	return via{addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)}
}

// TestChecksChooseThePath: the first path is used at once, then what is nominated, and whatever answers when the path falls silent.
func TestChecksChooseThePath(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	cred, a, b := c.ice.credentials(), udpVia(9), udpVia(10)
	c.expect("before", iceChecking, nil)
	c.check(cred, a)
	c.expect("the first", iceConnected, &a)
	c.check(cred, b)
	c.expect("another", iceConnected, &a)
	c.check(cred, b, nominating)
	c.expect("a nominated one", iceConnected, &b)
	c.check(cred, a)
	c.expect("the first again", iceConnected, &b)

	c.now = c.now.Add(silentAfter + time.Second)
	c.ice.tick(c.now)
	c.expect("silence", iceDisconnected, &b)
	c.check(cred, a)
	c.expect("what is left", iceConnected, &a)

	c.now = c.now.Add(silentAfter + failedAfter + time.Second)
	c.ice.tick(c.now)
	c.expect("the end of consent", iceFailed, nil)
	c.check(cred, a)
	c.expect("consent again", iceConnected, &a)
}

// TestNobodyChecks: a client that never comes fails, too.
func TestNobodyChecks(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	c.ice.tick(time.Now().Add(silentAfter + failedAfter - time.Second))
	c.expect("in time", iceChecking, nil)
	c.ice.tick(time.Now().Add(silentAfter + failedAfter + time.Second))
	c.expect("late", iceFailed, nil)
	eventually(t, "it is told", func() bool { return c.peer.State() == PeerFailed })
}

// TestRestartKeepsThePath until a check of the new credentials comes, for which the old ones still count.
func TestRestartKeepsThePath(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	before, a, b := c.ice.credentials(), udpVia(9), udpVia(10)
	c.check(before, a)
	c.offer.SDP = regexp.MustCompile("a=ice-(ufrag|pwd):").ReplaceAllString(c.offer.SDP, "${0}next")
	_, err := c.peer.Negotiate(t.Context(), c.offer)
	must(t, err)
	after := c.ice.credentials()
	if after == before || after.ufrag == before.ufrag || after.password == before.password {
		t.Fatal("no new credentials")
	}
	c.expect("restart", iceChecking, &a)
	c.now = time.Now().Add(silentAfter + failedAfter - time.Second)
	if !c.check(before, a) {
		t.Error("a check with the credentials of before was refused")
	}
	c.check(before, b, nominating)
	c.expect("checks of before", iceChecking, &a)
	c.now = c.now.Add(2 * time.Second)
	c.ice.tick(c.now)
	c.expect("consent of before", iceChecking, &a)
	c.check(after, b)
	c.expect("a new check", iceConnected, &b)
	if c.check(before, a) {
		t.Error("the credentials of before still count")
	}
}

// TestForgedChecks: nobody is answered, and nothing moves, without the password.
func TestForgedChecks(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	cred, a := c.ice.credentials(), udpVia(9)
	for reason, forged := range map[string]credentials{
		dropCheckForged:  {user: cred.user, password: "another password"},
		dropCheckUnknown: {user: "nobody:here", password: cred.password},
	} {
		if c.check(&forged, a, nominating) {
			t.Error(reason, "was answered")
		}
		if got := c.node.Stats().Dropped[reason]; got != 1 {
			t.Errorf("%s: %d", reason, got)
		}
	}
	if forged := (credentials{user: cred.ufrag + ":another", password: cred.password}); c.check(&forged, a) {
		t.Error("another client's check was answered")
	}
	c.expect("forged", iceChecking, nil)
	must(t, c.peer.Close())
	<-c.peer.done
	if c.check(cred, a) {
		t.Error("a peer that is closed answers")
	}
	if x := c.node.plane.ice; len(x.users) != 0 || len(x.addrs) != 0 {
		t.Errorf("left: %v, %v", x.users, x.addrs)
	}
}

// TestRefusedChecks: what we cannot do is told, and chooses nothing.
func TestRefusedChecks(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	client, err := net.DialUDP("udp4", nil, c.node.cfg.Conn.LocalAddr().(*net.UDPAddr))
	must(t, err)
	defer client.Close()
	for code, attribute := range map[stun.ErrorCode]stun.Setter{
		stun.CodeRoleConflict:     stun.RawAttribute{Type: stun.AttrICEControlled, Value: make([]byte, 8)},
		stun.CodeUnknownAttribute: stun.RawAttribute{Type: 0x1234},
	} {
		_, err := client.Write(message(t, c.ice.credentials(), attribute))
		must(t, err)
		m := answerTo(t, client)
		var got stun.ErrorCodeAttribute
		if err := got.GetFrom(m); err != nil || got.Code != code {
			t.Errorf("%v: %v", m, err)
		}
	}
	c.expect("refused", iceChecking, nil)
	_, err = client.Write(message(t, c.ice.credentials()))
	must(t, err)
	if m := answerTo(t, client); m.Type != stun.BindingSuccess {
		t.Error(m)
	}
}

func answerTo(t *testing.T, client *net.UDPConn) *stun.Message {
	t.Helper()
	must(t, client.SetReadDeadline(time.Now().Add(patience)))
	b := make([]byte, 1500)
	n, err := client.Read(b)
	must(t, err)
	m := &stun.Message{Raw: b[:n]}
	must(t, m.Decode())
	return m
}

// TestAddressesAreBounded: the last ones count, and an address is whose check came last from there.
func TestAddressesAreBounded(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	cred := c.ice.credentials()
	for i := range uint16(maxAddrs + 3) {
		c.check(cred, udpVia(20+i))
	}
	if got := len(c.node.plane.ice.addrs); got != maxAddrs || c.node.plane.ice.at(udpVia(20).addr) != nil {
		t.Errorf("%d addresses", got)
	}
	other := newBrowser(t, c.node, "other", browserConfig{})
	answerOnly(t, other)
	ice := &other.peer.transport.(*direct).ice
	last := udpVia(20 + maxAddrs)
	c.check(ice.credentials(), last)
	if c.node.plane.ice.at(last.addr) != ice {
		t.Error("the address is still the other's")
	}
	c.check(cred, last)
	if c.node.plane.ice.at(last.addr) != c.ice {
		t.Error("the address did not come back")
	}
}

// TestWhatIsNobodysIsCounted on the socket: nothing of it reaches a peer.
func TestWhatIsNobodysIsCounted(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	r, from := c.node.plane.readers[0], netip.MustParseAddrPort("192.0.2.7:1")
	for reason, b := range map[string][]byte{
		dropUnowned:        {firstDTLS, 254, 253},
		dropGarbage:        {200, 1, 2, 3},
		dropCheckMalformed: {0, 1, 0, 0},
	} {
		r.Packet(slices.Clone(b), from, netip.Addr{})
		if got := c.node.Stats().Dropped[reason]; got != 1 {
			t.Errorf("%s: %d", reason, got)
		}
	}
	r.Packet([]byte{}, from, netip.Addr{})
	r.Done()
}

// TestFullRecords: what DTLS does not take in time is lost, and counted.
func TestFullRecords(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	d := c.peer.transport.(*direct)
	for range maxRecords + 2 {
		d.record([]byte{firstDTLS})
	}
	if got := c.peer.Stats().Dropped[dropDTLSFull]; got != 2 {
		t.Errorf("%d dropped", got)
	}
}
