package turn

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v3"
	pion "github.com/pion/turn/v4"
)

const (
	patience = 5 * time.Second
	secret   = "a secret of 16 bytes or more"
)

// clock is a settable time.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	broken bool // the next who asks panics
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken {
		c.broken = false
		panic("a mistake")
	}
	return c.now
}

func (c *clock) fail() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = true
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// rig is a server on loopback, by UDP and TCP.
type rig struct {
	*Server
	clock *clock
	udp   net.Addr
	tcp   net.Addr
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		UDP: udp, TCP: []net.Listener{tcp}, Secrets: []string{secret}, MinPort: 21400, MaxPort: 21549,
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	if change != nil {
		change(&cfg)
	}
	r := &rig{clock: &clock{now: time.Now()}, udp: udp.LocalAddr(), tcp: tcp.Addr()}
	if r.Server, err = newServer(cfg, r.clock.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, r.Server) })
	return r
}

func closed(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Errorf("close: %v", err)
	}
}

// client is a pion client with fresh credentials of session, by "udp" or "tcp".
func (r *rig) client(t *testing.T, network, session string) *pion.Client {
	t.Helper()
	return r.clientAs(t, network, r.Credentials(User{Session: session}, r.clock.Now()))
}

func (r *rig) clientAs(t *testing.T, network string, cred Credentials) *pion.Client {
	t.Helper()
	var conn net.PacketConn
	server := r.udp
	if network == "tcp" {
		server = r.tcp
		c, err := net.Dial("tcp4", r.tcp.String())
		if err != nil {
			t.Fatal(err)
		}
		conn = pion.NewSTUNConn(c)
	} else {
		c, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		conn = c
	}
	c, err := pion.NewClient(&pion.ClientConfig{
		STUNServerAddr: server.String(), TURNServerAddr: server.String(), Conn: conn,
		Username: cred.Username, Password: cred.Password, LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
		RTO: 50 * time.Millisecond, // what is refused in silence is retried 7 times
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		closed(t, conn)
	})
	return c
}

// relayOf makes an allocation that ends before its client.
func relayOf(t *testing.T, c *pion.Client) net.PacketConn {
	t.Helper()
	relay, err := c.Allocate()
	if err != nil {
		t.Fatalf("allocate: %v", err)
	}
	t.Cleanup(func() { relay.Close() }) // fails where the test has taken the server away
	return relay
}

// echo answers every packet, and keeps count of them.
type echo struct {
	net.PacketConn
	mu   sync.Mutex
	seen int
}

func newEcho(t *testing.T, addr string) *echo {
	t.Helper()
	conn, err := net.ListenPacket("udp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{PacketConn: conn}
	var wg sync.WaitGroup
	wg.Go(func() {
		b := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			e.mu.Lock()
			e.seen++
			e.mu.Unlock()
			if _, err := conn.WriteTo(b[:n], from); err != nil {
				return
			}
		}
	})
	t.Cleanup(func() {
		closed(t, conn)
		wg.Wait()
	})
	return e
}

func (e *echo) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seen
}

// roundTrip sends text to peer until it comes back, at most for patience.
func roundTrip(t *testing.T, relay net.PacketConn, peer net.Addr, text string) {
	t.Helper()
	b := make([]byte, 2048)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if _, err := relay.WriteTo([]byte(text), peer); err != nil {
			t.Fatalf("send to %v: %v", peer, err)
		}
		if err := relay.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, from, err := relay.ReadFrom(b)
		if err != nil {
			continue
		}
		if string(b[:n]) != text || from.String() != peer.String() {
			t.Fatalf("got %q from %v, want %q from %v", b[:n], from, text, peer)
		}
		return
	}
	t.Fatalf("nothing came back from %v", peer)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func wantRefused(t *testing.T, s *Server, r Reason, atLeast uint64) {
	t.Helper()
	if n := s.Stats().Refused[r.String()]; n < atLeast {
		t.Errorf("%d refused as %v, want %d or more; all: %v", n, r, atLeast, s.Stats().Refused)
	}
}

// raw speaks STUN by hand over one UDP socket.
type raw struct {
	t    *testing.T
	conn net.Conn
	cred Credentials
	key  stun.MessageIntegrity
	non  stun.Nonce
}

func (r *rig) raw(t *testing.T, cred Credentials) *raw {
	t.Helper()
	conn, err := net.Dial("udp4", r.udp.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, conn) })
	c := &raw{t: t, conn: conn}
	c.as(cred)
	return c
}

func (c *raw) as(cred Credentials) {
	c.cred = cred
	c.key = stun.NewLongTermIntegrity(cred.Username, "parley", cred.Password)
}

// ask sends a request and returns the answer, or nil if there is none within wait.
func (c *raw) ask(wait time.Duration, method stun.Method, attrs ...stun.Setter) *stun.Message {
	c.t.Helper()
	setters := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, attrs...)
	if c.non != nil {
		setters = append(setters, stun.NewUsername(c.cred.Username), stun.NewRealm("parley"), c.non, c.key)
	}
	m, err := stun.Build(setters...)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.exchange(wait, m.Raw)
}

func (c *raw) exchange(wait time.Duration, request []byte) *stun.Message {
	c.t.Helper()
	if _, err := c.conn.Write(request); err != nil {
		c.t.Fatal(err)
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		c.t.Fatal(err)
	}
	b := make([]byte, 2048)
	n, err := c.conn.Read(b)
	if err != nil {
		return nil
	}
	m := &stun.Message{Raw: b[:n]}
	if err := m.Decode(); err != nil {
		c.t.Fatalf("answer: %v", err)
	}
	return m
}

// data sends ChannelData and returns what comes back, or nil.
func (c *raw) data(b []byte) []byte {
	c.t.Helper()
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatal(err)
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		c.t.Fatal(err)
	}
	got := make([]byte, 2048)
	n, err := c.conn.Read(got)
	if err != nil {
		return nil
	}
	return got[:n]
}

// code is the ERROR-CODE of an answer; 0 for success, -1 for an error without one, -2 for no answer.
func code(m *stun.Message) int {
	if m == nil {
		return -2
	}
	if m.Type.Class != stun.ClassErrorResponse {
		return 0
	}
	var c stun.ErrorCodeAttribute
	if c.GetFrom(m) != nil {
		return -1
	}
	return int(c.Code)
}

var overUDP = stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}}

func lifetime(seconds byte) stun.Setter {
	return stun.RawAttribute{Type: stun.AttrLifetime, Value: []byte{0, 0, 0, seconds}}
}

func peer(t *testing.T, addr string) stun.Setter {
	t.Helper()
	at := netip.MustParseAddrPort(addr)
	return xorPeer(stun.XORMappedAddress{IP: at.Addr().AsSlice(), Port: int(at.Port())})
}

type xorPeer stun.XORMappedAddress

func (p xorPeer) AddTo(m *stun.Message) error {
	return stun.XORMappedAddress(p).AddToAs(m, stun.AttrXORPeerAddress)
}

// challenged gets a nonce.
func (c *raw) challenged() {
	c.t.Helper()
	first := c.ask(patience, stun.MethodAllocate, overUDP)
	if code(first) != 401 {
		c.t.Fatalf("the first answer is %d", code(first))
	}
	if err := c.non.GetFrom(first); err != nil {
		c.t.Fatal(err)
	}
}

// allocate gets a nonce, where there is none, and an allocation.
func (c *raw) allocate(attrs ...stun.Setter) *stun.Message {
	c.t.Helper()
	if c.non == nil {
		c.challenged()
	}
	return c.ask(patience, stun.MethodAllocate, append([]stun.Setter{overUDP}, attrs...)...)
}
