package turn

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// inboundMTU is one more than the longest message taken from a client, in bytes.
	inboundMTU = 2048
	// headers are what IP (version 4) and UDP add to a message, in bytes.
	headers = 28
)

// endpoint is one connection to clients: the UDP socket with all of them, or one TCP client.
type endpoint struct {
	// Static after construction.
	s       *Server
	conn    net.PacketConn
	stream  bool // TCP: messages are padded, and the client's address is not forged
	release func()

	out []byte // Owned by run: the answer in hand.

	// Guarded by mu.
	mu   sync.Mutex
	held map[netip.AddrPort]*allocation // by client
}

func newEndpoint(s *Server, conn net.PacketConn, release func()) *endpoint {
	e := &endpoint{
		s: s, conn: conn, release: release, out: make([]byte, 0, inboundMTU),
		held: map[netip.AddrPort]*allocation{},
	}
	if st, ok := conn.(*stream); ok {
		e.stream, st.busy = true, e.holds
	}
	return e
}

// run reads messages until the connection ends, and serves them one after the other.
func (e *endpoint) run() {
	defer e.end()
	buf := make([]byte, inboundMTU)
	for failures := 0; ; {
		n, from, err := e.conn.ReadFrom(buf)
		if err != nil {
			failures++
			if e.stream || errors.Is(err, net.ErrClosed) || failures == maxReadFailures {
				return
			}
			continue
		}
		failures = 0
		if n < inboundMTU {
			e.handle(buf[:n:n], from)
		}
	}
}

// handle serves one message. Should that panic, its client alone is ended.
func (e *endpoint) handle(b []byte, from net.Addr) {
	at := addrPort(from)
	defer e.s.guard(func() { e.drop(at) })
	now := e.s.now()
	// What a relay sends to the media port is for media. A relay that were a client, too, could have relays of its own, and so on.
	if kind, _ := stunType(b); kind != binding && !e.stream && e.s.policy.isRelay(at) {
		e.s.refuse(Nested)
		return
	}
	if len(b) >= 4 && b[0]&0xC0 == 0x40 {
		e.channelData(b, at, now)
		return
	}
	m, ok := parse(b)
	if !ok {
		e.s.badMessages.Add(1)
		return
	}
	switch m.kind {
	case binding, allocate, refresh, createPermission, channelBind:
		e.answer(&request{message: m, from: from, at: at, now: now})
	case sendIndication:
		e.sendIndication(&m, at, now)
	default: // a method or class that no client has reason to send: RFC 8489 section 6.3 wants silence
		e.s.badMessages.Add(1)
	}
}

// drop ends what a client has here: its TCP connection, or its allocation.
func (e *endpoint) drop(at netip.AddrPort) {
	if e.stream {
		e.close()
		return
	}
	e.mu.Lock()
	a := e.held[at]
	e.mu.Unlock()
	if a != nil {
		a.end()
	}
}

// end gives up everything that this connection has.
func (e *endpoint) end() {
	e.close()
	for _, a := range e.all() {
		a.end()
	}
	e.s.mu.Lock()
	delete(e.s.endpoints, e)
	e.s.mu.Unlock()
	if e.release != nil {
		e.release()
	}
}

func (e *endpoint) close() {
	if err := e.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		e.s.cfg.Log.Debug("close", "err", err)
	}
}

// find is a client's allocation, unless its time is over.
func (e *endpoint) find(at netip.AddrPort, now time.Time) *allocation {
	e.mu.Lock()
	a := e.held[at]
	e.mu.Unlock()
	if a != nil && a.over(now) {
		a.end()
		return nil
	}
	return a
}

func (e *endpoint) all() []*allocation {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]*allocation, 0, len(e.held))
	for _, a := range e.held {
		out = append(out, a)
	}
	return out
}

// holds reports whether there is any allocation.
func (e *endpoint) holds() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.held) > 0
}

// sendIndication relays a packet. Nobody is told why it is not.
func (e *endpoint) sendIndication(m *message, at netip.AddrPort, now time.Time) {
	value, _ := m.get(attrPeer)
	peer, ok := xorAddress(value, m.id)
	data, there := m.get(attrData)
	a := e.find(at, now)
	if !ok || !there || a == nil || len(m.unknown()) > 0 || !a.permits(peer.Addr(), now) {
		e.s.badMessages.Add(1)
		return
	}
	a.send(data, peer)
}

// channelData relays a packet by the number of its channel.
func (e *endpoint) channelData(b []byte, at netip.AddrPort, now time.Time) {
	size := int(binary.BigEndian.Uint16(b[2:]))
	a := e.find(at, now)
	if a == nil || size > len(b)-4 {
		e.s.badMessages.Add(1)
		return
	}
	peer, ok := a.peerOf(binary.BigEndian.Uint16(b), now)
	if !ok {
		e.s.badMessages.Add(1)
		return
	}
	a.send(b[4:4+size], peer)
}

// reply sends an answer, but not an unlimited number of large ones to an address that may be forged: only where it is
// more than half again as long as what it answers are they counted. So nobody can use up the answers of somebody else who
// asks as clients do.
func (e *endpoint) reply(r *request, b []byte) {
	if kind, _ := stunType(b); kind&classError == classError {
		if !e.stream && 2*(len(b)+headers) > 3*(len(r.raw)+headers) && !e.s.errors.allow(client(r.from), r.now) {
			e.s.refuse(ErrorLimit)
			return
		}
		e.s.errorAnswers.Add(1)
	}
	if _, err := e.conn.WriteTo(b, r.from); err != nil {
		e.s.cfg.Log.Debug("answer", "err", err)
	}
}

// guard is deferred where one client is served: a panic there ends what end ends, and nothing else.
func (s *Server) guard(end func()) {
	if p := recover(); p != nil {
		if s.panics.Add(1) == 1 { // the others are counted
			s.cfg.Log.Error("turn: a mistake of ours ended one client", "panic", p, "stack", string(debug.Stack()))
		}
		end()
	}
}
