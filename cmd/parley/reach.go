package main

import (
	"net"
	"net/netip"
)

// reach is where clients find the media ports.
type reach struct {
	public []netip.Addr // as configured; else empty
	bound  netip.Addr   // the address of the UDP socket; unspecified: all interfaces
	local  []netip.Addr // of the interfaces, without loopback and link-local ones
}

func newReach(publicIPs []string, bound net.Addr) reach {
	var r reach
	for _, s := range publicIPs {
		if a, err := netip.ParseAddr(s); err == nil { // validated
			r.public = append(r.public, a)
		}
	}
	if u, ok := bound.(*net.UDPAddr); ok {
		r.bound = u.AddrPort().Addr().Unmap()
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return r // a system that does not tell: nothing is known
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				if ip = ip.Unmap(); ip.IsGlobalUnicast() {
					r.local = append(r.local, ip)
				}
			}
		}
	}
	return r
}

// lite decides for ICE-lite: an address that clients can reach as it is leaves nothing to discover (RFC 8445 section 2.5).
// IPv6 addresses of an interface decide only where there is no IPv4: behind a home router both a private IPv4 and a
// global IPv6 address are usual, and a firewall stands before the latter.
func (r reach) lite(mode string) bool {
	switch mode {
	case "on":
		return true
	case "off":
		return false
	}
	if len(r.public) > 0 || r.bound.IsLoopback() {
		return true
	}
	if !r.bound.IsUnspecified() {
		return isPublic(r.bound)
	}
	v4 := false
	for _, ip := range r.local {
		v4 = v4 || ip.Is4()
	}
	for _, ip := range r.local {
		if ip.Is4() == v4 && isPublic(ip) {
			return true
		}
	}
	return false
}

// host is the one address to name to clients: for STUN and TURN, and for the line that says where to go.
func (r reach) host() netip.Addr {
	candidates := append([]netip.Addr{}, r.public...)
	if r.bound.IsValid() && !r.bound.IsUnspecified() {
		candidates = append(candidates, r.bound)
	}
	candidates = append(candidates, r.local...)
	for _, ip := range candidates {
		if ip.Is4() {
			return ip
		}
	}
	if len(candidates) > 0 {
		return candidates[0]
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

var carrierGrade = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598

// isPublic reports whether the whole Internet can name ip.
func isPublic(ip netip.Addr) bool {
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !carrierGrade.Contains(ip)
}
