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
	from  source
	iov   unix.Iovec
	hdr   unix.Msghdr
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
	if o.from.len > 0 {
		_, _, o.fault = unix.RawSyscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&o.hdr)), unix.MSG_DONTWAIT)
		return true
	}
	_, _, o.fault = unix.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&o.b[0])), uintptr(len(o.b)), unix.MSG_DONTWAIT,
		uintptr(unsafe.Pointer(&o.to.six)), uintptr(o.to.len))
	return true
}

// WriteTo sends one datagram at once. Where the socket's buffer is full it waits as net.UDPConn does.
func (c *Conn) WriteTo(b []byte, to netip.AddrPort) (int, error) {
	return c.WriteFrom(b, to, netip.Addr{})
}

// WriteFrom is WriteTo from one of our addresses; zero: the system chooses which, and so it does where that is ours no more.
func (c *Conn) WriteFrom(b []byte, to netip.AddrPort, from netip.Addr) (int, error) {
	if len(b) == 0 {
		return c.udp.WriteToUDPAddrPort(b, to)
	}
	o := c.singles.take()
	defer c.singles.pool.Put(o)
	c.os.fill(&o.to, to)
	o.b = b
	if c.os.leave(&o.from, from); o.from.len > 0 {
		o.iov.Base = &b[0]
		o.iov.SetLen(len(b))
		o.from.put(&o.hdr, &o.iov, &o.to)
	}
	err := c.os.raw.Write(o.write)
	o.b, o.iov.Base = nil, nil
	switch {
	case err != nil:
		return 0, err
	case o.fault != 0: // rare, and net's errors say more
		return c.udp.WriteToUDPAddrPort(b, to)
	}
	return len(b), nil
}
