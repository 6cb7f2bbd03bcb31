//go:build !linux

package mux

import "net"

// growBuffers asks for socketBuffer both ways. What other systems grant cannot be read back portably, so only refusals
// are told.
func growBuffers(conn *net.UDPConn) string {
	if err := conn.SetReadBuffer(socketBuffer); err != nil {
		return "UDP receive buffer: " + err.Error()
	}
	if err := conn.SetWriteBuffer(socketBuffer); err != nil {
		return "UDP send buffer: " + err.Error()
	}
	return ""
}
