package main

import (
	"net"
	"net/netip"
	"strings"
)

// address is where to point a browser: public_url, else the listen address with a host that leads here.
func (s *server) address(l *loaded) string {
	if l.PublicURL != "" {
		return l.PublicURL
	}
	scheme, standard := "http", "80"
	if l.TLSCert != "" || l.LAN {
		scheme, standard = "https", "443"
	}
	bound := s.sockets.http[0].Addr()
	host, _, err := net.SplitHostPort(bound.String())
	if err != nil {
		return scheme + "://" + bound.String()
	}
	switch ip, err := netip.ParseAddr(host); {
	case l.listenToo != "":
		host = "localhost"
	case err == nil && ip.IsUnspecified():
		host = s.reach.host().String()
	}
	return scheme + "://" + strings.TrimSuffix(net.JoinHostPort(host, portOf(bound)), ":"+standard)
}

// overHTTPS reports whether people reach the pages by https, perhaps through a proxy that does it for us.
func (c *config) overHTTPS() bool {
	return c.LAN || c.TLSCert != "" || strings.HasPrefix(c.PublicURL, "https://")
}
