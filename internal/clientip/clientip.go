package clientip

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Of returns the address of the client that sent r. It is the zero Addr where the request came by something else than IP. Behind a proxy it
// is right after Proxies.Handler.
func Of(r *http.Request) netip.Addr { return Parse(r.RemoteAddr) }

// Group returns what one subscriber is usually given, and thus what limits count by: an IPv4 address itself, of IPv6 the /64. This machine's
// own stays whole, so that it can be told.
func Group(a netip.Addr) netip.Prefix {
	a = plain(a)
	bits := a.BitLen()
	if a.Is6() && !a.IsLoopback() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the zero Addr has the zero Prefix
	return p
}

// Parse reads an address as proxies and net/http write it: with or without a port, IPv6 with or without brackets. What is none gives the
// zero Addr.
func Parse(s string) netip.Addr {
	s = strings.TrimSpace(s)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return plain(ap.Addr())
	}
	if n := len(s); n > 1 && s[0] == '[' && s[n-1] == ']' {
		s = s[1 : n-1]
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return plain(a)
}

func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// Proxies are the prefixes whose word about their clients is taken.
type Proxies []netip.Prefix

// Trust reports whether a is a trusted proxy.
func (p Proxies) Trust(a netip.Addr) bool {
	a = plain(a)
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(a) })
}

// Handler puts the client's address where Of finds it, and everybody else who looks at RemoteAddr.
func (p Proxies) Handler(next http.Handler) http.Handler {
	if len(p) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer := Of(r)
		if client := p.client(peer, r.Header["X-Forwarded-For"]); client != peer {
			named := *r
			named.RemoteAddr = netip.AddrPortFrom(client, 0).String()
			r = &named
		}
		next.ServeHTTP(w, r)
	})
}

// client follows the chain of proxies, from the peer back to the first who is not trusted, or to the end of what is told.
func (p Proxies) client(peer netip.Addr, forwarded []string) netip.Addr {
	for _, line := range slices.Backward(forwarded) {
		for rest, more := line, true; more; {
			if !p.Trust(peer) {
				return peer
			}
			var entry string
			if i := strings.LastIndexByte(rest, ','); i >= 0 {
				entry, rest = rest[i+1:], rest[:i]
			} else {
				entry, more = rest, false
			}
			before := Parse(entry)
			if !before.IsValid() {
				return peer
			}
			peer = before
		}
	}
	return peer
}
