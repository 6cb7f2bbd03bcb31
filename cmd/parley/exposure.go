package main

import (
	"net"
	"net/netip"
)

// guarded reports whether the server asks for tokens.
func (c *config) guarded() bool { return len(c.Secret) > 0 }

// open reports whether other machines may be served: there is a secret, or the operator said --insecure, or
// --lan, which has its own bounds.
func (c *config) open() bool { return c.guarded() || c.Insecure || c.LAN }

// exposed puts hosts into the addresses that have none, and refuses those off loopback where nobody guards them. What it
// says depends on the values alone, not on whether they were given or are defaults, so that a file printed by
// "parley config" means the same as no file.
func (l *loaded) exposed() error {
	for _, a := range []struct {
		key  string
		addr *string
	}{{"listen", &l.Listen}, {"udp", &l.UDP}, {"tcp", &l.TCP}, {"admin", &l.Admin}} {
		if *a.addr == off {
			continue
		}
		host, port, err := net.SplitHostPort(*a.addr)
		if err != nil {
			return l.problem(a.key, "%v", err)
		}
		switch {
		case host == "" && a.key == "udp" && !l.open():
			l.udpHere = true // on all addresses, as Firefox will not pair loopback with another, but for this machine alone
		case host == "" && (!l.open() || a.key == "admin"):
			*a.addr = net.JoinHostPort("127.0.0.1", port)
			if a.key == "listen" {
				l.listenToo = "::1" // browsers may resolve localhost to either
			}
		case host != "" && !l.open() && !isLoopback(host):
			return l.problem(a.key, "%s can be reached from other machines, and without a secret everybody could enter "+
				"every room; set PARLEY_SECRET (make one with: openssl rand -hex 32), or say --insecure, or --lan for the "+
				"private network alone", *a.addr)
		}
	}
	return nil
}

// isLoopback reports whether host means this machine alone.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
