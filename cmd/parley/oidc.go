package main

import (
	"crypto/hkdf"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/parley/parley/signaling/access"
	"github.com/parley/parley/signaling/access/oidc"
)

// hostsByOIDC reports whether hosts sign in by a provider.
func (c *config) hostsByOIDC() bool { return c.openTo() == openHosts && c.Hosts.OIDCIssuer != "" }

// oidcPrint names the provider and whom it lets in; empty: there is none.
func (c *config) oidcPrint() string {
	if !c.hostsByOIDC() {
		return ""
	}
	allow := slices.Clone(c.Hosts.OIDCAllow)
	slices.Sort(allow)
	return strings.Join(append([]string{c.Hosts.OIDCIssuer, c.Hosts.OIDCClientID}, allow...), " ")
}

// oidcName is what the button calls the provider.
func (c *config) oidcName() string {
	if c.Hosts.OIDCName != "" || !c.hostsByOIDC() {
		return c.Hosts.OIDCName
	}
	u, err := url.Parse(c.Hosts.OIDCIssuer)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// newOIDC makes what signs hosts in by a provider.
func (l *loaded) newOIDC(log *slog.Logger) (*oidc.Provider, error) {
	key, err := hkdf.Key(sha256.New, l.Secret.signing(), nil, "parley sign-ins under way", 32)
	if err != nil {
		return nil, err
	}
	return oidc.New(oidc.Config{
		Issuer: l.Hosts.OIDCIssuer, ClientID: l.Hosts.OIDCClientID, ClientSecret: string(l.Hosts.OIDCClientSecret),
		Allow: l.Hosts.OIDCAllow, Key: key, Base: l.base, Log: log,
	})
}

// base is the address of the server as the page that asks has it.
func (l *loaded) base(r *http.Request) string {
	if l.PublicURL != "" {
		return l.PublicURL
	}
	if r.TLS != nil || l.overHTTPS() {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// signInElsewhere is a provider as access wants it.
type signInElsewhere struct{ *oidc.Provider }

var _ access.Provider = signInElsewhere{}

// Start sends the browser to the provider, or back with the reason.
func (s signInElsewhere) Start(w http.ResponseWriter, r *http.Request, back string) {
	if code := s.Provider.Start(w, r, back); code != oidc.OK {
		http.Redirect(w, r, "/sign-in?"+url.Values{"error": {string(code)}, "return": {back}}.Encode(), http.StatusSeeOther)
	}
}

// Callback reads what the browser came back with.
func (s signInElsewhere) Callback(w http.ResponseWriter, r *http.Request) (identity, name, back, code string) {
	who, back, why := s.Provider.Callback(w, r)
	return who.Identity, who.Name, back, string(why)
}

// checkOIDC reports what makes no sense of hosts.oidc_*.
func (l *loaded) checkOIDC() error {
	h := l.Hosts
	if h.OIDCIssuer == "" {
		for _, key := range []string{"oidc_client_id", "oidc_client_secret", "oidc_client_secret_file", "oidc_allow"} {
			if l.from["hosts."+key] != "" {
				return l.problem("hosts."+key, "hosts.oidc_issuer is missing: the provider that hosts sign in by")
			}
		}
		return nil
	}
	if u, err := url.Parse(h.OIDCIssuer); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil ||
		u.RawQuery != "" || u.Fragment != "" {
		return l.problem("hosts.oidc_issuer", "%q is not like https://accounts.example.org", h.OIDCIssuer)
	} else if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return l.problem("hosts.oidc_issuer", "%q must be https: whoever is on the way could sign in as anybody", h.OIDCIssuer)
	}
	if h.OIDCClientID == "" {
		return l.problem("hosts.oidc_issuer", "hosts.oidc_client_id is missing: what the provider calls this server")
	}
	if l.openTo() != openHosts {
		return l.problem("hosts.oidc_issuer", "hosts sign in where rooms.open is hosts; it is %s", l.openTo())
	}
	for _, a := range h.OIDCAllow {
		if err := oidc.CheckAllow(a); err != nil {
			return l.problem("hosts.oidc_allow", "%v", err)
		}
	}
	return nil
}

// readClientSecret puts the content of hosts.oidc_client_secret_file where it belongs.
func (l *loaded) readClientSecret() error {
	const key = "hosts.oidc_client_secret_file"
	file := l.Hosts.OIDCClientSecretFile
	if file == "" {
		return nil
	}
	if l.Hosts.OIDCClientSecret != "" {
		return l.problem(key, "hosts.oidc_client_secret is set too (by %s): keep one of them", l.from["hosts.oidc_client_secret"])
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return l.problem(key, "%v", err)
	}
	if l.Hosts.OIDCClientSecret = secret(strings.TrimSpace(string(b))); l.Hosts.OIDCClientSecret == "" {
		return l.problem(key, "%s is empty", file)
	}
	return nil
}
