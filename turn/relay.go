package turn

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	pion "github.com/pion/turn/v4"
	"golang.org/x/time/rate"
)

const (
	// relayBuffer is asked for as receive buffer of a relay socket, in bytes: a key frame arrives in one burst.
	relayBuffer = 1 << 20
	// portTries bounds how many ports are tried for one allocation; ranges up to this size are tried whole.
	portTries = 256
	// maxReadFailures is how many reads of a relay socket may fail in a row before its allocation ends. Single failures
	// are ICMP errors that some systems report on the socket.
	maxReadFailures = 16
)

var errNoTCPRelay = errors.New("turn: TCP relays (RFC 6062) are not supported")

// relays opens relay sockets and knows those that are open.
type relays struct {
	// Static after construction.
	s        *Server
	bind     netip.Addr
	relayIP  net.IP
	min, max uint16

	// Guarded by mu.
	mu    sync.RWMutex
	ports map[uint16]*relayConn
}

var _ pion.RelayAddressGenerator = (*relays)(nil)

// newRelays binds to the relay address where this host has it, and to all addresses behind a NAT.
func newRelays(s *Server, cfg Config, local []netip.Addr) *relays {
	bind := netip.IPv4Unspecified()
	for _, ip := range local {
		if ip == cfg.RelayIP {
			bind = ip
		}
	}
	return &relays{
		s: s, bind: bind, relayIP: cfg.RelayIP.AsSlice(), min: cfg.MinPort, max: cfg.MaxPort,
		ports: map[uint16]*relayConn{},
	}
}

// Validate implements pion's interface; Config.Validate has seen everything.
func (r *relays) Validate() error { return nil }

// AllocateConn refuses TCP relays.
func (r *relays) AllocateConn(string, int) (net.Conn, net.Addr, error) {
	return nil, nil, errNoTCPRelay
}

// AllocatePacketConn opens a relay socket at the requested port, or at a random one of the range if that is 0.
func (r *relays) AllocatePacketConn(_ string, requested int) (net.PacketConn, net.Addr, error) {
	if r.s.isClosed() {
		return nil, nil, net.ErrClosed
	}
	if requested != 0 {
		return r.listen(uint16(requested)) //nolint:gosec // pion chose it among ports that were opened here
	}
	size := int(r.max) - int(r.min) + 1
	first := rand.IntN(size) //nolint:gosec // spreads ports; nothing rests on it being unguessable
	err := errors.New("all are relays already")
	for i := range min(size, portTries) {
		var conn net.PacketConn
		var addr net.Addr
		port := uint16(int(r.min) + (first+i)%size) //nolint:gosec // within min and max
		if r.live(port) {
			continue
		}
		if conn, addr, err = r.listen(port); err == nil {
			return conn, addr, nil
		}
	}
	r.s.refuse(NoPort)
	return nil, nil, fmt.Errorf("no relay port in %d to %d: %w", r.min, r.max, err)
}

func (r *relays) listen(port uint16) (net.PacketConn, net.Addr, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.bind, port)))
	if err != nil {
		return nil, nil, err
	}
	if err := conn.SetReadBuffer(relayBuffer); err != nil {
		r.s.cfg.Log.Debug("relay receive buffer", "err", err)
	}
	bandwidth := r.s.cfg.Limits.Bandwidth
	c := &relayConn{
		PacketConn: conn, conn: conn, relays: r, port: port,
		up:   rate.NewLimiter(rate.Limit(bandwidth), max(bandwidth, 1<<16)),
		down: rate.NewLimiter(rate.Limit(bandwidth), max(bandwidth, 1<<16)),
	}
	r.mu.Lock()
	r.ports[port] = c
	r.mu.Unlock()
	return c, &net.UDPAddr{IP: r.relayIP, Port: int(port)}, nil
}

// live reports whether port is an open relay socket's.
func (r *relays) live(port uint16) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.ports[port]
	return ok
}

// end closes the relay at port; its reader ends the allocation.
func (r *relays) end(port uint16) {
	r.mu.RLock()
	c := r.ports[port]
	r.mu.RUnlock()
	if c != nil {
		if err := c.Close(); err != nil {
			r.s.cfg.Log.Debug("close relay", "err", err)
		}
	}
}

// relayConn is the socket of one allocation. It passes on only what policy and the byte budget let through, each way; the
// rest is dropped as a network would.
type relayConn struct {
	net.PacketConn // for the deadlines
	conn           *net.UDPConn
	relays         *relays
	port           uint16
	up, down       *rate.Limiter // client to peer, peer to client
	closing        sync.Once
}

func (c *relayConn) ReadFrom(b []byte) (int, net.Addr, error) {
	s := c.relays.s
	for failures := 0; ; {
		n, from, err := c.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			failures++
			if errors.Is(err, net.ErrClosed) || failures == maxReadFailures {
				return 0, nil, err
			}
			s.refuse(PeerError)
			continue
		}
		failures = 0
		if s.pass(from, n, c.down) {
			s.down.add(n)
			return n, net.UDPAddrFromAddrPort(from), nil
		}
	}
}

func (c *relayConn) WriteTo(b []byte, to net.Addr) (int, error) {
	s := c.relays.s
	peer := addrPort(to)
	if !s.pass(peer, len(b), c.up) {
		return len(b), nil
	}
	if _, err := c.conn.WriteToUDPAddrPort(b, peer); err != nil {
		s.refuse(PeerError)
		return 0, err
	}
	s.up.add(len(b))
	return len(b), nil
}

// pass says whether a packet may be relayed, and counts it if not.
func (s *Server) pass(peer netip.AddrPort, n int, limit *rate.Limiter) bool {
	if reason, ok := s.policy.send(peer); !ok {
		s.refuse(reason)
		return false
	}
	if !limit.AllowN(time.Now(), n) {
		s.refuse(OverRate)
		return false
	}
	return true
}

// Close always returns nil, see the package's invariants.
func (c *relayConn) Close() error {
	c.closing.Do(func() {
		r := c.relays
		r.mu.Lock()
		delete(r.ports, c.port)
		r.mu.Unlock()
		if err := c.conn.Close(); err != nil {
			r.s.cfg.Log.Debug("close relay", "err", err)
		}
	})
	return nil
}
