package gate

import (
	"container/list"
	"io"
	"net"
	"net/netip"
)

// conn is a connection with a place.
type conn struct {
	net.Conn
	gate *Gate

	address netip.Prefix // by which it counts; the zero Prefix: by none

	// Guarded by gate.mu.
	in            bool
	idle, ownIdle *list.Element // in the lists of the gate and of the address; nil: busy
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.gate.mu.Lock()
	c.gate.leaveLocked(c)
	c.gate.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite ends the sending direction where the connection can, as net/http wants before it closes.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// ReadFrom lets files go out by the system's own copy, where the connection can.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	if from, ok := c.Conn.(io.ReaderFrom); ok {
		return from.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{c.Conn}, r)
}
