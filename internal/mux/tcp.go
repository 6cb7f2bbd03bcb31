package mux

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// TCPConfig bounds what strangers can hold open. The zero value has the defaults.
type TCPConfig struct {
	PeekTimeout  time.Duration         // for the bytes that decide, from accept on; default 5 s
	MaxUndecided int                   // connections that have not decided; default 256. One address may have a quarter of them
	MaxPerIP     int                   // open connections of one IPv4 address or one IPv6 /64; default 512
	MaxOpen      int                   // open connections in all; default 8192
	Admits       func(netip.Addr) bool // by the client's address; nil: connections from everywhere are taken
	Log          *slog.Logger          // default: none
}

func (c TCPConfig) withDefaults() TCPConfig {
	if c.PeekTimeout <= 0 {
		c.PeekTimeout = 5 * time.Second
	}
	if c.MaxUndecided <= 0 {
		c.MaxUndecided = 256
	}
	if c.MaxPerIP <= 0 {
		c.MaxPerIP = 512
	}
	if c.MaxOpen <= 0 {
		c.MaxOpen = 8192
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// TCP deals the connections of one listener to ICE-TCP and TURN by their first bytes, and closes all others.
type TCP struct {
	// Static after construction.
	cfg      TCPConfig
	listener net.Listener
	ice      *branch
	turn     *branch
	closed   chan struct{}
	tasks    sync.WaitGroup // accept, and decide for each undecided connection

	closing  sync.Once
	branches atomic.Int32 // branches that are open

	// Guarded by mu.
	mu        sync.Mutex
	undecided map[*tcpConn]struct{}
	perIP     map[netip.Addr]int
	open      int

	accepted [2]atomic.Uint64 // ICE, TURN
	dropped  [numTCPDrops]atomic.Uint64
}

// NewTCP deals l's connections until Close, which closes l. Both ICE() and TURN() have l's address.
func NewTCP(l net.Listener, cfg TCPConfig) *TCP {
	t := &TCP{
		cfg:       cfg.withDefaults(),
		listener:  l,
		closed:    make(chan struct{}),
		undecided: map[*tcpConn]struct{}{},
		perIP:     map[netip.Addr]int{},
	}
	t.ice, t.turn = newBranch(t), newBranch(t)
	t.branches.Store(2)
	t.tasks.Go(t.accept)
	return t
}

// ICE accepts the connections of ICE-TCP.
func (t *TCP) ICE() net.Listener { return t.ice }

// TURN accepts the connections of STUN and TURN over TCP.
func (t *TCP) TURN() net.Listener { return t.turn }

// Addr is the listener's address.
func (t *TCP) Addr() net.Addr { return t.listener.Addr() }

// Close stops accepting and closes what nobody has accepted yet. Accepted connections belong to who accepted them.
func (t *TCP) Close() error {
	var err error
	t.closing.Do(func() {
		close(t.closed)
		err = t.listener.Close()
		t.mu.Lock()
		for c := range t.undecided {
			c.abort()
		}
		t.mu.Unlock()
		t.tasks.Wait()
		t.ice.shut()
		t.turn.shut()
	})
	return err
}

// leave is called once by each branch; the second closes the listener.
func (t *TCP) leave() error {
	if t.branches.Add(-1) > 0 {
		return nil
	}
	return t.Close()
}

func (t *TCP) isClosed() bool {
	select {
	case <-t.closed:
		return true
	default:
		return false
	}
}

// accept admits connections. When the system refuses to hand one over (too many files), it waits 5 ms, doubling to 1 s.
func (t *TCP) accept() {
	const first, most = 5 * time.Millisecond, time.Second
	for pause := first; ; {
		c, err := t.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || t.isClosed() {
				return
			}
			t.dropped[dropAcceptError].Add(1)
			t.cfg.Log.Debug("accept failed", "err", err, "pause", pause)
			select {
			case <-time.After(pause):
			case <-t.closed:
				return
			}
			pause = min(2*pause, most)
			continue
		}
		pause = first
		conn, drop, ok := t.admit(c)
		if !ok {
			t.dropped[drop].Add(1)
			c.Close()
			continue
		}
		t.tasks.Go(func() { t.decide(conn) })
	}
}

// admit counts c against the limits, or says which one it breaks.
func (t *TCP) admit(c net.Conn) (*tcpConn, tcpDrop, bool) {
	if t.cfg.Admits != nil && !t.cfg.Admits(remote(c.RemoteAddr())) {
		return nil, dropTCPNotHere, false
	}
	conn := &tcpConn{Conn: c, tcp: t, ip: source(c.RemoteAddr())}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.isClosed():
		return nil, dropClosing, false
	case t.open >= t.cfg.MaxOpen:
		return nil, dropTooManyOpen, false
	case t.perIP[conn.ip] >= t.cfg.MaxPerIP:
		return nil, dropTooManyOfIP, false
	case len(t.undecided) >= t.cfg.MaxUndecided || t.undecidedLocked(conn.ip) >= max(t.cfg.MaxUndecided/4, 1):
		return nil, dropTooManyUndecided, false
	}
	t.open++
	t.perIP[conn.ip]++
	t.undecided[conn] = struct{}{}
	return conn, 0, true
}

