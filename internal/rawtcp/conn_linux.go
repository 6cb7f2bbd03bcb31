package rawtcp

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxCall bounds one system call, in bytes: as long as it takes the runtime can neither stop its thread nor use its processor for others.
const maxCall = 64 << 10

// conn is a TCP connection. All but Read and Write is net.TCPConn's.
type conn struct {
	*net.TCPConn
	raw syscall.RawConn
	in  transfer
	out transfer
}

// transfer is one Read or Write, one at a time.
type transfer struct {
	step func(fd uintptr) bool // made once: a closure a call would be an allocation a call

	// Guarded by mu.
	mu    sync.Mutex
	b     []byte
	n     int
	fault syscall.Errno
}

func wrap(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	w := &conn{TCPConn: tcp, raw: raw}
	w.in.step, w.out.step = w.in.receive, w.out.send
	return w
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := c.in.run(b, c.raw.Read)
	if n == 0 && err == nil {
		return 0, io.EOF
	}
	return n, c.named("read", err)
}

// Write implements net.Conn.
func (c *conn) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return c.TCPConn.Write(b)
	}
	n, err := c.out.run(b, c.raw.Write)
	return n, c.named("write", err)
}

// run has the runtime call the step until it is done; where it is not, the runtime waits for the socket, its deadline or its end.
func (t *transfer) run(b []byte, within func(func(fd uintptr) bool) error) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b, t.n, t.fault = b, 0, 0
	err := within(t.step)
	t.b = nil
	if err == nil && t.fault != 0 {
		err = t.fault
	}
	return t.n, err
}

// receive is one attempt to read; false makes the runtime wait.
func (t *transfer) receive(fd uintptr) bool {
	for {
		n, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&t.b[0])), uintptr(min(len(t.b), maxCall)),
			unix.MSG_DONTWAIT, 0, 0)
		switch e {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		case 0:
			t.n = int(n)
		default:
			t.fault = e
		}
		return true
	}
}

// send writes as much as there is room for; false makes the runtime wait for more.
func (t *transfer) send(fd uintptr) bool {
	for t.n < len(t.b) {
		rest := t.b[t.n:]
		n, _, e := unix.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&rest[0])), uintptr(min(len(rest), maxCall)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		switch e {
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		case 0:
			t.n += int(n)
		default:
			t.fault = e
			return true
		}
	}
	return true
}

// named gives an error the form it has from a net.TCPConn.
func (c *conn) named(op string, err error) error {
	if err == nil {
		return nil
	}
	if told, ok := errors.AsType[*net.OpError](err); ok {
		told.Op = op
		return told
	}
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		err = os.NewSyscallError(op, e)
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}
