package sfu

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// candidates are the values of a=candidate (RFC 8839, section 5.1) of all addresses that clients may reach the node by.
func (n *Node) candidates() ([]string, error) {
	var all []string
	add := func(protocol string, typePreference int, at netip.AddrPort, suffix string) {
		// RFC 8445, section 5.1.2.1, for component 1. Those of UDP are all better than those of TCP.
		priority := typePreference<<24 | (0xFFFF-len(all))<<8 | 255
		all = append(all, fmt.Sprintf("%d 1 %s %d %s %d typ host%s", len(all)+1, protocol, priority, at.Addr(), at.Port(), suffix))
	}
	udp, err := n.addresses(n.cfg.Conn.LocalAddr(), onlyLoopback(n.cfg.Conn.LocalAddr()))
	if err != nil {
		return nil, err
	}
	for _, a := range udp {
		add("udp", 126, a, "")
	}
	if n.cfg.TCP == nil {
		return all, nil
	}
	tcp, err := n.addresses(n.cfg.TCP.Addr(), n.loopback())
	if err != nil {
		return nil, err
	}
	for _, a := range tcp {
		add("tcp", 90, a, " tcptype passive") // RFC 6544, section 4.5
	}
	return all, nil
}

// addresses are those to announce for a socket.
func (n *Node) addresses(socket net.Addr, loopback bool) ([]netip.AddrPort, error) {
	bound, err := addrPortOf(socket)
	if err != nil {
		return nil, err
	}
	var ips []netip.Addr
	switch {
	case len(n.cfg.PublicIPs) > 0:
		ips = n.cfg.PublicIPs
	case !bound.Addr().IsUnspecified():
		ips = []netip.Addr{bound.Addr()}
	default:
		if ips, err = n.net.addrs(loopback); err != nil {
			return nil, err
		}
	}
	var all []netip.AddrPort
	for _, ip := range ips {
		if bound.Addr().Unmap().Is4() && !ip.Unmap().Is4() { // a socket of IPv4 alone
			continue
		}
		all = append(all, netip.AddrPortFrom(ip.Unmap().WithZone(""), bound.Port()))
	}
	return all, nil
}

func addrPortOf(a net.Addr) (netip.AddrPort, error) {
	switch a := a.(type) {
	case *net.UDPAddr:
		return a.AddrPort(), nil
	case *net.TCPAddr:
		return a.AddrPort(), nil
	}
	return netip.AddrPort{}, fmt.Errorf("%v is no address of UDP or TCP", a)
}

// addrs are the machine's, without those that need a zone.
func (i *interfaces) addrs(loopback bool) ([]netip.Addr, error) {
	list, err := i.Interfaces()
	if err != nil {
		return nil, err
	}
	var all []netip.Addr
	for _, at := range list {
		if at.Flags&net.FlagUp == 0 || at.Flags&net.FlagLoopback != 0 && !loopback {
			continue
		}
		here, err := at.Addrs()
		if err != nil {
			continue // it has none
		}
		for _, a := range here {
			p, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			ip := p.Addr().Unmap()
			if ip.IsLoopback() && !loopback || ip.Is6() && ip.IsLinkLocalUnicast() || slices.Contains(all, ip) {
				continue
			}
			all = append(all, ip)
		}
	}
	return all, nil
}
