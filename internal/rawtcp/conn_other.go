//go:build !linux

package rawtcp

import "net"

func wrap(c net.Conn) net.Conn { return c }