// undecidedLocked counts the undecided connections of one address: who says nothing must not keep all others out.
func (t *TCP) undecidedLocked(ip netip.Addr) int {
	n := 0
	for c := range t.undecided {
		if c.ip == ip {
			n++
		}
	}
	return n
}

// forget takes a closed connection off the limits.
func (t *TCP) forget(c *tcpConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open--
	if t.perIP[c.ip]--; t.perIP[c.ip] == 0 {
		delete(t.perIP, c.ip)
	}
	delete(t.undecided, c)
}

// decide reads c's first bytes and gives it to its branch.
func (t *TCP) decide(c *tcpConn) {
	defer t.guard(c)
	kind, err := t.peek(c)
	t.mu.Lock()
	delete(t.undecided, c)
	t.mu.Unlock()

	var drop tcpDrop
	switch {
	case t.isClosed():
		drop = dropClosing
	case errors.Is(err, io.EOF):
		drop = dropNoBytes
	case err != nil && isTimeout(err):
		drop = dropPeekTimeout
	case err != nil:
		drop = dropPeekError
	case kind == iceStream && t.ice.put(c):
		t.accepted[0].Add(1)
		return
	case kind == turnStream && t.turn.put(c):
		t.accepted[1].Add(1)
		return
	case kind == unknownStream:
		drop = dropUnknownStream
	default:
		drop = dropBacklog
	}
	t.dropped[drop].Add(1)
	c.Close() //nolint:errcheck // nothing was written
}

// guard keeps a mistake of ours to the connection that met it. Use it with defer.
func (t *TCP) guard(c *tcpConn) {
	if p := recover(); p != nil {
		if t.dropped[dropTCPPanic].Add(1) == 1 { // the others are counted
			t.cfg.Log.Error("panic at a connection of the TCP port", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
		_ = c.Close() // it may be closed
	}
}

func (t *TCP) peek(c *tcpConn) (streamKind, error) {
	if err := c.SetReadDeadline(time.Now().Add(t.cfg.PeekTimeout)); err != nil {
		return undecided, err
	}
	if t.isClosed() { // Close may have woken this connection before the deadline above
		return undecided, net.ErrClosed
	}
	head := make([]byte, 0, streamPeek)
	for {
		n, err := c.Conn.Read(head[len(head):streamPeek])
		head = head[:len(head)+n]
		if kind := classifyStream(head); n > 0 && kind != undecided {
			c.head = head
			return kind, c.SetReadDeadline(time.Time{})
		}
		if err != nil {
			return undecided, err
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// remote is the IP address of a peer; the zero Addr: it has none.
func remote(a net.Addr) netip.Addr {
	at, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return at.AddrPort().Addr().Unmap()
}

// source is the address that limits count by: an IPv4 address, or the /64 that one IPv6 host usually owns. Connections
// that have no IP address share one.
func source(a net.Addr) netip.Addr {
	ip := remote(a)
	if ip.Is6() {
		prefix, err := ip.WithZone("").Prefix(64)
		if err != nil {
			return ip
		}
		return prefix.Addr()
	}
	return ip
}
