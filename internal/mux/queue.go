package mux

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	turnQueue = 256  // packets, 512 KiB in all; overflow drops the newest
	turnSlot  = 2048 // bytes; a longer datagram is no TURN over any usual MTU and is dropped
)

// turnConn is the TURN side of a UDP: what the reader of the socket put into the queue.
type turnConn struct {
	// Static after construction.
	udp    *UDP
	free   chan *turnPacket // empty slots
	full   chan *turnPacket // filled ones, oldest first
	closed chan struct{}

	closing  sync.Once
	deadline deadline
}

type turnPacket struct {
	from netip.AddrPort
	n    int
	buf  [turnSlot]byte
}

var _ net.PacketConn = (*turnConn)(nil)

func newTURNConn(u *UDP) *turnConn {
	t := &turnConn{
		udp:    u,
		free:   make(chan *turnPacket, turnQueue),
		full:   make(chan *turnPacket, turnQueue),
		closed: make(chan struct{}),
	}
	t.deadline.init()
	for range turnQueue {
		t.free <- new(turnPacket)
	}
	return t
}

// put queues a copy of b, or says why it did not. It never blocks.
func (t *turnConn) put(b []byte, from netip.AddrPort) (udpDrop, bool) {
	if len(b) > turnSlot {
		return dropTURNTooLong, false
	}
	if t.isClosed() {
		return dropTURNClosed, false
	}
	select {
	case p := <-t.free:
		p.from, p.n = from, copy(p.buf[:], b)
		t.full <- p // never blocks: there are as many slots as places
		return 0, true
	default:
		return dropTURNFull, false
	}
}

func (t *turnConn) isClosed() bool {
	select {
	case <-t.closed:
		return true
	default:
		return false
	}
}

// ReadFrom takes the oldest packet. A packet longer than b is cut, as a socket would.
func (t *turnConn) ReadFrom(b []byte) (int, net.Addr, error) {
	expired := t.deadline.wait()
	select {
	case <-t.closed:
		return 0, nil, net.ErrClosed
	case <-expired:
		return 0, nil, errDeadline
	default:
	}
	select {
	case p := <-t.full:
		n, from := copy(b, p.buf[:p.n]), net.UDPAddrFromAddrPort(p.from)
		t.free <- p
		return n, from, nil
	case <-t.closed:
		return 0, nil, net.ErrClosed
	case <-expired:
		return 0, nil, errDeadline
	}
}

func (t *turnConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if t.isClosed() {
		return 0, net.ErrClosed
	}
	addr, err := addrPort(to)
	if err != nil {
		return 0, err
	}
	return t.udp.send(b, addr)
}

func (t *turnConn) LocalAddr() net.Addr { return t.udp.LocalAddr() }

func (t *turnConn) SetDeadline(at time.Time) error {
	return errors.Join(t.SetReadDeadline(at), t.SetWriteDeadline(at))
}

func (t *turnConn) SetReadDeadline(at time.Time) error {
	if t.isClosed() {
		return net.ErrClosed
	}
	t.deadline.set(at)
	return nil
}

// SetWriteDeadline holds for media's writes as well: the socket has one.
func (t *turnConn) SetWriteDeadline(at time.Time) error { return t.udp.conn.SetWriteDeadline(at) }

// Close ends reads and writes of this side; what is queued is lost.
func (t *turnConn) Close() error {
	var err error
	t.closing.Do(func() {
		t.deadline.stop()
		close(t.closed)
		err = t.udp.leave()
	})
	return err
}
