package sfu

import (
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley/parley/internal/batch"
)

// The batched data plane. RTP of known addresses is taken out of each batch that the socket delivers, decrypted in place,
// grouped by source and layer, and forwarded; what sinks write is sealed straight into one slab and leaves in GSO runs when the
// batch is through. pion keeps ICE, DTLS, SCTP and SRTCP.

// plane is the loop of one socket. Its lock is the loop: all sources and lines of the node run in it, and unlocking it sends
// what was written meanwhile. Lock it once for all there is to do, never for a packet.
type plane struct {
	// Static after construction.
	conn *batch.Conn

	mu  sync.Mutex
	out *batch.Sender // Guarded by mu.

	// Guarded by mu; from the first Packet to Done the reader of the socket holds it.
	now    time.Time
	groups [maxGroups]group
	used   int

	reading bool // Owned by the reader of the socket: it holds mu.

	known atomic.Pointer[map[netip.AddrPort]*leg] // copied on change, under mu
}

// group is what one batch brought for one layer.
type group struct {
	source *Source
	layer  int
	pkts   [][]byte
}

const maxGroups = 32 // a batch has no more packets

// batchedConn is a Conn that shares its socket, and can be read in batches nevertheless.
type batchedConn interface {
	Batched(log *slog.Logger) (*batch.Conn, error)
	SetTap(*batch.Conn, batch.Tap)
}

// startPlane makes the plane where it is wanted and possible, and returns what pion shall read.
func (n *Node) startPlane() (net.PacketConn, error) {
	cfg := n.cfg
	if cfg.Plane == PlanePion {
		return cfg.Conn, nil
	}
	switch c := cfg.Conn.(type) {
	case batchedConn:
		conn, err := c.Batched(n.log)
		if err != nil {
			return nil, err
		}
		n.plane = newPlane(conn)
		c.SetTap(conn, n.plane)
		return cfg.Conn, nil
	case *net.UDPConn:
		conn, err := batch.NewConn(c, n.log)
		if err != nil {
			return nil, err
		}
		n.plane = newPlane(conn)
		return conn.Tapped(n.plane), nil
	}
	if cfg.Plane == PlaneBatched {
		return nil, fmt.Errorf("plane: a %T cannot be read in batches", cfg.Conn)
	}
	return cfg.Conn, nil
}

func newPlane(conn *batch.Conn) *plane {
	pl := &plane{conn: conn, out: conn.NewSender()}
	pl.known.Store(new(map[netip.AddrPort]*leg))
	return pl
}

// loop returns what the node's sources and lines run in, nil where each source has its own.
func (n *Node) loop() sync.Locker {
	if n.plane == nil {
		return nil
	}
	return n.plane
}

// Lock enters the loop.
func (pl *plane) Lock() { pl.mu.Lock() }

// Unlock sends what was written, and leaves the loop.
func (pl *plane) Unlock() {
	if pl.out.Pending() {
		pl.out.Flush()
	}
	pl.mu.Unlock()
}

// Packet takes RTP from the addresses of peers that are up: batch.Tap.
func (pl *plane) Packet(b []byte, from netip.AddrPort) bool {
	if !isRTP(b) {
		return false
	}
	k := (*pl.known.Load())[from]
	if k == nil {
		return false
	}
	if !pl.reading {
		pl.reading = true
		pl.mu.Lock()
		pl.now = time.Now()
	}
	if !k.up {
		return false
	}
	k.take(b)
	return true
}

// Done forwards what Packet gathered.
func (pl *plane) Done() {
	if pl.reading {
		pl.reading = false
		pl.deliver()
		pl.Unlock()
	}
}

// gather adds a packet to its group. The caller is in the loop, and b stays until deliver.
func (pl *plane) gather(s *Source, layer int, b []byte) {
	for i := pl.used - 1; i >= 0; i-- {
		if g := &pl.groups[i]; g.source == s && g.layer == layer {
			g.pkts = append(g.pkts, b)
			return
		}
	}
	if pl.used == maxGroups {
		pl.deliver()
	}
	g := &pl.groups[pl.used]
	pl.used++
	g.source, g.layer, g.pkts = s, layer, append(g.pkts[:0], b)
}

// deliver gives the groups to their sources. The caller is in the loop.
func (pl *plane) deliver() {
	for i := range pl.used {
		g := &pl.groups[i]
		pl.forward(g)
		g.source = nil
		clear(g.pkts)
	}
	pl.used = 0
}

func (pl *plane) forward(g *group) {
	if l, ok := g.source.cfg.Upstream.(*sendLine); ok {
		defer l.peer.guard("forward")
	}
	g.source.receive(pl.now, g.layer, g.pkts)
}

// learn makes from an address of k. The caller is in the loop.
func (pl *plane) learn(from netip.AddrPort, k *leg) {
	known := *pl.known.Load()
	if known[from] == k {
		return
	}
	next := maps.Clone(known)
	if next == nil {
		next = make(map[netip.AddrPort]*leg)
	}
	if other := next[from]; other != nil {
		other.addrs = slices.DeleteFunc(other.addrs, func(a netip.AddrPort) bool { return a == from })
	}
	if len(k.addrs) == maxAddrs {
		delete(next, k.addrs[0])
		k.addrs = slices.Delete(k.addrs, 0, 1)
	}
	k.addrs = append(k.addrs, from)
	next[from] = k
	pl.known.Store(&next)
}

// forget takes all addresses from k. The caller is in the loop.
func (pl *plane) forget(k *leg) {
	if len(k.addrs) == 0 {
		return
	}
	next := maps.Clone(*pl.known.Load())
	for _, a := range k.addrs {
		delete(next, a)
	}
	k.addrs = nil
	pl.known.Store(&next)
}

// isRTP tells RTP from RTCP (RFC 5761, section 4) and from everything else (RFC 7983).
func isRTP(b []byte) bool {
	return len(b) >= 12 && b[0]>>6 == 2 && (b[1] < 192 || b[1] > 223)
}
