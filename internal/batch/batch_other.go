//go:build !linux

package batch

import (
	"net"
	"net/netip"
)

// system is empty: plain reads and writes are what there is.
type system struct {
	udp *net.UDPConn
	gro bool // never
}

type sockaddr struct{}

// source is empty: the system chooses from which address datagrams leave.
type source struct{}

type transmitter struct{}

func (*transmitter) init() {}

func (s *system) init(udp *net.UDPConn) (Mode, error) {
	s.udp = udp
	return Plain, nil
}

func (*system) fill(*sockaddr, netip.AddrPort) {}

func (*system) leave(*source, netip.Addr) {}

// transmit sends the first messages and returns how many are dealt with.
func (c *Conn) transmit(s *Sender, msgs []message) int {
	for i := range msgs {
		m := &msgs[i]
		c.count.calls.Add(1)
		if _, err := c.udp.WriteToUDPAddrPort(s.slab[m.start:m.end], m.to.addr); err != nil {
			c.refused(m)
			continue
		}
		c.sent(msgs[i : i+1])
	}
	return len(msgs)
}

func (c *Conn) sendSingly(*Sender, *message) bool { return false }

// singles is empty.
type singles struct{}

// WriteTo sends one datagram at once.
func (c *Conn) WriteTo(b []byte, to netip.AddrPort) (int, error) {
	return c.udp.WriteToUDPAddrPort(b, to)
}

// WriteFrom is WriteTo: the system chooses from which address.
func (c *Conn) WriteFrom(b []byte, to netip.AddrPort, _ netip.Addr) (int, error) {
	return c.WriteTo(b, to)
}

// Receiver reads one datagram at a time.
type Receiver struct {
	conn *Conn
	buf  [receiveSlot]byte
	n    int
	from netip.AddrPort
}

// NewReceiver returns a reader of the socket.
func (c *Conn) NewReceiver() *Receiver { return &Receiver{conn: c} }

// Receive waits for datagrams and returns how many came. The socket's deadline and its being closed end the wait.
func (r *Receiver) Receive() (int, error) {
	n, from, err := r.conn.udp.ReadFromUDPAddrPort(r.buf[:])
	if err != nil {
		return 0, err
	}
	r.n, r.from = n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	r.conn.count.readCalls.Add(1)
	r.conn.count.readPackets.Add(1)
	return 1, nil
}

// Serve calls handle with the length of each batch, until the socket is closed or the system reports an error.
func (r *Receiver) Serve(handle func(n int)) error {
	for {
		n, err := r.Receive()
		if err != nil {
			return err
		}
		handle(n)
	}
}

// More adds nothing here.
func (r *Receiver) More() int { return 1 }

// Packet returns the datagram i of the last batch, valid until the next Receive.
func (r *Receiver) Packet(int) []byte { return r.buf[:r.n] }

// At is not known here.
func (r *Receiver) At(int) netip.Addr { return netip.Addr{} }

// From returns who sent it; the address is never an IPv4-mapped one.
func (r *Receiver) From(int) netip.AddrPort { return r.from }
