package sfu

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley/parley/internal/steady"
)

const (
	tcpFirst      = 10 * time.Second // in which the first check must come, with a password
	tcpStuck      = 10 * time.Second // that a write may take
	tcpWriteQueue = 1 << 20          // bytes per connection; when full, packets are dropped
	tcpMaxFrame   = 8 << 10          // bytes
	tcpReadBuffer = 2 << 10
)

// tcpConn is a connection of ICE-TCP (RFC 6544): packets in frames of RFC 4571.
type tcpConn struct {
	// Static after construction.
	node *Node
	conn net.Conn
	addr netip.AddrPort // the client's

	owner atomic.Pointer[iceAgent] // set by the first check
	wake  chan struct{}            // holds one: there is something to write, or the end

	mu      sync.Mutex // taken within any loop, and nothing is within it
	waiting []byte     // Guarded by mu: frames that are to be written.
	ended   bool       // Guarded by mu.
}

// accept takes connections until the listener is closed.
func (n *Node) accept() {
	for {
		conn, err := n.cfg.TCP.Accept()
		if err == nil {
			n.serve(conn)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		n.log.Warn("accept ICE-TCP", "err", err)
		select { // out of descriptors, most likely
		case <-n.stop:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// serve starts a connection's goroutines, unless the node is closing.
func (n *Node) serve(conn net.Conn) {
	c := &tcpConn{node: n, conn: conn, wake: make(chan struct{}, 1)}
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		c.addr = netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port())
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		_ = conn.Close() // nobody is told
		return
	}
	n.conns[c] = struct{}{}
	n.tasks.Go(c.read)
	n.tasks.Go(c.flush)
}

// read ends with the connection.
func (c *tcpConn) read() {
	defer func() {
		c.finish()
		if a := c.owner.Load(); a != nil {
			a.gone(c)
		}
		c.node.mu.Lock()
		delete(c.node.conns, c)
		c.node.mu.Unlock()
	}()
	if c.conn.SetReadDeadline(steady.Now().Add(tcpFirst)) != nil {
		return
	}
	defer c.node.guard("ICE-TCP")
	in := bufio.NewReaderSize(c.conn, tcpReadBuffer)
	var head [2]byte
	frame := make([]byte, tcpReadBuffer)
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return
		}
		size := int(binary.BigEndian.Uint16(head[:]))
		if size > tcpMaxFrame {
			return
		}
		if size > len(frame) {
			frame = make([]byte, tcpMaxFrame)
		}
		if _, err := io.ReadFull(in, frame[:size]); err != nil || !c.take(frame[:size]) {
			return
		}
	}
}

// take deals a packet. False ends the connection: whoever is there does not know a password.
func (c *tcpConn) take(b []byte) bool {
	a := c.owner.Load()
	switch {
	case len(b) > 0 && b[0] <= lastSTUN:
		if ok := c.node.plane.ice.check(b, via{addr: c.addr, tcp: c}, steady.Now()); a == nil {
			return ok && c.owner.Load() != nil && c.conn.SetReadDeadline(time.Time{}) == nil
		}
	case a == nil:
		return false
	case len(b) > 0 && b[0] >= firstDTLS && b[0] <= lastDTLS:
		a.t.record(b)
	case isRTP(b) || isRTCP(b):
		a.t.peer.leg.keep(b, netip.AddrPort{})
	}
	return true
}

// write queues a packet. It does not block.
func (c *tcpConn) write(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return net.ErrClosed
	}
	if len(c.waiting)+2+len(b) > tcpWriteQueue {
		return errFull
	}
	c.waiting = append(binary.BigEndian.AppendUint16(c.waiting, uint16(len(b))), b...)
	c.rouse()
	return nil
}

func (c *tcpConn) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// finish ends the connection once what waits has been written.
func (c *tcpConn) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.rouse()
}

// flush writes what waits, until the end.
func (c *tcpConn) flush() {
	defer c.conn.Close() // it ends the reader; what is lost is lost
	defer c.node.guard("ICE-TCP")
	var out []byte
	for {
		<-c.wake
		c.mu.Lock()
		out, c.waiting = c.waiting, out[:0]
		ended := c.ended
		c.mu.Unlock()
		if len(out) > 0 {
			err := c.conn.SetWriteDeadline(steady.Now().Add(tcpStuck))
			if err == nil {
				_, err = c.conn.Write(out)
			}
			if err != nil {
				c.finish()
				return
			}
		}
		if ended {
			return
		}
		if cap(out) > 64<<10 {
			out = nil // a keyframe's; what is usual is far less
		}
	}
}
