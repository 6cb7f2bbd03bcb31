package mux

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// growBuffers asks for socketBuffer both ways and returns a hint if the kernel gave less. Linux answers with twice what it
// granted, the other half being for its own bookkeeping (socket(7)).
func growBuffers(conn *net.UDPConn) string {
	if err := conn.SetReadBuffer(socketBuffer); err != nil {
		return "UDP receive buffer: " + err.Error()
	}
	if err := conn.SetWriteBuffer(socketBuffer); err != nil {
		return "UDP send buffer: " + err.Error()
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return "UDP buffers: " + err.Error()
	}
	var receive, send int
	var errReceive, errSend error
	if err := raw.Control(func(fd uintptr) {
		receive, errReceive = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
		send, errSend = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF)
	}); err != nil || errReceive != nil || errSend != nil {
		return fmt.Sprintf("UDP buffers: sizes unknown: %v %v %v", err, errReceive, errSend)
	}
	return bufferHint(receive/2, send/2)
}

// bufferHint takes what was granted, in bytes.
func bufferHint(receive, send int) string {
	if receive >= socketBuffer && send >= socketBuffer {
		return ""
	}
	return fmt.Sprintf("UDP buffers are %d KiB (receive) and %d KiB (send), %d KiB were asked for: bursts may be lost; run sysctl -w net.core.rmem_max=%d net.core.wmem_max=%d",
		receive>>10, send>>10, socketBuffer>>10, socketBuffer, socketBuffer)
}
