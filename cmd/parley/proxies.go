package main

import (
	"log/slog"
	"net/http"
	"net/netip"
	"sync"

	"github.com/parley/parley/internal/clientip"
)

// proxies are the reverse proxies whose X-Forwarded-For counts.
func (l *loaded) proxies() clientip.Proxies {
	list, _ := prefixes(l.Trusted) // validated
	for i, p := range list {
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			list[i] = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
	}
	return list
}

// behindProxies resolves trusted proxies, and says once where one seems to be missing: its clients share its address then, and with it
// every limit that counts by address.
func (l *loaded) behindProxies(next http.Handler, log *slog.Logger) http.Handler {
	trusted := l.proxies()
	var once sync.Once
	handler := trusted.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header["X-Forwarded-For"] != nil {
			if peer := clientip.Of(r); peer.IsPrivate() || peer.IsLoopback() {
				if !trusted.Trust(peer) {
					once.Do(func() {
						log.Warn("a proxy that is not trusted names its clients: they all count as one address; if it is yours, name it in "+
							"trusted_proxies", "proxy", peer.String())
					})
				}
			}
		}
		handler.ServeHTTP(w, r)
	})
}
