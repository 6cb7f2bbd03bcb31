package turn

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"
)

// sinkConn is an endpoint's connection that keeps what it is given.
type sinkConn struct {
	net.PacketConn
	sent [][]byte
}

func (c *sinkConn) WriteTo(b []byte, _ net.Addr) (int, error) {
	c.sent = append(c.sent, append([]byte(nil), b...))
	return len(b), nil
}

func (c *sinkConn) take() [][]byte {
	sent := c.sent
	c.sent = nil
	return sent
}

func (*sinkConn) Close() error { return nil }

// handling is an endpoint without a socket, and a client of it, for messages that are handed to it one by one.
type handling struct {
	t    *testing.T
	e    *endpoint
	conn *sinkConn
	from *net.UDPAddr
	cred Credentials
	key  []byte
}

func newHandling(t *testing.T, s *Server, from string) *handling {
	conn := &sinkConn{}
	h := &handling{t: t, e: newEndpoint(s, conn, nil), conn: conn, from: net.UDPAddrFromAddrPort(netip.MustParseAddrPort(from))}
	h.cred = s.Credentials(User{Identity: "ann", Session: "s"}, s.now())
	h.key = longTermKey(h.cred.Username, s.cfg.Realm, h.cred.Password)
	return h
}

// signed is a request with what authenticates it; stronger says how.
func (h *handling) signed(kind uint16, attrs []byte, stronger bool) []byte {
	a := newAnswer(nil, kind, transactionID{1})
	a.b = append(a.b, attrs...)
	a.pad()
	a.addString(attrUsername, h.cred.Username)
	a.addString(attrRealm, h.e.s.cfg.Realm)
	a.addString(attrNonce, h.e.s.nonces.next(addrPort(h.from), h.e.s.now()))
	a.sign(h.key, stronger)
	return a.bytes()
}

// give handles b in memory of exactly its size, and checks what is said to it.
func (h *handling) give(b []byte) {
	h.e.handle(append(make([]byte, 0, len(b)), b...)[:len(b):len(b)], h.from)
	sent := h.conn.take()
	m, ok := parse(b)
	request := ok && (m.kind == binding || m.kind == allocate || m.kind == refresh || m.kind == createPermission || m.kind == channelBind)
	switch {
	case !request && len(sent) != 0:
		h.t.Fatalf("%x, which is no request, is answered by %x", b, sent)
	case request && len(sent) != 1:
		h.t.Fatalf("%x is answered %d times", b, len(sent))
	case request:
		a, ok := parse(sent[0])
		if !ok || a.id != m.id || a.kind&^classError != m.kind {
			h.t.Fatalf("%x is answered by %x", b, sent[0])
		}
		if _, has := a.get(attrError); has != (a.kind&classError == classError) {
			h.t.Fatalf("%x is answered by %x: an error has a code", b, sent[0])
		}
	}
}

// FuzzHandle drives all that a client's packet reaches, relays included, with memory cut to the packet: from a stranger,
// and signed by somebody with credentials and an allocation.
func FuzzHandle(f *testing.F) {
	head := "\x21\x12\xa4\x42transaction!"
	f.Add([]byte("\x00\x01\x00\x00"+head), uint8(0))
	f.Add([]byte("\x00\x03\x00\x08"+head+"\x00\x19\x00\x04\x11\x00\x00\x00"), uint8(1))
	f.Add([]byte("\x00\x08\x00\x0c"+head+"\x00\x12\x00\x08\x00\x01\x21\x12\x5e\x12\xa4\x43"), uint8(2))
	f.Add([]byte("\x00\x09\x00\x14"+head+"\x00\x0c\x00\x04\x40\x00\x00\x00\x00\x12\x00\x08\x00\x01\x21\x12\x5e\x12\xa4\x43"), uint8(3))
	f.Add([]byte("\x00\x16\x00\x0c"+head+"\x00\x13\x00\x04data\x00\x12\x00\x00"), uint8(0)) // an address of no bytes, last
	f.Add([]byte("\x40\x00\x00\x05hello"), uint8(0))
	f.Add([]byte("\x00\x04\x00\x08"+head+"\x00\x0d\x00\x04\x00\x00\x00\x00"), uint8(1))
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	s, err := New(Config{
		UDP: udp, Secrets: []string{secret}, MinPort: 21000, MaxPort: 21099, Limits: Limits{Errors: 1 << 20},
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			f.Error(err)
		}
	})
	from := uint16(os.Getpid())
	f.Fuzz(func(t *testing.T, in []byte, how uint8) {
		from++
		h := newHandling(t, s, netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), from).String())
		defer h.e.end()
		h.give(in) // as it is, from a stranger
		h.give(h.signed(allocate, []byte("\x00\x19\x00\x04\x11\x00\x00\x00"), false))
		h.give(h.signed(createPermission, []byte("\x00\x12\x00\x08\x00\x01\x21\x12\x5e\x12\xa4\x43"), false))
		h.give(in)
		if len(in) >= stunHeader && len(in) < inboundMTU/2 {
			kind := binary.BigEndian.Uint16(in)
			h.give(h.signed(kind&0x3FFF, in[stunHeader:], how&1 == 1))
			h.give(in)
		}
		if n := s.Stats().Panics; n != 0 {
			t.Fatalf("%d panics", n)
		}
	})
}

// FuzzParse holds the form of messages: what is parsed can be read.
func FuzzParse(f *testing.F) {
	f.Add([]byte("\x00\x09\x00\x08\x21\x12\xa4\x42transaction!\x00\x0c\x00\x04\x40\x01\x00\x00"))
	f.Add([]byte("\x40\x01\x00\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		m, ok := parse(slices.Clip(in))
		if !ok {
			return
		}
		total := stunHeader
		for kind, v := range m.attributes() {
			total += 4 + padded(len(v))
			xorAddress(v, m.id)
			if kind == attrFingerprint || kind == attrIntegrity && len(v) == integritySize {
				t.Fatalf("attribute %x counts", kind)
			}
		}
		if total != m.end || m.end > len(in) {
			t.Fatalf("%d bytes of attributes, %d count, of %d", total, m.end, len(in))
		}
		m.unknown()
		m.matches(make([]byte, 16))
	})
}

// TestNonces: good for an hour, for one client, and for one process.
func TestNonces(t *testing.T) {
	t.Parallel()
	n, now := newNonces(), time.Unix(1_800_000_000, 0)
	ann, bob := netip.MustParseAddrPort("192.0.2.1:5"), netip.MustParseAddrPort("192.0.2.1:6")
	nonce := []byte(n.next(ann, now))
	for name, tt := range map[string]struct {
		good bool
		want bool
	}{
		"at once":          {n.good(nonce, ann, now), true},
		"an hour later":    {n.good(nonce, ann, now.Add(time.Hour)), true},
		"two hours later":  {n.good(nonce, ann, now.Add(2*time.Hour)), false},
		"46 days later":    {n.good(nonce, ann, now.Add(65536*time.Minute)), false},
		"from elsewhere":   {n.good(nonce, bob, now), false},
		"after a restart":  {newNonces().good(nonce, ann, now), false},
		"cut":              {n.good(nonce[:7], ann, now), false},
		"nothing":          {n.good(nil, ann, now), false},
		"in other letters": {n.good([]byte("!!!!!!!!"), ann, now), false},
	} {
		if tt.good != tt.want {
			t.Errorf("%s: %v", name, tt.good)
		}
	}
}
