package mux

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley/parley/internal/steady"
)

// socketBuffer is what is asked for as receive and send buffer, in bytes. The kernel's usual 208 KiB hold 92 packets of
// 1200 bytes and lose the burst of one key frame.
const socketBuffer = 4 << 20

// maxReadFailures is how many reads may fail in a row before that is logged and the next ones wait. Single failures are ICMP errors
// that some systems report on the socket. No failure ends a reader: only Close does.
const maxReadFailures = 16

// UDP is one port shared by media and TURN.
type UDP struct {
	// Static after construction.
	conn    *net.UDPConn   // the first socket
	sockets []*net.UDPConn // all of the port's: the kernel keeps a sender on one of them
	media   *mediaConn
	turn    *turnConn
	hint    string
	admits  func(netip.Addr) bool // by the sender's address; nil: packets from everywhere are taken
	closed  chan struct{}
	log     *slog.Logger // set by Batched, before anything is read; nil: none

	served  atomic.Pointer[served] // nil: the first socket is read by who reads media, one packet at a time
	readers sync.WaitGroup

	pumps   sync.WaitGroup
	open    atomic.Int32 // sides that are open
	count   [numClasses]atomic.Uint64
	dropped [numUDPDrops]atomic.Uint64
}

// ListenUDP opens the port at addr ("host:port"); an empty host is IPv4 and IPv6 together where the system has both. It has so
// many sockets where the system can share a port among them (Linux), else one. More than one are read with Serve alone.
func ListenUDP(addr string, sockets int) (*UDP, error) {
	at, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on UDP %s: %w", addr, err)
	}
	conns, err := listenShared(at, sockets)
	if err != nil {
		return nil, fmt.Errorf("listen on UDP %s: %w", addr, err)
	}
	u := &UDP{conn: conns[0], sockets: conns, closed: make(chan struct{})}
	for _, c := range conns {
		u.hint = growBuffers(c)
	}
	u.media = &mediaConn{udp: u}
	u.turn = &turnConn{udp: u, queue: newQueue()}
	u.open.Store(2)
	return u, nil
}

// ListenUDPHere is ListenUDP for this machine alone: it drops what was not sent from one of the machine's own addresses.
// Unlike a socket on a loopback address it reaches browsers that will not pair loopback with other addresses.
func ListenUDPHere(addr string, sockets int) (*UDP, error) {
	own := &ownAddrs{}
	return ListenUDPFrom(addr, sockets, func(a netip.Addr) bool { return own.has(a, steady.Now()) })
}

// ListenUDPFrom is ListenUDP for some senders: it drops what comes from addresses that admits does not want. It is asked for every
// packet.
func ListenUDPFrom(addr string, sockets int, admits func(netip.Addr) bool) (*UDP, error) {
	u, err := ListenUDP(addr, sockets)
	if err == nil {
		u.admits = admits
	}
	return u, err
}

// admit says whether a packet from this address may come in, and if not, why.
func (u *UDP) admit(from netip.Addr) (udpDrop, bool) {
	if u.admits == nil || u.admits(from) {
		return 0, true
	}
	return dropNotHere, false
}

// Media is the side of ICE, DTLS, RTP and RTCP. It also has ReadFromAddrPort and WriteToAddrPort, which allocate nothing.
// Before Serve reading it reads the socket: TURN gets packets only while somebody reads Media, or after Media was closed.
func (u *UDP) Media() net.PacketConn { return u.media }

// TURN is the side of STUN and TURN. Its queue holds queueLen packets and drops the newest when full.
func (u *UDP) TURN() net.PacketConn { return u.turn }

// LocalAddr is the socket's address.
func (u *UDP) LocalAddr() net.Addr { return u.conn.LocalAddr() }

// BufferHint is empty, or one line that says that the kernel gave smaller buffers than asked, and how to mend it.
func (u *UDP) BufferHint() string { return u.hint }

// Close closes both sides and the socket, and waits for the goroutine that may serve TURN.
func (u *UDP) Close() error {
	return errors.Join(u.media.Close(), u.turn.Close())
}

// leave is called once by each side; the second closes the socket.
func (u *UDP) leave() error {
	if u.open.Add(-1) > 0 {
		return nil
	}
	close(u.closed)
	var errs []error
	for _, c := range u.sockets {
		errs = append(errs, c.Close())
	}
	u.pumps.Wait()
	u.readers.Wait()
	return errors.Join(errs...)
}

