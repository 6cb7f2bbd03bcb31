package mux

import (
	"context"
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// listenShared opens n sockets on one port, with SO_REUSEPORT where n is above one: the kernel chooses the socket by the
// addresses and ports of a datagram, so that one sender's stay in order on one of them.
func listenShared(at *net.UDPAddr, n int) ([]*net.UDPConn, error) {
	first, err := net.ListenUDP("udp", at)
	if err != nil || n <= 1 {
		return []*net.UDPConn{first}, err
	}
	// Without the option, bind fails where somebody has the port already; with it two servers would share the packets. So this
	// socket only made sure. Nobody else can take the port in between without the option, and at the same user.
	local := first.LocalAddr().(*net.UDPAddr)
	if err := first.Close(); err != nil {
		return nil, err
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var fault error
		err := c.Control(func(fd uintptr) {
			fault = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		})
		return errors.Join(err, fault)
	}}
	where := *at // an empty host stays one: it is both families
	where.Port = local.Port
	var conns []*net.UDPConn
	for range n {
		c, err := lc.ListenPacket(context.Background(), "udp", where.String())
		if err != nil {
			for _, o := range conns {
				_ = o.Close() // the first error is told
			}
			return nil, err
		}
		conns = append(conns, c.(*net.UDPConn))
	}
	return conns, nil
}
