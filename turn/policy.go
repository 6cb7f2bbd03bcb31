package turn

import "net/netip"

// denied are the addresses that nobody may be relayed to: this host, private and shared networks, link-local addresses
// (the metadata service of clouds among them), documentation and benchmark networks, multicast, and IPv6 forms that hide
// an IPv4 address.
var denied = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
	"::/128", "::1/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
	"fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

func contains(list []netip.Prefix, ip netip.Addr) bool {
	for _, p := range list {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// policy says which peers clients may reach. It is not changed after construction; live relay ports are asked for.
type policy struct {
	host    map[netip.Addr]bool     // this host's addresses, but loopback
	media   map[netip.AddrPort]bool // own media addresses
	mediaIP map[netip.Addr]bool
	relayIP netip.Addr
	relays  interface{ live(port uint16) bool }
	allow   []netip.Prefix
	only    bool // nobody else
}

// newPolicy takes this host's addresses from local.
func newPolicy(cfg Config, local []netip.Addr, relays interface{ live(port uint16) bool }) *policy {
	p := &policy{
		host:    map[netip.Addr]bool{},
		media:   map[netip.AddrPort]bool{},
		mediaIP: map[netip.Addr]bool{},
		relayIP: cfg.RelayIP,
		relays:  relays,
		only:    cfg.AllowOnly,
	}
	add := func(ip netip.Addr) {
		if !ip.IsLoopback() {
			p.host[ip] = true
		}
	}
	for _, ip := range local {
		add(ip)
	}
	add(cfg.RelayIP)
	for _, m := range cfg.Media {
		if ip := m.Addr().Unmap().WithZone(""); !ip.IsUnspecified() {
			add(ip)
			p.media[netip.AddrPortFrom(ip, m.Port())] = true
		}
	}
	for _, m := range cfg.Media {
		if m.Addr().IsUnspecified() {
			for ip := range p.host {
				p.media[netip.AddrPortFrom(ip, m.Port())] = true
			}
		}
	}
	for at := range p.media {
		p.mediaIP[at.Addr()] = true
	}
	for _, prefix := range cfg.Allow {
		if ip := prefix.Addr(); ip.Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(ip.Unmap(), prefix.Bits()-96)
		}
		p.allow = append(p.allow, prefix)
	}
	return p
}

// permit says whether a client may ask for permission to reach ip at all; send decides about each port.
func (p *policy) permit(ip netip.Addr) (Reason, bool) {
	ip = ip.Unmap().WithZone("")
	if !ip.IsValid() {
		return DeniedPeer, false
	}
	if p.mediaIP[ip] || ip == p.relayIP {
		return p.family(ip)
	}
	return p.foreign(ip)
}

// send says whether a packet may go to, or come from, a peer.
func (p *policy) send(peer netip.AddrPort) (Reason, bool) {
	ip := peer.Addr().Unmap().WithZone("")
	switch {
	case !ip.IsValid():
		return DeniedPeer, false
	case p.media[netip.AddrPortFrom(ip, peer.Port())]:
		return p.family(ip)
	case ip == p.relayIP && p.relays.live(peer.Port()):
		return 0, true
	case p.host[ip]:
		return OwnPort, false
	}
	return p.foreign(ip)
}

// isRelay reports whether a packet that reached our port came from one of our relays.
func (p *policy) isRelay(from netip.AddrPort) bool {
	ip := from.Addr().Unmap().WithZone("")
	return p.relays.live(from.Port()) && (ip.IsLoopback() || p.host[ip])
}

// foreign decides about addresses without looking at ports.
func (p *policy) foreign(ip netip.Addr) (Reason, bool) {
	switch {
	case p.host[ip]:
		return DeniedPeer, false
	case !contains(p.allow, ip) && (p.only || contains(denied, ip)):
		return DeniedPeer, false
	}
	return p.family(ip)
}

func (p *policy) family(ip netip.Addr) (Reason, bool) { return PeerFamily, ip.Is4() }
