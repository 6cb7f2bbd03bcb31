package main

import (
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling"
	"github.com/parley/parley/signaling/presence"
	"github.com/parley/parley/signaling/token"
	"github.com/parley/parley/turn"
)

// mediaNode is the SFU as signaling wants it.
type mediaNode struct{ node *sfu.Node }

var _ signaling.Media = mediaNode{}

// NewPeer makes a peer of the node.
func (m mediaNode) NewPeer(id, group string, on sfu.PeerEvents) (signaling.Peer, error) {
	p, err := m.node.NewPeer(id, group, on)
	if err != nil {
		return nil, err // not a nil *sfu.Peer in an interface
	}
	return p, nil
}

// NewSpeakers makes the meter of one room.
func (mediaNode) NewSpeakers() signaling.Speakers { return sfu.NewSpeakers() }

// watchedRooms is signaling's rooms as presence wants them.
type watchedRooms struct{ server *signaling.Server }

var _ presence.Rooms = watchedRooms{}

// Feed opens the feed of a room.
func (w watchedRooms) Feed(room string) (presence.Feed, error) {
	f, err := w.server.Feed(room)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// KeptOut reports whether somebody is kept out of a room.
func (w watchedRooms) KeptOut(room string, claims token.Claims) bool {
	return w.server.KeptOut(room, claims)
}

// List lists the rooms with somebody in them.
func (w watchedRooms) List() []presence.RoomSummary {
	rooms := w.server.List()
	out := make([]presence.RoomSummary, len(rooms))
	for i, r := range rooms {
		out[i] = presence.RoomSummary(r)
	}
	return out
}

// verifier makes what checks access tokens.
func (c *config) verifier() (*token.Verifier, error) {
	anybody, err := permissions(c.Anonymous)
	if err != nil {
		return nil, err
	}
	if len(anybody) == 0 {
		anybody = []token.Permission{token.Publish, token.Subscribe, token.Message, token.Watch}
		if !c.guarded() {
			anybody = append(anybody, token.List)
		}
	}
	open := c.openTo()
	return token.New(token.Config{
		Secrets: c.Secret.keys(), Anyone: open == openAnyone, Open: anybody, ModeratorsInvite: open != openTokens, TTL: c.Token.TTL, Enforce: c.Token.Enforce, Grace: c.Token.Grace,
	})
}

// allOrigins are the origins whose pages may connect, the server's own not counted.
func (c *config) allOrigins() []string {
	if c.PublicURL == "" {
		return c.Origins
	}
	return append([]string{c.PublicURL}, c.Origins...)
}

// publicHost is the host of public_url, without its port; empty: not known.
func (c *config) publicHost() string {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// newRelay makes the TURN server on its share of the sockets; tcp is nil where TCP is off. It opens so many relays at most.
func (c *config) newRelay(udp net.PacketConn, tcp net.Listener, where reach, near *neighbours, relays int, log *slog.Logger) (*turn.Server, error) {
	first, last, err := portRange(c.Turn.RelayPorts)
	if err != nil {
		return nil, err
	}
	allow, err := prefixes(c.Turn.Allow)
	if err != nil {
		return nil, err
	}
	cfg := turn.Config{
		UDP: udp, Secrets: c.relaySecrets(), Realm: c.Turn.Realm, TTL: c.Turn.TTL,
		RelayIP: c.relayIP(where), MinPort: first, MaxPort: last, Allow: allow,
		Limits: turn.Limits{
			PerIdentity: c.Turn.PerIdentity, PerIP: c.Turn.PerIP, Allocations: relays, Bandwidth: c.Turn.Bandwidth,
		},
		Log: log,
	}
	if near != nil {
		cfg.AllowOnly, cfg.Allow = true, append(cfg.Allow, near.View().Prefixes...)
	}
	if tcp != nil {
		cfg.TCP = []net.Listener{tcp}
	}
	port := udp.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	cfg.Media = []netip.AddrPort{netip.AddrPortFrom(where.bound, port)}
	for _, ip := range where.public {
		cfg.Media = append(cfg.Media, netip.AddrPortFrom(ip, port))
	}
	return turn.New(cfg)
}

// relayIP is the configured one, else the first IPv4 address that clients are told; none leaves it to turn.
func (c *config) relayIP(where reach) netip.Addr {
	candidates := where.public
	if c.LAN {
		candidates = append(slices.Clone(candidates), where.local...)
	}
	if ip, err := netip.ParseAddr(c.Turn.RelayIP); err == nil {
		return ip
	}
	for _, ip := range candidates {
		if ip.Is4() {
			return ip
		}
	}
	return netip.Addr{}
}

// issuer hands out the credentials of the embedded STUN and TURN server, as signaling wants them.
type issuer struct {
	relay       *turn.Server
	stun, turns []string // URLs
}

var _ signaling.ICE = issuer{}

func newIssuer(relay *turn.Server, where reach, udp, tcp net.Addr) issuer {
	host := where.host().String()
	at := func(a net.Addr) string { return net.JoinHostPort(host, portOf(a)) }
	i := issuer{relay: relay, stun: []string{"stun:" + at(udp)}, turns: []string{"turn:" + at(udp) + "?transport=udp"}}
	if tcp != nil {
		i.turns = append(i.turns, "turn:"+at(tcp)+"?transport=tcp")
	}
	return i
}

// Servers names the server, with fresh credentials.
func (i issuer) Servers(identity, session string, now time.Time) ([]signaling.ICEServer, time.Duration) {
	c := i.relay.Credentials(turn.User{Identity: identity, Session: session}, now)
	return []signaling.ICEServer{
		{URLs: i.stun},
		{URLs: i.turns, Username: c.Username, Credential: c.Password},
	}, c.TTL
}

// Revoke ends the relays of a session.
func (i issuer) Revoke(session string) { i.relay.Revoke(session) }

// portOf is the port of a socket's address, in digits.
func portOf(a net.Addr) string {
	switch a := a.(type) {
	case *net.TCPAddr:
		return strconv.Itoa(a.Port)
	case *net.UDPAddr:
		return strconv.Itoa(a.Port)
	}
	return ""
}
