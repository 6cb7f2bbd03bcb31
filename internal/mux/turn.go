package mux

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

// turnConn is the TURN side of a UDP: what the readers of the socket put into the queue.
type turnConn struct {
	// Static after construction.
	udp   *UDP
	queue *queue
	asked asked
}

var _ net.PacketConn = (*turnConn)(nil)

// put queues a copy of b, or says why it did not. It never blocks.
func (t *turnConn) put(b []byte, from netip.AddrPort) (udpDrop, bool) {
	switch {
	case len(b) > queueSlot:
		return dropTURNTooLong, false
	case t.queue.isClosed():
		return dropTURNClosed, false
	case !t.queue.put(b, from):
		return dropTURNFull, false
	}
	return 0, true
}

// ReadFrom takes the oldest packet. A packet longer than b is cut, as a socket would.
func (t *turnConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := t.queue.take(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

func (t *turnConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if t.queue.isClosed() {
		return 0, net.ErrClosed
	}
	addr, err := addrPort(to)
	if err != nil {
		return 0, err
	}
	return t.udp.send(b, addr, t.asked.at(addr))
}

func (t *turnConn) LocalAddr() net.Addr { return t.udp.LocalAddr() }

func (t *turnConn) SetDeadline(at time.Time) error {
	return errors.Join(t.SetReadDeadline(at), t.SetWriteDeadline(at))
}

func (t *turnConn) SetReadDeadline(at time.Time) error { return t.queue.setDeadline(at) }

// SetWriteDeadline holds for media's writes as well: the socket has one.
func (t *turnConn) SetWriteDeadline(at time.Time) error { return t.udp.conn.SetWriteDeadline(at) }

// Close ends reads and writes of this side; what is queued is lost.
func (t *turnConn) Close() error {
	if t.queue.close() {
		return t.udp.leave()
	}
	return nil
}
