package loadgen

import (
	"encoding/binary"
	"fmt"
	"net"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// control runs f on the socket's descriptor.
func control(conn *net.UDPConn, f func(fd int) error) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// attach has the kernel drop what the program says, and count it with the socket's drops.
func attach(conn *net.UDPConn, program []instruction) error {
	filter := make([]unix.SockFilter, len(program))
	for i, p := range program {
		filter[i] = unix.SockFilter{Code: p.op, Jt: p.jt, Jf: p.jf, K: p.k}
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	err := control(conn, func(fd int) error {
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog)
	})
	if err != nil {
		return fmt.Errorf("attach socket filter: %w", err)
	}
	return nil
}

// memInfoDrops is the index of the drops in what SO_MEMINFO gives (linux/sock_diag.h, SK_MEMINFO_DROPS).
const memInfoDrops = 8

// drops returns how many datagrams the socket has dropped, by its filter or because its buffer was full. It wraps.
func drops(conn *net.UDPConn) (uint32, error) {
	var info [memInfoDrops + 1]uint32
	err := control(conn, func(fd int) error {
		size := uint32(unsafe.Sizeof(info))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("count drops: %w", err)
	}
	return info[memInfoDrops], nil
}

// stampArrivals asks the kernel for the time at which each datagram came.
func stampArrivals(conn *net.UDPConn) error {
	return control(conn, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1)
	})
}

// stampSpace is the room for one such time among a datagram's control messages.
const stampSpace = 64

// arrivalOf finds the time in control messages.
func arrivalOf(oob []byte) (time.Time, bool) {
	head := unix.CmsgLen(0)
	for len(oob) >= head {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
		if int(h.Len) < head || int(h.Len) > len(oob) {
			return time.Time{}, false
		}
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPNS_NEW && int(h.Len) >= head+16 {
			b := oob[head:]
			return time.Unix(int64(binary.NativeEndian.Uint64(b)), int64(binary.NativeEndian.Uint64(b[8:]))), true
		}
		oob = oob[min(unix.CmsgSpace(int(h.Len)-head), len(oob)):]
	}
	return time.Time{}, false
}
