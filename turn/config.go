package turn

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Config says where a Server listens and whom it relays to. The server closes UDP and TCP when it is closed.
type Config struct {
	UDP     net.PacketConn // for STUN and TURN over UDP, or nil
	TCP     []net.Listener // for STUN and TURN over TCP; TLS where the listener does TLS
	Secrets []string       // each 16 bytes or more: the first makes credentials, all check them
	Realm   string         // default "parley"
	TTL     time.Duration  // how long credentials are good for; default 2 min

	// RelayIP is the IPv4 address that clients are told. Default: UDP's own address if it has one, else the first
	// IPv4 address of this host that is not loopback, else 127.0.0.1. Behind a 1:1 NAT it is the outer address.
	RelayIP          netip.Addr
	MinPort, MaxPort uint16 // relay ports; default 49152 to 65535

	// Media are this host's own media addresses, the only ports of this host that clients may reach besides relays. An
	// unspecified address (0.0.0.0 or ::) stands for all addresses of this host, except loopback.
	Media []netip.AddrPort
	// Allow are peers that may be reached although they are on the deny list (private networks, say). It does not open
	// this host's own addresses.
	Allow []netip.Prefix
	// AllowOnly lets clients reach nobody besides Allow, Media and relays.
	AllowOnly bool

	Limits Limits
	Log    *slog.Logger // default: none
}

// Limits bound what one client and all clients together can take. Zero means the default.
type Limits struct {
	PerIdentity int // allocations of one identity; default 32
	PerIP       int // allocations of one client address (IPv6: one /64); default 256
	Allocations int // allocations in all; default 4096
	Peers       int // permitted peer addresses of one allocation; default 64
	Channels    int // channels of one allocation; default 64
	Bandwidth   int // bytes/s of one allocation, each way, with a burst of one second; default 4 MiB/s
	Conns       int // open TCP connections in all; default 2048
	ConnsPerIP  int // open TCP connections of one client address; default 256
	Errors      int // error answers over 1.5 times their request, a second to one address, with a burst of 20 s; default 20
}

// maxRealm keeps a challenge below 1.5 times a client's first Allocate, headers counted.
const maxRealm = 12 // bytes

func (c Config) withDefaults() Config {
	if c.Realm == "" {
		c.Realm = "parley"
	}
	if c.TTL == 0 {
		c.TTL = 2 * time.Minute
	}
	if !c.RelayIP.IsValid() {
		c.RelayIP = defaultRelayIP(c.UDP)
	}
	c.RelayIP = c.RelayIP.Unmap()
	if c.MinPort == 0 && c.MaxPort == 0 {
		c.MinPort, c.MaxPort = 49152, 65535
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Limits = c.Limits.withDefaults()
	return c
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		value *int
		def   int
	}{
		{&l.PerIdentity, 32},
		{&l.PerIP, 256},
		{&l.Allocations, 4096},
		{&l.Peers, 64},
		{&l.Channels, 64},
		{&l.Bandwidth, 4 << 20},
		{&l.Conns, 2048},
		{&l.ConnsPerIP, 256},
		{&l.Errors, 20},
	} {
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	return l
}

// Validate reports what New would refuse.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	if c.UDP == nil && len(c.TCP) == 0 {
		errs = append(errs, errors.New("turn: nothing to listen on"))
	}
	if len(c.Secrets) == 0 {
		errs = append(errs, errors.New("turn: there is no secret"))
	}
	for _, secret := range c.Secrets {
		if len(secret) < 16 {
			errs = append(errs, errors.New("turn: a secret must have 16 bytes or more"))
		}
	}
	if len(c.Realm) > maxRealm {
		errs = append(errs, fmt.Errorf("turn: a realm of more than %d bytes makes answers to strangers too large", maxRealm))
	}
	if c.TTL < time.Minute {
		errs = append(errs, fmt.Errorf("turn: credentials for %v are too short-lived, at least 1m", c.TTL))
	}
	if !c.RelayIP.Is4() || c.RelayIP.IsUnspecified() || c.RelayIP.IsMulticast() {
		errs = append(errs, fmt.Errorf("turn: the relay address must be one IPv4 address, not %v", c.RelayIP))
	}
	if c.MinPort == 0 || c.MinPort > c.MaxPort {
		errs = append(errs, fmt.Errorf("turn: relay ports %d to %d are no range", c.MinPort, c.MaxPort))
	}
	for _, m := range c.Media {
		if !m.IsValid() || m.Port() == 0 {
			errs = append(errs, fmt.Errorf("turn: media address %v is incomplete", m))
		}
	}
	for _, p := range c.Allow {
		if !p.IsValid() {
			errs = append(errs, errors.New("turn: an allowed prefix is invalid"))
		}
	}
	l := c.Limits
	for _, n := range []int{l.PerIdentity, l.PerIP, l.Allocations, l.Peers, l.Channels, l.Bandwidth, l.Conns, l.ConnsPerIP, l.Errors} {
		if n < 0 {
			errs = append(errs, errors.New("turn: limits must not be negative"))
			break
		}
	}
	return errors.Join(errs...)
}

func defaultRelayIP(udp net.PacketConn) netip.Addr {
	if udp != nil {
		if at, ok := udp.LocalAddr().(*net.UDPAddr); ok {
			if ip := at.AddrPort().Addr().Unmap(); ip.Is4() && !ip.IsUnspecified() {
				return ip
			}
		}
	}
	for _, ip := range interfaceIPs() {
		if ip.Is4() && !ip.IsLoopback() {
			return ip
		}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// interfaceIPs are this host's addresses, without zones. Where the system does not tell them there are none.
func interfaceIPs() []netip.Addr {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var ips []netip.Addr
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				ips = append(ips, ip.Unmap())
			}
		}
	}
	return ips
}
