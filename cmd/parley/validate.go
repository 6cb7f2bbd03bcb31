package main

import (
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling/access/hosts"
	"github.com/parley/parley/signaling/token"
)

// off switches an address off.
const off = "off"

// validate reports the first value that makes no sense.
func (l *loaded) validate() error {
	for _, check := range []func() error{
		l.checkAddresses, l.checkTLS, l.checkWeb, l.checkAnonymous, l.checkOIDC, l.checkLog, l.checkMedia, l.checkTimes, l.checkLimits,
		l.checkTURN, l.checkLAN,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (l *loaded) checkAddresses() error {
	for _, a := range []struct {
		key, value string
		canBeOff   bool
	}{
		{"listen", l.Listen, false}, {"udp", l.UDP, false}, {"tcp", l.TCP, true}, {"admin", l.Admin, true},
	} {
		if a.canBeOff && a.value == off {
			continue
		}
		if reason := badAddress(a.value); reason != "" {
			return l.problem(a.key, "%q is not an address to listen on: %s; write it as :8080, 192.0.2.1:8080 or [::1]:8080",
				a.value, reason)
		}
	}
	for _, ip := range l.PublicIP {
		a, err := netip.ParseAddr(ip)
		if err != nil || a.IsUnspecified() || a.IsMulticast() || a.Zone() != "" {
			return l.problem("public_ip", "%q is not an IP address that clients can reach; write it as 198.51.100.7", ip)
		}
	}
	return nil
}

// badAddress says what is wrong with host:port, or nothing. Names are left to the resolver.
func badAddress(s string) string {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		if !strings.Contains(s, ":") {
			return "it has no port"
		}
		return "it is not host:port"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "port " + strconv.Quote(port) + " is not a number from 0 to 65535"
	} else if n != 0 && strings.HasPrefix(port, "0") {
		return "port " + strconv.Quote(port) + " starts with 0"
	}
	if strings.ContainsAny(host, "/ \t") {
		return "host " + strconv.Quote(host) + " is neither a name nor an IP address"
	}
	return ""
}

func (l *loaded) checkTLS() error {
	switch {
	case l.TLSCert != "" && l.TLSKey == "":
		return l.problem("tls_cert", "a certificate needs its key: set tls_key too")
	case l.TLSKey != "" && l.TLSCert == "":
		return l.problem("tls_key", "a key needs its certificate: set tls_cert too")
	}
	return nil
}

func (l *loaded) checkWeb() error {
	if l.PublicURL != "" {
		u, err := url.Parse(l.PublicURL)
		if err != nil || !isOrigin(u) {
			return l.problem("public_url", "%q is not like https://meet.example.org", l.PublicURL)
		}
	}
	for _, o := range l.Origins {
		if u, err := url.Parse(o); o != "*" && (err != nil || !isOrigin(u)) {
			return l.problem("origins", "%q is not an origin; write it as https://example.org, or * for all", o)
		}
	}
	if _, err := prefixes(l.Trusted); err != nil {
		return l.problem("trusted_proxies", "%v", err)
	}
	return nil
}

// isOrigin reports whether u is a scheme and a host, with nothing behind them.
func isOrigin(u *url.URL) bool {
	return (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil &&
		u.Path == "" && u.RawQuery == "" && u.Fragment == ""
}

func (l *loaded) checkAnonymous() error {
	if _, err := permissions(l.Anonymous); err != nil {
		return l.problem("anonymous", "%v", err)
	}
	ways := []string{"", openAnyone, openHosts, openTokens}
	if !slices.Contains(ways, l.Rooms.Open) {
		return l.problem("rooms.open", "%q is none of %s", l.Rooms.Open, strings.Join(ways[1:], ", "))
	}
	if _, err := permissions(l.Rooms.Guests); err != nil {
		return l.problem("rooms.guests", "%v", err)
	}
	if l.Hosts.Passphrase != "" {
		if err := hosts.Valid(string(l.Hosts.Passphrase)); err != nil {
			return l.problem("hosts.passphrase", "%v", err)
		}
		if l.openTo() != openHosts {
			return l.problem("hosts.passphrase", "hosts open no rooms here: rooms.open is %s, or there is no secret", l.openTo())
		}
	}
	if !l.guarded() && l.Rooms.Open != "" && l.Rooms.Open != openAnyone {
		return l.problem("rooms.open", "%s needs a secret; make one with: openssl rand -hex 32", l.Rooms.Open)
	}
	return nil
}

// permissions checks the names of permissions.
func permissions(names []string) ([]token.Permission, error) {
	var all []string
	for _, p := range token.All() {
		all = append(all, string(p))
	}
	out := []token.Permission{}
	for _, n := range names {
		if p := token.Permission(n); p.Valid() {
			out = append(out, p)
			continue
		}
		hint := suggestion(n, all)
		if hint == "" {
			hint = "; there are " + strings.Join(all, ", ")
		}
		return nil, usagef("%q is not a permission%s", n, hint)
	}
	return out, nil
}

func (l *loaded) checkLog() error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Log.Level)); err != nil {
		return l.problem("log.level", "%q is none of debug, info, warn, error", l.Log.Level)
	}
	if formats := []string{"auto", "text", "json"}; !slices.Contains(formats, l.Log.Format) {
		return l.problem("log.format", "%q is none of %s", l.Log.Format, strings.Join(formats, ", "))
	}
	return nil
}

