package sfu

import (
	"net"
	"net/netip"
	"slices"

	"github.com/pion/ice/v4"
)

// udpMux is the node's mux as one peer's agent sees it: what it reads goes past the peer's leg first, which takes RTP and RTCP
// once it is up, from whatever address they come.
type udpMux struct {
	*ice.UDPMuxDefault
	leg      *leg
	loopback bool
}

// GetListenAddresses leaves out the loopback addresses where they are not all there is, as the agent does for a mux of pion's.
func (m *udpMux) GetListenAddresses() []net.Addr {
	all := m.UDPMuxDefault.GetListenAddresses()
	if m.loopback {
		return all
	}
	return slices.DeleteFunc(all, func(a net.Addr) bool {
		u, ok := a.(*net.UDPAddr)
		return ok && u.IP.IsLoopback()
	})
}

// GetConn returns the peer's connection at one of the addresses.
func (m *udpMux) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	c, err := m.UDPMuxDefault.GetConn(ufrag, addr)
	if err != nil {
		return nil, err
	}
	if fast, ok := c.(addrPortConn); ok {
		return &udpConn{addrPortConn: fast, leg: m.leg}, nil
	}
	return &packetConn{PacketConn: c, leg: m.leg, learn: true}, nil
}

type addrPortConn interface {
	net.PacketConn
	ice.AddrPortReaderWriter
}

// udpConn is a connection of the UDP mux.
type udpConn struct {
	addrPortConn
	leg *leg
}

// ReadFromAddrPort reads what the leg does not take.
func (c *udpConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		n, from, err := c.addrPortConn.ReadFromAddrPort(b)
		if err != nil || !c.leg.late(b[:n], from) {
			return n, from, err
		}
	}
}

// packetConn is a connection of the TCP mux, or one of UDP that knows net.Addr only.
type packetConn struct {
	net.PacketConn
	leg   *leg
	learn bool
}

// ReadFrom reads what the leg does not take.
func (c *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(b)
		if err != nil {
			return n, from, err
		}
		var at netip.AddrPort
		if u, ok := from.(*net.UDPAddr); ok && c.learn {
			at = netip.AddrPortFrom(u.AddrPort().Addr().Unmap(), u.AddrPort().Port())
		}
		if !c.leg.late(b[:n], at) {
			return n, from, nil
		}
	}
}

// tcpMux is the node's TCP mux as one peer's agent sees it.
type tcpMux struct {
	*ice.TCPMuxDefault
	leg *leg
}

// GetConnByUfrag returns the peer's connections, and tells them to the leg, which sends over them.
func (m *tcpMux) GetConnByUfrag(ufrag string, isIPv6 bool, local net.IP) (net.PacketConn, error) {
	c, err := m.TCPMuxDefault.GetConnByUfrag(ufrag, isIPv6, local)
	if err != nil {
		return nil, err
	}
	k := m.leg
	k.loop.Lock()
	defer k.loop.Unlock()
	k.conns = append(k.conns, c)
	if len(k.conns) > maxAddrs {
		k.conns = slices.Delete(k.conns, 0, 1)
	}
	return &packetConn{PacketConn: c, leg: k}, nil
}
