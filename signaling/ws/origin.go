package ws

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// origins are the origins, besides the server's own, whose pages may connect: "https://example.org", one with a * in its
// host ("https://*.example.org" is any subdomain), or "*" for all.
type origins struct {
	any       bool
	exact     map[string]bool
	wildcards []wildcard
}

// wildcard is what comes before and after the * of an origin.
type wildcard struct{ prefix, suffix string }

func (w wildcard) match(origin string) bool {
	return len(origin) > len(w.prefix)+len(w.suffix) &&
		strings.HasPrefix(origin, w.prefix) && strings.HasSuffix(origin, w.suffix)
}

// star stands for the * while an origin is parsed.
const star = "parley-star"

// checkOrigin reports what is no origin for the configuration.
func checkOrigin(o string) error {
	if o == "*" {
		return nil
	}
	if _, ok := parseOrigin(strings.Replace(o, "*", star, 1)); !ok {
		return fmt.Errorf("ws: %q is not an origin like https://example.org", o)
	}
	return nil
}

// newOrigins takes what checkOrigin has passed.
func newOrigins(configured []string) origins {
	set := origins{exact: map[string]bool{}}
	for _, o := range configured {
		if o == "*" {
			set.any = true
			continue
		}
		origin, _ := parseOrigin(strings.Replace(o, "*", star, 1))
		if prefix, suffix, found := strings.Cut(origin, star); found {
			set.wildcards = append(set.wildcards, wildcard{prefix, suffix})
			continue
		}
		set.exact[origin] = true
	}
	return set
}

// allow reports whether a request may open a WebSocket. Programs that are no browsers send no Origin; they may. Browsers
// always send it, and cannot be made to lie.
func (o origins) allow(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	if len(values) > 1 {
		return false
	}
	if o.any {
		return true
	}
	origin, ok := parseOrigin(values[0])
	if !ok {
		return false
	}
	if origin == ownOrigin(r) || o.exact[origin] {
		return true
	}
	return slices.ContainsFunc(o.wildcards, func(w wildcard) bool { return w.match(origin) })
}

// ownOrigin is the origin of the pages that this server serves, as the request came. Behind a proxy that ends TLS, the
// scheme is what the proxy says; a page can set no header of a WebSocket's request, so it cannot lie about it either.
func ownOrigin(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	origin, _ := parseOrigin(scheme + "://" + r.Host)
	return origin
}

// parseOrigin brings an origin (RFC 6454 section 6.2) into one spelling: lower case, without a default port. "null" and
// everything with more than scheme, host and port is none.
func parseOrigin(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Opaque != "" ||
		u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.ContainsAny(s, "#*") {
		return "", false
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "http" {
		host = strings.TrimSuffix(host, ":80")
	} else {
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + strings.TrimSuffix(host, ":"), true
}
