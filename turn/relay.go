package turn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// relayBuffer is asked for as receive buffer of a relay socket, in bytes: a key frame arrives in one burst.
	relayBuffer = 1 << 20
	// portTries bounds how many ports are tried for one allocation; ranges up to this size are tried whole.
	portTries = 256
	// maxReadFailures is how many reads of a socket may fail in a row before it is given up. Single failures are ICMP
	// errors that some systems report on the socket.
	maxReadFailures = 16
	// relayHead is what a Data indication has in front of its data, in bytes; ChannelData has less.
	relayHead = stunHeader + 12 + 4
)

// relays opens relay sockets and knows those that are open.
type relays struct {
	// Static after construction.
	s        *Server
	bind     netip.Addr
	relayIP  netip.Addr
	min, max uint16
	inside   *inside

	// Guarded by mu.
	mu    sync.RWMutex
	ports map[uint16]*allocation
}

// newRelays binds to the relay address where this host has it, and to all addresses behind a NAT.
func newRelays(s *Server, cfg Config, local []netip.Addr) *relays {
	bind := netip.IPv4Unspecified()
	for _, ip := range local {
		if ip == cfg.RelayIP {
			bind = ip
		}
	}
	return &relays{
		s: s, bind: bind, relayIP: cfg.RelayIP, min: cfg.MinPort, max: cfg.MaxPort, inside: newInside(cfg, bind, local),
		ports: map[uint16]*allocation{},
	}
}

// open gives a its socket, at a random port of the range.
func (r *relays) open(a *allocation, even bool) error {
	if r.s.isClosed() {
		return net.ErrClosed
	}
	size := int(r.max) - int(r.min) + 1
	first := rand.IntN(size) //nolint:gosec // spreads ports; nothing rests on it being unguessable
	err := errors.New("all are relays already")
	for i := range min(size, portTries) {
		port := uint16(int(r.min) + (first+i)%size) //nolint:gosec // within min and max
		if even && port%2 != 0 || r.live(port) {
			continue
		}
		if err = r.listen(a, port); err == nil {
			return nil
		}
	}
	return fmt.Errorf("no relay port in %d to %d: %w", r.min, r.max, err)
}

func (r *relays) listen(a *allocation, port uint16) error {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.bind, port)))
	if err != nil {
		return err
	}
	if err := conn.SetReadBuffer(relayBuffer); err != nil {
		r.s.cfg.Log.Debug("relay receive buffer", "err", err)
	}
	a.conn, a.relay = conn, netip.AddrPortFrom(r.relayIP, port)
	r.mu.Lock()
	r.ports[port] = a
	r.mu.Unlock()
	return nil
}

func (r *relays) close(a *allocation) {
	r.mu.Lock() // first: the port may be another's once it is closed
	if r.ports[a.relay.Port()] == a {
		delete(r.ports, a.relay.Port())
	}
	r.mu.Unlock()
	if err := a.conn.Close(); err != nil {
		r.s.cfg.Log.Debug("close relay", "err", err)
	}
}

// all are the open relays.
func (r *relays) all() []*allocation {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Collect(maps.Values(r.ports))
}

// live reports whether port is an open relay socket's.
func (r *relays) live(port uint16) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.ports[port] != nil
}

// send relays a client's packet to a peer that is permitted. Only what policy and the byte budget let through is passed
// on, each way; the rest is dropped as a network would.
func (a *allocation) send(data []byte, peer netip.AddrPort) {
	s := a.e.s
	if !s.pass(peer, len(data), a.up) {
		return
	}
	if _, err := a.conn.WriteToUDPAddrPort(data, s.relays.inside.inward(peer)); err != nil {
		s.refuse(PeerError)
		return
	}
	s.up.add(len(data))
}

// run relays what peers send until the allocation ends, or its time is over.
func (a *allocation) run() {
	defer a.end()
	defer a.e.s.guard(func() {})
	s := a.e.s
	a.wake(a.remaining(s.now()))
	buf := make([]byte, relayHead+inboundMTU+3)
	for failures := 0; ; {
		n, from, err := a.conn.ReadFromUDPAddrPort(buf[relayHead : relayHead+inboundMTU])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			left := a.remaining(s.now())
			if left <= 0 {
				return
			}
			a.wake(left)
		case err != nil:
			failures++
			if errors.Is(err, net.ErrClosed) || failures == maxReadFailures {
				return
			}
			s.refuse(PeerError)
		case n == inboundMTU:
			s.refuse(TooLong)
		default:
			failures = 0
			a.receive(buf[:relayHead+n], from, s.now())
		}
	}
}

// receive relays a peer's packet to the client. It stands in b behind room for what goes in front of it.
func (a *allocation) receive(b []byte, from netip.AddrPort, now time.Time) {
	s, n := a.e.s, len(b)-relayHead
	from = netip.AddrPortFrom(from.Addr().Unmap().WithZone(""), from.Port())
	from, number, ok := a.sender(from, now)
	if !ok {
		s.refuse(NoPermission)
		return
	}
	if !s.pass(from, n, a.down) {
		return
	}
	s.down.add(n)
	if number != 0 {
		b = b[relayHead-4:]
		binary.BigEndian.PutUint16(b, number)
		binary.BigEndian.PutUint16(b[2:], uint16(n)) //nolint:gosec // a packet's length
		if a.e.stream {
			b = zeroPad(b)
		}
	} else {
		a.indicate(b, from, n)
		b = zeroPad(b)
	}
	if _, err := a.e.conn.WriteTo(b, a.client); err != nil {
		s.cfg.Log.Debug("relay to client", "err", err)
	}
}

// sender is who sent a packet, as the client knows him, and the channel he has.
func (a *allocation) sender(from netip.AddrPort, now time.Time) (peer netip.AddrPort, number uint16, permitted bool) {
	if number, permitted = a.numberOf(from, now); permitted {
		return from, number, true
	}
	for _, alias := range a.e.s.relays.aliases(from) {
		if number, permitted = a.numberOf(alias, now); permitted {
			return alias, number, true
		}
	}
	return from, 0, false
}

// indicate writes the head of a Data indication in front of n bytes of data.
func (a *allocation) indicate(b []byte, from netip.AddrPort, n int) {
	var id transactionID
	binary.BigEndian.PutUint64(id[:], rand.Uint64()) //nolint:gosec // tells indications apart, no more
	binary.BigEndian.PutUint32(id[8:], rand.Uint32())
	head := newAnswer(b[:0:relayHead], dataIndication, id)
	head.addAddress(attrPeer, from)
	head.head(attrData, n)
	binary.BigEndian.PutUint16(b[2:], uint16(relayHead-stunHeader+padded(n))) //nolint:gosec // a message's length
}

// zeroPad lengthens b to a multiple of 4 within its capacity.
func zeroPad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
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