// receive reads the socket into b until a media packet has come; TURN's packets go to its queue on the way.
func (u *UDP) receive(b []byte) (int, netip.AddrPort, error) {
	for failures := 0; ; {
		n, from, err := u.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			failures++
			if errors.Is(err, os.ErrDeadlineExceeded) || !u.stumble(err, failures) {
				return 0, netip.AddrPort{}, err
			}
			continue
		}
		failures = 0
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if drop, ok := u.admit(from.Addr()); !ok {
			u.dropped[drop].Add(1)
			continue
		}
		c := classify(b[:n])
		u.count[c].Add(1)
		switch {
		case c.media():
			return n, from, nil
		case c.turn():
			if drop, ok := u.turn.put(b[:n], from); !ok {
				u.dropped[drop].Add(1)
			}
		}
	}
}

// send sends one packet from one of our addresses; zero: the system chooses which.
func (u *UDP) send(b []byte, to netip.AddrPort, from netip.Addr) (int, error) {
	if s := u.served.Load(); s != nil {
		return s.first.WriteFrom(b, to, from)
	}
	return u.conn.WriteToUDPAddrPort(b, to)
}

// pump serves TURN after media has closed. Media that still arrives is dropped.
func (u *UDP) pump() {
	b := make([]byte, queueSlot)
	for {
		if _, _, err := u.receive(b); err != nil {
			return
		}
		u.dropped[dropMediaClosed].Add(1)
	}
}

// mediaConn is the media side of a UDP.
type mediaConn struct {
	udp *UDP

	gate   sync.RWMutex // read-held while reading the socket, so that the pump starts after the last reader left
	mu     sync.Mutex   // orders Close and SetReadDeadline
	closed atomic.Bool
}

var _ net.PacketConn = (*mediaConn)(nil)

// ReadFromAddrPort reads one media packet; the sender's address is never an IPv4-mapped one.
func (m *mediaConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	if s := m.udp.served.Load(); s != nil {
		return s.queue.take(b)
	}
	m.gate.RLock()
	defer m.gate.RUnlock()
	if m.closed.Load() {
		return 0, netip.AddrPort{}, net.ErrClosed
	}
	n, from, err := m.udp.receive(b)
	if err != nil && m.closed.Load() {
		err = net.ErrClosed
	}
	return n, from, err
}

// WriteToAddrPort sends one packet.
func (m *mediaConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if m.closed.Load() {
		return 0, net.ErrClosed
	}
	return m.udp.send(b, to, netip.Addr{})
}

func (m *mediaConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := m.ReadFromAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

func (m *mediaConn) WriteTo(b []byte, to net.Addr) (int, error) {
	addr, err := addrPort(to)
	if err != nil {
		return 0, err
	}
	return m.WriteToAddrPort(b, addr)
}

func (m *mediaConn) LocalAddr() net.Addr { return m.udp.LocalAddr() }

func (m *mediaConn) SetDeadline(t time.Time) error {
	return errors.Join(m.SetReadDeadline(t), m.SetWriteDeadline(t))
}

func (m *mediaConn) SetReadDeadline(t time.Time) error {
	if s := m.udp.served.Load(); s != nil {
		return s.queue.setDeadline(t)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed.Load() {
		return net.ErrClosed
	}
	return m.udp.conn.SetReadDeadline(t)
}

// SetWriteDeadline holds for TURN's writes as well: the socket has one.
func (m *mediaConn) SetWriteDeadline(t time.Time) error { return m.udp.conn.SetWriteDeadline(t) }

// Close ends reads and writes of this side. While TURN is open the socket goes on being read for it.
func (m *mediaConn) Close() error {
	m.mu.Lock()
	if m.closed.Swap(true) {
		m.mu.Unlock()
		return nil
	}
	if s := m.udp.served.Load(); s != nil {
		m.mu.Unlock()
		s.queue.close()
		return m.udp.leave()
	}
	err := m.udp.conn.SetReadDeadline(time.Unix(1, 0)) // wakes the reader
	m.mu.Unlock()
	if err != nil {
		return errors.Join(err, m.udp.leave())
	}

	m.gate.Lock() // the reader has left
	err = m.udp.conn.SetReadDeadline(time.Time{})
	m.gate.Unlock()
	if err == nil && !m.udp.turn.queue.isClosed() {
		m.udp.pumps.Go(m.udp.pump)
	}
	return errors.Join(err, m.udp.leave())
}

// addrPort converts without allocating.
func addrPort(a net.Addr) (netip.AddrPort, error) {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}, &net.AddrError{Err: "not a UDP address", Addr: fmt.Sprint(a)}
	}
	return u.AddrPort(), nil
}
