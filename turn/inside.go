package turn

import (
	"net/netip"
	"slices"
)

// inside keeps within this host what one of its relays sends to another, or to its own media port, by an address that
// this host does not have: behind a 1:1 NAT no router need lead it back. It takes the loopback address there, and gets
// back the name that the client used.
type inside struct {
	relayIP   netip.Addr                        // as peers are told it, where this host does not have it
	relay     netip.Addr                        // where relays are found instead
	media     map[netip.AddrPort]netip.AddrPort // from what peers are told to what this host has
	mediaBack map[netip.AddrPort][]netip.AddrPort
}

// newInside takes the address that relays are bound to, and those that this host has.
func newInside(cfg Config, bind netip.Addr, local []netip.Addr) *inside {
	in := &inside{media: map[netip.AddrPort]netip.AddrPort{}, mediaBack: map[netip.AddrPort][]netip.AddrPort{}}
	in.relay = bind
	if bind.IsUnspecified() {
		in.relay = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		in.relayIP = cfg.RelayIP
	}
	for _, m := range cfg.Media {
		ip := m.Addr().Unmap()
		if !ip.Is4() || ip.IsUnspecified() || ip.IsLoopback() || slices.Contains(local, ip) {
			continue
		}
		told := netip.AddrPortFrom(ip, m.Port())
		has := netip.AddrPortFrom(in.mediaAddress(cfg.Media, m.Port(), local), m.Port())
		in.media[told] = has
		in.mediaBack[has] = append(in.mediaBack[has], told)
	}
	return in
}

// mediaAddress is one by which this host reaches its media port: the one that it is bound to, or where relays are.
func (in *inside) mediaAddress(media []netip.AddrPort, port uint16, local []netip.Addr) netip.Addr {
	for _, m := range media {
		if ip := m.Addr().Unmap(); m.Port() == port && ip.Is4() && !ip.IsUnspecified() && slices.Contains(local, ip) {
			return ip
		}
	}
	return in.relay
}

// inward is where a packet to a peer is sent. Policy has let it through: at relayIP only media and live relays are.
func (in *inside) inward(peer netip.AddrPort) netip.AddrPort {
	if has, ok := in.media[peer]; ok {
		return has
	}
	if in.relayIP.IsValid() && peer.Addr() == in.relayIP {
		return netip.AddrPortFrom(in.relay, peer.Port())
	}
	return peer
}

// aliases are the addresses by which clients know who sent a packet from within this host.
func (r *relays) aliases(from netip.AddrPort) []netip.AddrPort {
	in := r.inside
	if from.Addr() != in.relay && in.mediaBack[from] == nil {
		return nil
	}
	if in.relayIP.IsValid() && from.Addr() == in.relay && r.live(from.Port()) {
		return []netip.AddrPort{netip.AddrPortFrom(in.relayIP, from.Port())}
	}
	return in.mediaBack[from]
}
