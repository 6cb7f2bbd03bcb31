package sfu

import (
	"errors"
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
	"github.com/parley/parley/internal/steady"
)

// The batched data plane. RTP of known addresses is taken out of each batch that the socket delivers, decrypted in place,
// grouped by source and layer, and forwarded; what sinks write is sealed straight into one slab and leaves in GSO runs when the
// batch is through. RTCP is taken the same way, and acted on after the batch.

// plane is what the loops of a node share: the sockets, and whose packets come from where.
type plane struct {
	// Static after construction. All sockets have one address.
	node    *Node
	conns   []*batch.Conn
	readers []*reader // one for each

	senders senders
	crew    *crew // nil: one core
	ice     *iceTable

	mu    sync.Mutex                              // taken within any loop, and nothing is within it
	known atomic.Pointer[map[netip.AddrPort]*leg] // copied on change, under mu
	hosts atomic.Pointer[hosts]                   // the same by IP address
}

// hosts are the legs that are known by an IP address, whatever the port. The lists are copied on change.
type hosts map[netip.Addr][]*leg

func (h hosts) add(ip netip.Addr, k *leg) {
	if !slices.Contains(h[ip], k) {
		h[ip] = append(slices.Clone(h[ip]), k)
	}
}

// remove is called when k.addrs does not have the address any more.
func (h hosts) remove(ip netip.Addr, k *leg) {
	if slices.ContainsFunc(k.addrs, func(a netip.AddrPort) bool { return a.Addr() == ip }) {
		return
	}
	if h[ip] = slices.DeleteFunc(slices.Clone(h[ip]), func(o *leg) bool { return o == k }); len(h[ip]) == 0 {
		delete(h, ip)
	}
}

// senders are those that no loop uses now.
type senders struct {
	conn *batch.Conn // Static after construction.

	mu   sync.Mutex
	free []*batch.Sender // Guarded by mu.
}

// maxSenders is how many are kept, of 270 KB each: as many as goroutines send at once beside the reader, usually.
const maxSenders = 4

func (s *senders) take() *batch.Sender {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.free)
	if n == 0 {
		return s.conn.NewSender()
	}
	out := s.free[n-1]
	s.free = s.free[:n-1]
	return out
}

func (s *senders) give(out *batch.Sender) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) < maxSenders {
		s.free = append(s.free, out)
	}
}

// batchedConn is a Conn that shares its socket, and can be read in batches nevertheless.
type batchedConn interface {
	Batched(log *slog.Logger) ([]*batch.Conn, error) // one for each socket of the port
	Serve([]*batch.Conn, []batch.Tap)                // begins to read them
}

// startPlane makes the plane where it is wanted and possible, and begins to read.
func (n *Node) startPlane() error {
	cfg := n.cfg
	if cfg.Plane == PlanePion {
		return nil
	}
	switch c := cfg.Conn.(type) {
	case batchedConn:
		conns, err := c.Batched(n.log)
		if err != nil {
			return err
		}
		n.plane = newPlane(n, conns...)
		c.Serve(conns, n.plane.taps())
	case *net.UDPConn:
		conn, err := batch.NewConn(c, n.log)
		if err != nil {
			return err
		}
		n.plane = newPlane(n, conn)
		n.tasks.Go(func() { n.plane.readers[0].serve(conn, n.stop) })
	default:
		if cfg.Plane == PlaneBatched {
			return fmt.Errorf("plane: a %T cannot be read in batches", cfg.Conn)
		}
	}
	return nil
}

