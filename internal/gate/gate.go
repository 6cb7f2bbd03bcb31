package gate

import (
	"container/list"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/parley/parley/internal/clientip"
)

// Config bounds what a gate lets in. Zero bounds are none.
type Config struct {
	Name          string                // for the log
	Max           int                   // connections at one time
	MaxPerAddress int                   // of one IPv4 address or one IPv6 /64
	Exempt        func(netip.Addr) bool // addresses that MaxPerAddress does not bind; nil: none
	Admits        func(netip.Addr) bool // addresses that are let in at all; nil: every one
	Log           *slog.Logger          // default: none
}

// Stats is a snapshot of a gate's counters.
type Stats struct {
	Open      int
	Accepted  uint64
	Refused   map[string]uint64 // by reason
	Displaced uint64            // idle ones, for newcomers
}

// Gate counts the connections of its listeners.
type Gate struct {
	// Static after construction.
	cfg Config

	// Guarded by mu.
	mu        sync.Mutex
	open      int
	of        map[netip.Prefix]*share
	idle      *list.List // of *conn, the longest idle first
	accepted  uint64
	refused   [numReasons]uint64
	displaced uint64
	full      rarely
}

// share is what one address has. Exempt ones have none.
type share struct {
	open int
	idle *list.List
}

type reason uint8

const (
	tooMany reason = iota
	tooManyOfAddress
	notHere // from an address that the listener is not for
	numReasons
)

var reasonNames = [numReasons]string{"too_many", "too_many_of_address", "not_here"}

// New makes a gate that is open.
func New(cfg Config) *Gate {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Gate{cfg: cfg, of: map[netip.Prefix]*share{}, idle: list.New()}
}

// Stats counts refusals by reason; every reason is present, also at zero.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := Stats{Open: g.open, Accepted: g.accepted, Displaced: g.displaced, Refused: map[string]uint64{}}
	for r, n := range g.refused {
		s.Refused[reasonNames[r]] = n
	}
	return s
}

// Listener returns ln behind the gate. What it accepts counts as idle until Busy.
func (g *Gate) Listener(ln net.Listener) net.Listener { return &listener{ln, g} }

type listener struct {
	net.Listener
	gate *Gate
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if admitted := l.gate.admit(c, time.Now()); admitted != nil {
			return admitted, nil
		}
		c.Close()
	}
}

// admit gives c a place, if need be that of the longest idle connection; nil: there is none.
func (g *Gate) admit(c net.Conn, now time.Time) *conn {
	if g.cfg.Admits != nil {
		if at, err := netip.ParseAddrPort(c.RemoteAddr().String()); err != nil || !g.cfg.Admits(at.Addr().Unmap()) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.refused[notHere]++
			return nil
		}
	}
	admitted := &conn{Conn: c, gate: g}
	ip := clientip.Parse(c.RemoteAddr().String())
	g.mu.Lock()
	if g.cfg.MaxPerAddress > 0 && ip.IsValid() && (g.cfg.Exempt == nil || !g.cfg.Exempt(ip)) {
		admitted.address = clientip.Group(ip)
	}
	victim, ok := g.makeRoomLocked(admitted.address, now)
	if ok {
		g.enterLocked(admitted)
	}
	g.mu.Unlock()
	if victim != nil {
		_ = victim.Close() // it was idle: nothing is lost
	}
	if !ok {
		return nil
	}
	return admitted
}

// makeRoomLocked finds a place: a free one, or that of an idle connection, which it takes off the books and the caller closes.
func (g *Gate) makeRoomLocked(address netip.Prefix, now time.Time) (victim *conn, ok bool) {
	own := g.of[address]
	crowded := own != nil && own.open >= g.cfg.MaxPerAddress
	full := g.cfg.Max > 0 && g.open >= g.cfg.Max
	switch {
	case !crowded && !full:
		return nil, true
	case own != nil && own.idle.Len() > 0:
		victim = own.idle.Front().Value.(*conn)
	case !crowded && g.idle.Len() > 0:
		victim = g.idle.Front().Value.(*conn)
	case crowded:
		g.refuseLocked(tooManyOfAddress, now, address)
		return nil, false
	default:
		g.refuseLocked(tooMany, now, address)
		return nil, false
	}
	g.displaced++
	g.leaveLocked(victim)
	return victim, true
}

func (g *Gate) refuseLocked(why reason, now time.Time, address netip.Prefix) {
	g.refused[why]++
	if !g.full.due(now) {
		return
	}
	if why == tooManyOfAddress {
		g.cfg.Log.Warn("connections are refused: too many of one address; if it is a proxy of yours, name it in trusted_proxies",
			"listener", g.cfg.Name, "address", address.String(), "limit", g.cfg.MaxPerAddress)
		return
	}
	g.cfg.Log.Warn("connections are refused: too many", "listener", g.cfg.Name, "limit", g.cfg.Max)
}

func (g *Gate) enterLocked(c *conn) {
	g.open++
	g.accepted++
	if c.address.IsValid() {
		own := g.of[c.address]
		if own == nil {
			own = &share{idle: list.New()}
			g.of[c.address] = own
		}
		own.open++
	}
	c.in = true
	g.restLocked(c)
}

func (g *Gate) leaveLocked(c *conn) {
	if !c.in {
		return
	}
	c.in = false
	g.wakeLocked(c)
	g.open--
	if own := g.of[c.address]; own != nil {
		if own.open--; own.open == 0 {
			delete(g.of, c.address)
		}
	}
}

// restLocked puts c at the end of those who are idle.
func (g *Gate) restLocked(c *conn) {
	if !c.in || c.idle != nil {
		return
	}
	c.idle = g.idle.PushBack(c)
	if own := g.of[c.address]; own != nil {
		c.ownIdle = own.idle.PushBack(c)
	}
}

func (g *Gate) wakeLocked(c *conn) {
	if c.idle == nil {
		return
	}
	g.idle.Remove(c.idle)
	c.idle = nil
	if c.ownIdle != nil {
		g.of[c.address].idle.Remove(c.ownIdle)
		c.ownIdle = nil
	}
}

// Busy marks a connection of this gate as one that is not displaced; TLS around it is seen through.
func (g *Gate) Busy(c net.Conn) { g.mark(c, g.wakeLocked) }

// Idle marks a connection of this gate as one that may be displaced.
func (g *Gate) Idle(c net.Conn) { g.mark(c, g.restLocked) }

func (g *Gate) mark(c net.Conn, as func(*conn)) {
	if wrapped, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = wrapped.NetConn()
	}
	if c, ok := c.(*conn); ok {
		g.mu.Lock()
		defer g.mu.Unlock()
		as(c)
	}
}
