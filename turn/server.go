package turn

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a STUN and TURN server.
type Server struct {
	// Static after construction.
	cfg     Config
	now     func() time.Time
	policy  *policy
	relays  *relays
	quota   *quota
	revoked *revoked
	errors  *budget
	nonces  *nonces
	closed  chan struct{}

	closing   sync.Once
	accepting sync.WaitGroup // accept loops
	reading   sync.WaitGroup // endpoints and allocations: what is added to it is counted in it already, or in accepting

	// Guarded by mu.
	mu        sync.Mutex
	endpoints map[*endpoint]struct{}
	conns     int
	connsByIP map[netip.Addr]int

	refused      [numReasons]atomic.Uint64
	up, down     traffic
	allocated    atomic.Uint64
	badMessages  atomic.Uint64
	errorAnswers atomic.Uint64
	panics       atomic.Uint64
}

// New starts a server on the sockets of cfg.
func New(cfg Config) (*Server, error) { return newServer(cfg, time.Now) }

func newServer(cfg Config, now func() time.Time) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	local := interfaceIPs()
	s := &Server{
		cfg:       cfg,
		now:       now,
		quota:     newQuota(cfg.Limits),
		revoked:   newRevoked(),
		nonces:    newNonces(),
		errors:    newBudget(cfg.Limits.Errors),
		closed:    make(chan struct{}),
		endpoints: map[*endpoint]struct{}{},
		connsByIP: map[netip.Addr]int{},
	}
	s.relays = newRelays(s, cfg, local)
	s.policy = newPolicy(cfg, local, s.relays)
	if cfg.UDP != nil {
		if err := s.serve(cfg.UDP, nil); err != nil {
			return nil, fmt.Errorf("turn: serve UDP: %w", err)
		}
	}
	for _, l := range cfg.TCP {
		s.accepting.Go(func() { s.accept(l) })
	}
	cfg.Log.Info("turn is up", "relay", cfg.RelayIP, "ports", fmt.Sprintf("%d-%d", cfg.MinPort, cfg.MaxPort), "realm", cfg.Realm)
	return s, nil
}

// serve starts to read conn. release, if not nil, is called once when conn has ended.
func (s *Server) serve(conn net.PacketConn, release func()) error {
	e := newEndpoint(s, conn, release)
	s.mu.Lock()
	if s.isClosed() {
		s.mu.Unlock()
		e.end()
		return net.ErrClosed
	}
	s.endpoints[e] = struct{}{}
	s.mu.Unlock()

	s.reading.Go(e.run)
	return nil
}

// Close ends all allocations, closes the sockets, and waits for what runs on them.
func (s *Server) Close() error {
	var errs []error
	s.closing.Do(func() {
		s.mu.Lock()
		close(s.closed)
		var open []*endpoint
		for e := range s.endpoints {
			open = append(open, e)
		}
		s.mu.Unlock()

		for _, l := range s.cfg.TCP {
			errs = append(errs, l.Close())
		}
		for _, e := range open {
			if err := e.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
		s.accepting.Wait()
		s.reading.Wait()
		s.cfg.Log.Info("turn is down")
	})
	return errors.Join(errs...)
}

func (s *Server) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}