// serve reads a socket that is the plane's alone, until it is closed.
func (r *reader) serve(conn *batch.Conn, stop <-chan struct{}) {
	in := conn.NewReceiver()
	for {
		err := in.Serve(func(n int) {
			for i := 0; i < n; i++ {
				if r.Packet(in.Packet(i), in.From(i), in.At(i)); i == n-1 {
					n = in.More()
				}
			}
			r.Done()
		})
		if errors.Is(err, net.ErrClosed) {
			return
		}
		select { // an ICMP error that the system reports here, mostly
		case <-stop:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

func newPlane(n *Node, conns ...*batch.Conn) *plane {
	pl := &plane{node: n, conns: conns, senders: senders{conn: conns[0]}, crew: newCrew(conns), ice: newICETable()}
	for _, c := range conns {
		pl.readers = append(pl.readers, &reader{plane: pl, out: c.NewSender()})
	}
	pl.known.Store(new(map[netip.AddrPort]*leg))
	pl.hosts.Store(new(hosts))
	return pl
}

func (pl *plane) taps() []batch.Tap {
	var taps []batch.Tap
	for _, r := range pl.readers {
		taps = append(taps, r)
	}
	return taps
}

// dest prepares an address, for every socket. At is ours.
func (pl *plane) dest(addr netip.AddrPort, at netip.Addr) *batch.Dest {
	return pl.conns[0].DestFrom(addr, at)
}

// segments reports whether datagrams of one length leave together.
func (pl *plane) segments() bool { return pl.conns[0].Mode() == batch.Segments }

// stats adds up the sockets'.
func (pl *plane) stats() batch.Stats {
	st := pl.conns[0].Stats()
	for _, c := range pl.conns[1:] {
		st.Add(c.Stats())
	}
	return st
}

// reader is what whoever reads the socket does with RTP.
type reader struct {
	// Static after construction.
	plane *plane
	out   *batch.Sender

	got     []datagram // Owned by who reads: of this batch.
	reports []told     // Owned by who reads: RTCP of this batch, decrypted.
	strays  []stray    // Owned by who reads: of this batch.
	turn    int        // Owned by who reads: of the legs at one address, each is tried first in turn.
}

// datagram is one that a leg will decrypt.
type datagram struct {
	leg  *leg // nil: done
	loop *loop
	from netip.AddrPort
	b    []byte
}

// told is RTCP that was decrypted.
type told struct {
	peer *Peer
	b    []byte
}

// Packet takes a datagram: batch.Tap. RTP and RTCP of peers that are up wait for Done; all else is seen to at once. What is nobody's
// is counted.
func (r *reader) Packet(b []byte, from netip.AddrPort, at netip.Addr) bool {
	pl := r.plane
	defer pl.node.guard("packet")
	switch {
	case isRTP(b) || isRTCP(b):
		r.media(b, from)
	case len(b) > 0 && b[0] <= lastSTUN:
		pl.ice.check(b, via{addr: from, at: at}, steady.Now())
	case len(b) > 0 && b[0] >= firstDTLS && b[0] <= lastDTLS:
		if t := pl.owner(from); t != nil {
			t.ice.arrivedDTLS(from, len(b))
			t.record(b)
		} else {
			pl.ice.unowned.Add(1)
		}
	default:
		pl.ice.garbage.Add(1)
	}
	return true
}

// media takes RTP or RTCP.
func (r *reader) media(b []byte, from netip.AddrPort) {
	k := (*r.plane.known.Load())[from]
	switch {
	case k != nil && k.ready.Load():
		r.got = append(r.got, datagram{k, k.loop, from, b})
	case k != nil:
		k.keep(b, from)
	default:
		if a := r.plane.ice.at(from); a != nil {
			a.t.peer.leg.keep(b, from)
		} else if !r.stray(b, from) {
			r.plane.ice.unowned.Add(1)
		}
	}
}

// owner returns whose connection the packets from an address belong to, or nil. Media that has authenticated proves more than a check
// does, which does not say where from it was meant to come.
func (pl *plane) owner(from netip.AddrPort) *direct {
	if k := (*pl.known.Load())[from]; k != nil {
		if t, ok := k.peer.transport.(*direct); ok {
			return t
		}
	}
	if a := pl.ice.at(from); a != nil {
		return a.t
	}
	return nil
}

// Done forwards what Packet took, loop by loop.
func (r *reader) Done() {
	defer r.clear()
	defer r.plane.node.guard("batch")
	now := steady.Now()
	for i := range r.got {
		if k := r.got[i].leg; k != nil {
			r.run(k.loop, r.got[i:], now)
		}
	}
	r.place(now)
	for _, d := range r.reports { // in no loop: what is asked for may lie in any
		d.peer.receiveCompound(d.b, now)
	}
	for i := range r.got {
		r.got[i].loop.ticks.tick(now, tickInterval)
	}
}

// clear forgets the batch.
func (r *reader) clear() {
	clear(r.got)
	r.got = r.got[:0]
	clear(r.reports)
	r.reports = r.reports[:0]
}

// run forwards what a batch brought for one loop, and takes it out.
func (r *reader) run(l *loop, got []datagram, now time.Time) {
	l.enter(r.out)
	defer l.Unlock()
	l.now = now
	for i := range got {
		if k := got[i].leg; k != nil && k.loop == l {
			if b := got[i].b; isRTP(b) {
				k.take(b, got[i].from)
			} else if plain := k.openRTCP(b, got[i].from); plain != nil {
				r.reports = append(r.reports, told{k.peer, plain})
			}
			got[i].leg = nil
		}
	}
	l.deliver()
}

// claim makes from an address of k where it is nobody's: it was only ICE that vouched for it.
func (pl *plane) claim(from netip.AddrPort, k *leg) {
	if (*pl.known.Load())[from] == nil {
		pl.learn(from, k)
	}
}

// learn makes from an address of k.
func (pl *plane) learn(from netip.AddrPort, k *leg) {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	known := *pl.known.Load()
	if known[from] == k {
		return
	}
	next, byIP := maps.Clone(known), maps.Clone(*pl.hosts.Load())
	if next == nil {
		next, byIP = make(map[netip.AddrPort]*leg), make(hosts)
	}
	if other := next[from]; other != nil {
		other.addrs = slices.DeleteFunc(other.addrs, func(a netip.AddrPort) bool { return a == from })
		byIP.remove(from.Addr(), other)
	}
	if len(k.addrs) == maxAddrs {
		oldest := k.addrs[0]
		delete(next, oldest)
		k.addrs = slices.Delete(k.addrs, 0, 1)
		byIP.remove(oldest.Addr(), k)
	}
	k.addrs = append(k.addrs, from)
	next[from] = k
	byIP.add(from.Addr(), k)
	pl.known.Store(&next)
	pl.hosts.Store(&byIP)
}

// forget takes all addresses from k.
func (pl *plane) forget(k *leg) {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	if len(k.addrs) == 0 {
		return
	}
	next, byIP, addrs := maps.Clone(*pl.known.Load()), maps.Clone(*pl.hosts.Load()), k.addrs
	k.addrs = nil
	for _, a := range addrs {
		delete(next, a)
		byIP.remove(a.Addr(), k)
	}
	pl.known.Store(&next)
	pl.hosts.Store(&byIP)
}

// isRTP tells RTP from RTCP (RFC 5761, section 4) and from everything else (RFC 7983).
func isRTP(b []byte) bool {
	return len(b) >= 12 && b[0]>>6 == 2 && (b[1] < 192 || b[1] > 223)
}
