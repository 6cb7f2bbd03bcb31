package oidc

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
)

// CallbackPath is where the provider sends people back to.
const CallbackPath = "/v1/access/oidc/callback"

// Config describes a provider.
type Config struct {
	Issuer       string                     // as https://accounts.example.org
	ClientID     string                     // as registered there
	ClientSecret string                     // empty: a public client
	Allow        []string                   // ann@example.org, @example.org; empty: whoever the provider signs in
	Key          []byte                     // signs the cookies; at least 32 bytes
	Base         func(*http.Request) string // the address of this server as people see it, as https://meet.example.org
	Log          *slog.Logger
}

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	if u, err := url.Parse(c.Issuer); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("oidc: %q is not an issuer like https://accounts.example.org", c.Issuer)
	}
	if c.ClientID == "" {
		return errors.New("oidc: no client id")
	}
	for _, a := range c.Allow {
		if err := CheckAllow(a); err != nil {
			return err
		}
	}
	if len(c.Key) < 32 || c.Base == nil || c.Log == nil {
		return errors.New("oidc: Key, Base and Log are needed")
	}
	return nil
}

// CheckAllow reports what is wrong with an entry of an allow list.
func CheckAllow(entry string) error {
	local, domain, ok := cutLast(entry)
	if !ok || domain == "" || strings.ContainsAny(entry, " \t*") || strings.Contains(local, "@") {
		return fmt.Errorf("%q is neither an address like ann@example.org nor a domain like @example.org", entry)
	}
	return nil
}

// allowed reports whether a verified email address is on the list; "" is none.
func (c Config) allowed(email string) bool {
	if len(c.Allow) == 0 {
		return true
	}
	_, domain, ok := cutLast(email)
	if !ok {
		return false
	}
	for _, a := range c.Allow {
		if strings.EqualFold(a, email) || strings.EqualFold(a, "@"+domain) {
			return true
		}
	}
	return false
}

// cutLast cuts an address at its last @.
func cutLast(s string) (local, domain string, ok bool) {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}
