package mux

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// tcpConn is a connection whose first bytes were read already and are read again by its owner.
type tcpConn struct {
	net.Conn
	tcp  *TCP
	ip   netip.Addr
	head []byte // owned by the reader

	closing sync.Once
}

func (c *tcpConn) Read(b []byte) (int, error) {
	if len(c.head) > 0 {
		n := copy(b, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// Close takes the connection off the limits.
func (c *tcpConn) Close() error {
	err := net.ErrClosed
	c.closing.Do(func() {
		err = c.Conn.Close()
		c.tcp.forget(c)
	})
	return err
}

// abort wakes the goroutine that decides; it closes the connection.
func (c *tcpConn) abort() {
	c.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // fails only if it is closed already
}
