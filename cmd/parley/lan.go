package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/parley/parley/internal/lan"
	"github.com/parley/parley/internal/qr"
	"github.com/parley/parley/internal/steady"
)

// lanCheck is how often the network and the certificate are looked at.
const lanCheck = 10 * time.Second

// neighbours is the private network that is served, with the certificate for this machine's places in it.
type neighbours struct {
	// Static after construction.
	*lan.Network
	kept lan.Store
	own  bool   // the operator has a certificate of his own
	name string // of public_url; empty: not known
	log  *slog.Logger

	current atomic.Pointer[tls.Certificate] // nil: own

	// Owned by the goroutine that calls watch.
	lost bool // the network, and it was said
}

// newNeighbours looks at the network around m.
func (l *loaded) newNeighbours(m lan.Machine, kept lan.Store, log *slog.Logger, now time.Time) (*neighbours, error) {
	network, err := lan.New(m, steady.Now())
	if errors.Is(err, lan.ErrNoAddress) {
		return nil, l.problem("lan", "this machine has no address in a private network (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7): "+
			"connect it to one, or leave lan out, and this machine alone is served")
	}
	if err != nil {
		return nil, err
	}
	n := &neighbours{Network: network, kept: kept, own: l.TLSCert != "", name: l.publicHost(), log: log}
	return n, n.certify(now)
}

// checkLAN refuses what cannot be together with lan.
func (l *loaded) checkLAN() error {
	switch {
	case !l.LAN:
		return nil
	case l.Insecure:
		return l.problem("lan", "insecure would serve every network, and lan serves the private one alone; leave one of them out")
	case slices.ContainsFunc(l.PublicIP, func(s string) bool { ip, err := netip.ParseAddr(s); return err == nil && isPublic(ip) }):
		return l.problem("lan", "public_ip is for clients out on the Internet, and lan serves none; leave one of them out")
	}
	return nil
}

// certify takes the certificate into use that is kept, or makes one.
func (n *neighbours) certify(now time.Time) error {
	if n.own {
		return nil
	}
	c, made, err := lan.Certificate(n.kept, n.View(), now)
	if len(c.Certificate) == 0 {
		return err
	}
	if err != nil {
		n.log.Warn("the certificate is new after the next start, and browsers will warn again", "err", err)
	}
	if made {
		n.log.Info("a certificate was made", "names", c.Leaf.DNSNames, "addresses", c.Leaf.IPAddresses, "until", c.Leaf.NotAfter)
	}
	n.current.Store(&c)
	return nil
}

// config is the TLS configuration of the HTTP server.
func (n *neighbours) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return n.current.Load(), nil },
	}
}

// admits reports whether a client at this address is a neighbour.
func (n *neighbours) admits(a netip.Addr) bool { return n.Admits(a, steady.Now()) }

// filter is admits, or nil where everybody is served.
func (n *neighbours) filter() func(netip.Addr) bool {
	if n == nil {
		return nil
	}
	return n.admits
}

// answers reports whether host means us.
func (n *neighbours) answers(host string) bool {
	return n.View().Answers(host) || n.name != "" && host == n.name
}

// watch follows the network until ctx ends.
func (n *neighbours) watch(ctx context.Context, port string) {
	tick := time.NewTicker(lanCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			n.look(time.Now(), port)
		}
	}
}

// look says where this machine is found once it has moved, and renews the certificate.
func (n *neighbours) look(now time.Time, port string) {
	changed, err := n.Look(steady.Now())
	if err != nil {
		if !n.lost {
			n.log.Warn("the private network is gone; it is looked for", "err", err)
		}
		n.lost = true
		return
	}
	if changed || n.lost {
		n.log.Info("the private network changed", "url", lanURL(n.View().Addrs[0], port), "addresses", n.View().Addrs)
	}
	n.lost = false
	if err := n.certify(now); err != nil {
		n.log.Warn("no certificate for the new network", "err", err)
	}
}

// neighboursOnly refuses the host names of others.
func neighboursOnly(next http.Handler, n *neighbours) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !n.answers(hostOf(r.Host)) {
			http.Error(w, "This server answers to the private addresses and the names of its own machine alone.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func lanURL(ip netip.Addr, port string) string {
	at := netip.AddrPortFrom(ip, 0).String() // with brackets where they are due
	return "https://" + at[:len(at)-1] + port
}

// announceLAN says how a phone gets in.
func (s *server) announceLAN(w io.Writer, l *loaded) {
	fmt.Fprintf(w, "Parley is ready for the private network: open %s on a phone or computer in it\n", s.url)
	if isTerminal(w) {
		fmt.Fprintln(w)
		if err := qr.Terminal(w, s.url); err != nil {
			s.log.Warn("no QR code", "err", err)
		}
		fmt.Fprintln(w)
	}
	for i, ip := range s.near.View().Addrs {
		if i > 0 && l.PublicURL == "" && ip.Is4() {
			fmt.Fprintf(w, "Also there: %s\n", lanURL(ip, portOf(s.sockets.http[0].Addr())))
		}
	}
	if !s.near.own {
		fmt.Fprint(w, "The browser warns once that the connection is not private, because this machine signed its certificate itself and nobody "+
			"vouches for it; all that is sent is encrypted nevertheless.\nTo go on choose Advanced (in Safari: Show Details), then the link that "+
			"leads to the address.\n")
	}
	if !l.guarded() {
		fmt.Fprint(w, "There is no secret, so everybody in the network may enter; the first in a room is its moderator.\n")
		return
	}
	fmt.Fprint(w, s.wayIn(l, time.Now()))
}