func (l *loaded) checkMedia() error {
	if l.Media.Sockets < 0 || l.Media.Sockets > 64 {
		return l.problem("media.sockets", "%d is not between 0 (as many as cores) and 64", l.Media.Sockets)
	}
	if planes := []string{string(sfu.PlaneBatched), string(sfu.PlanePion)}; !slices.Contains(planes, l.Media.Plane) {
		return l.problem("media.plane", "%q is none of %s", l.Media.Plane, strings.Join(planes, ", "))
	}
	if modes := []string{"auto", "on", "off"}; !slices.Contains(modes, l.Media.ICELite) {
		return l.problem("media.ice_lite", "%q is none of %s", l.Media.ICELite, strings.Join(modes, ", "))
	}
	if n := l.Media.StartBitrate; n < 100_000 || n > 100_000_000 {
		return l.problem("media.start_bitrate", "%d is not from 100000 to 100000000", n)
	}
	if n := l.Media.MaxPublish; n < 100_000 || n > 1_000_000_000 {
		return l.problem("media.max_publish_bps", "%d is not from 100000 to 1000000000", n)
	}
	return nil
}

// longest is the longest time that a key may have.
func longest(key string) time.Duration {
	if key == "hosts.session" || key == "rooms.invitation_max_ttl" || key == "rooms.invitation_ttl" {
		return 366 * 24 * time.Hour
	}
	return 7 * 24 * time.Hour
}

func (l *loaded) checkTimes() error {
	for _, f := range fields(&l.config) {
		if d, ok := reflect.TypeAssert[time.Duration](f.value); ok && (d < 100*time.Millisecond || d > longest(f.key)) {
			return l.problem(f.key, "%v is not from 100ms to %v", d, longest(f.key))
		}
	}
	if l.Timing.Silence <= l.Timing.Ping {
		return l.problem("timing.silence", "%v must be longer than timing.ping, which is %v", l.Timing.Silence, l.Timing.Ping)
	}
	if l.Timing.Away <= l.Timing.Ping {
		return l.problem("timing.away", "%v must be longer than timing.ping, which is %v", l.Timing.Away, l.Timing.Ping)
	}
	if l.Timing.Resume <= l.Timing.Silence {
		return l.problem("timing.resume", "%v must be longer than timing.silence, which is %v", l.Timing.Resume,
			l.Timing.Silence)
	}
	if l.Rooms.InvitationTTL > l.Rooms.InvitationMaxTTL || l.Rooms.InvitationTTL < time.Minute {
		return l.problem("rooms.invitation_ttl", "%v is not from 1m to rooms.invitation_max_ttl, which is %v", l.Rooms.InvitationTTL, l.Rooms.InvitationMaxTTL)
	}
	if l.Token.TTL < 10*time.Second {
		return l.problem("token.ttl", "%v is too short to come back with, want at least 10s", l.Token.TTL)
	}
	return nil
}

func (l *loaded) checkLimits() error {
	for _, f := range fields(&l.config) {
		if n, ok := reflect.TypeAssert[int](f.value); ok && n < 1 && f.key != "media.sockets" {
			return l.problem(f.key, "%d is not a limit; it must be 1 or more", n)
		}
	}
	if err := l.Limits.limits().Validate(); err != nil {
		return l.problem("limits", "%v", err)
	}
	return nil
}

func (l *loaded) checkTURN() error {
	if _, _, err := portRange(l.Turn.RelayPorts); err != nil {
		return l.problem("turn.relay_ports", "%v", err)
	}
	if ip := l.Turn.RelayIP; ip != "" {
		if a, err := netip.ParseAddr(ip); err != nil || !a.Is4() || a.IsUnspecified() {
			return l.problem("turn.relay_ip", "%q is not an IPv4 address of a relay", ip)
		}
	}
	if _, err := prefixes(l.Turn.Allow); err != nil {
		return l.problem("turn.allow", "%v", err)
	}
	if least := max(time.Minute, l.Timing.Resume); l.Turn.TTL < least {
		return l.problem("turn.ttl", "%v is too short, want at least %v: a session that is resumed keeps its credentials", l.Turn.TTL, least)
	}
	return nil
}

// portRange parses first-last.
func portRange(s string) (first, last uint16, err error) {
	a, b, _ := strings.Cut(s, "-")
	lo, errLo := strconv.ParseUint(strings.TrimSpace(a), 10, 16)
	hi, errHi := strconv.ParseUint(strings.TrimSpace(b), 10, 16)
	if errLo != nil || errHi != nil || lo == 0 || lo > hi {
		return 0, 0, usagef("%q is not a range of ports; write it as 49152-65535", s)
	}
	return uint16(lo), uint16(hi), nil
}

func prefixes(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, errAddr := netip.ParseAddr(s)
			if errAddr != nil {
				return nil, usagef("%q is not a prefix; write it as 10.1.0.0/16", s)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p)
	}
	return out, nil
}
