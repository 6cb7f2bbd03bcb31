package lan

import (
	"net"
	"net/netip"
	"os"
)

// Interface is one of the machine's, which is up.
type Interface struct {
	Name     string
	Index    int
	Prefixes []netip.Prefix // its addresses, each with the length of its network
}

// Machine tells about itself.
type Machine struct {
	Interfaces func() ([]Interface, error)
	Route      func() netip.Addr // the address it would reach the Internet from; the zero Addr: none
	Hostname   func() (string, error)
}

// This is the machine that we run on.
func This() Machine { return Machine{interfaces, route, os.Hostname} }

func interfaces() ([]Interface, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []Interface
	for _, i := range list {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			return nil, err
		}
		one := Interface{Name: i.Name, Index: i.Index}
		for _, a := range addrs {
			n, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			ip, ok := netip.AddrFromSlice(n.IP)
			ones, _ := n.Mask.Size()
			if ok {
				one.Prefixes = append(one.Prefixes, netip.PrefixFrom(ip.Unmap(), ones))
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// route asks the system from where it would send. Nothing is sent: a UDP socket is only told its peer.
func route() netip.Addr {
	c, err := net.Dial("udp4", "192.0.2.1:9") // an address that is nobody's
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	at, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.Addr{}
	}
	return at.AddrPort().Addr().Unmap()
}
