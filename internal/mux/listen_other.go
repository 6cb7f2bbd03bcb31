//go:build !linux

package mux

import "net"

// listenShared opens one socket: elsewhere a shared port means something else, or nothing.
func listenShared(at *net.UDPAddr, _ int) ([]*net.UDPConn, error) {
	c, err := net.ListenUDP("udp", at)
	return []*net.UDPConn{c}, err
}
