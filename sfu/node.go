package sfu

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/pion/ice/v4"

	"github.com/parley/parley/internal/steady"
)

// Node is the media side of one process: all its peers share one UDP socket and one ICE-TCP listener.
type Node struct {
	// Static after construction.
	cfg       Config
	log       *slog.Logger
	stock     *stockSettings // nil with a plane
	net       *interfaces
	udp       *ice.UDPMuxDefault // pion's; nil with a plane
	tcp       *ice.TCPMuxDefault // pion's; nil with a plane, and without cfg.TCP
	turns     chan struct{}      // one place for each negotiation that may run
	plane     *plane             // nil: pion's own path
	loops     *loops
	stop      chan struct{}
	metronome *metronome
	arrived   chan struct{} // holds one: the ticker is to look who is there
	tasks     sync.WaitGroup
	muxLog    *pionLog

	mu     sync.Mutex
	peers  map[*Peer]struct{}    // Guarded by mu.
	conns  map[*tcpConn]struct{} // Guarded by mu: of ICE-TCP, on the plane.
	ended  Counts                // Guarded by mu: what closed peers had counted.
	shown  *identity             // Guarded by mu.
	closed bool                  // Guarded by mu.

	panics atomic.Uint64
	ticked atomic.Pointer[[]*Peer] // copy of peers for the ticker; written under mu
}

// New starts a node on cfg.Conn and cfg.TCP, which it closes in the end.
func New(cfg Config) (*Node, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	n := &Node{
		cfg: cfg, log: cfg.Log,
		turns: make(chan struct{}, max(runtime.GOMAXPROCS(0)/2, 1)),
		stop:  make(chan struct{}), arrived: make(chan struct{}, 1),
		metronome: newMetronome(),
		peers:     make(map[*Peer]struct{}),
		conns:     make(map[*tcpConn]struct{}),
		muxLog:    newPionLog(cfg.Log, nil),
	}
	n.ticked.Store(&[]*Peer{})
	if _, err := n.identity(steady.Now()); err != nil {
		return nil, fmt.Errorf("sfu: %w", err)
	}
	var err error
	if n.net, err = newInterfaces(); err != nil {
		return nil, fmt.Errorf("sfu: interfaces: %w", err)
	}
	if err := n.startPlane(); err != nil {
		return nil, fmt.Errorf("sfu: %w", err)
	}
	n.loops = newLoops(n.plane)
	switch {
	case n.plane == nil:
		if err := n.startStock(); err != nil {
			return nil, fmt.Errorf("sfu: %w", err)
		}
	case cfg.TCP != nil:
		n.tasks.Go(n.accept)
	}
	n.tasks.Go(n.tick)
	n.tasks.Go(func() { n.metronome.run(n.stop) })
	if n.plane != nil && n.plane.crew != nil {
		for range n.plane.crew.size {
			n.tasks.Go(func() { n.plane.crew.run(n.stop) })
		}
	}
	return n, nil
}

// loopback reports whether loopback addresses are announced.
func (n *Node) loopback() bool { return n.cfg.Loopback || onlyLoopback(n.cfg.Conn.LocalAddr()) }

// onlyLoopback reports whether loopback is all that a socket at addr can be reached by.
func onlyLoopback(addr net.Addr) bool {
	u, ok := addr.(*net.UDPAddr)
	if !ok || !u.IP.IsUnspecified() {
		return ok && u.IP.IsLoopback()
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && !p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() {
			return false
		}
	}
	return true
}

func (n *Node) add(p *Peer) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return ErrClosed
	}
	n.peers[p] = struct{}{}
	p.loop.ticks.add(p)
	n.publishPeers()
	select {
	case n.arrived <- struct{}{}:
	default:
	}
	return nil
}

func (n *Node) remove(p *Peer) {
	counts := p.Stats().Counts // not under mu: it enters the sources' loops, from which spawn is called
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.peers[p]; ok {
		delete(n.peers, p)
		p.loop.ticks.remove(p)
		n.ended.add(counts)
		n.publishPeers()
	}
}

// publishPeers gives the ticker its list. The caller holds mu.
func (n *Node) publishPeers() {
	list := make([]*Peer, 0, len(n.peers))
	for p := range n.peers {
		list = append(list, p)
	}
	n.ticked.Store(&list)
}

// spawn runs f in a goroutine that Close waits for.
func (n *Node) spawn(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tasks.Go(func() { // Close has not begun to wait while a peer is left, and every caller is a peer
		defer n.guard("task")
		f()
	})
}

// guard counts a mistake of ours that belongs to no peer, and lets the process live. Use it with defer, in what goes on after it.
func (n *Node) guard(where string) {
	if r := recover(); r != nil {
		if n.panics.Add(1) == 1 { // others are counted: what is sent by anybody must not fill the log
			n.log.Error("panic", "in", where, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		}
	}
}

// Close ends all peers and waits for every goroutine. It must not be called from a peer's events.
func (n *Node) Close() error {
	n.mu.Lock()
	already := n.closed
	n.closed = true
	peers := *n.ticked.Load()
	n.mu.Unlock()
	if already {
		n.tasks.Wait()
		return nil
	}
	for _, p := range peers {
		p.shut()
	}
	for _, p := range peers {
		<-p.done
	}
	close(n.stop)
	err := n.closeSockets()
	n.tasks.Wait()
	if err != nil {
		return fmt.Errorf("close node: %w", err)
	}
	return nil
}

func (n *Node) closeSockets() error {
	if n.plane == nil {
		return n.closeStock()
	}
	err := n.cfg.Conn.Close()
	if n.cfg.TCP != nil {
		err = errors.Join(err, n.cfg.TCP.Close())
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.conns {
		c.finish()
	}
	return err
}

func randomSSRC() uint32 {
	var b [4]byte
	for {
		_, _ = rand.Read(b[:]) // never fails
		if v := binary.BigEndian.Uint32(b[:]); v != 0 {
			return v
		}
	}
}
