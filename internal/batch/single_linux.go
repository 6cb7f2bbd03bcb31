package batch

import (
	"net/netip"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// single is one datagram on its way out. Its fields outlive the call, so that nothing is allocated for one.
type single struct {
	b     []byte
	to    sockaddr
	fault syscall.Errno
	write func(fd uintptr) bool
}

// singles are a Conn's.
type singles struct{ pool sync.Pool }

func (s *singles) take() *single {
	if o, ok := s.pool.Get().(*single); ok {
		return o
	}
	o := &single{}
	o.write = o.once
	return o
}

// once is a system call that the Go runtime is not told of: it does not wait, and the runtime would wake its monitor thread.
func (o *single) once(fd uintptr) bool {
	_, _, o.fault = unix.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&o.b[0])), uintptr(len(o.b)), unix.MSG_DONTWAIT,
		uintptr(unsafe.Pointer(&o.to.six)), uintptr(o.to.len))
	return true
}

// WriteTo sends one datagram at once. Where the socket's buffer is full it waits as net.UDPConn does.
func (c *Conn) WriteTo(b []byte, to netip.AddrPort) (int, error) {
	if len(b) == 0 {
		return c.udp.WriteToUDPAddrPort(b, to)
	}
	o := c.singles.take()
	defer c.singles.pool.Put(o)
	c.os.fill(&o.to, to)
	o.b = b
	err := c.os.raw.Write(o.write)
	o.b = nil
	switch {
	case err != nil:
		return 0, err
	case o.fault != 0: // rare, and net's errors say more
		return c.udp.WriteToUDPAddrPort(b, to)
	}
	return len(b), nil
}
