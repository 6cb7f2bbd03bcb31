package signaling

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// Server holds the rooms of one node.
type Server struct {
	// Static after construction.
	cfg     Config
	log     *slog.Logger
	count   *counters
	stop    chan struct{}  // closed when the rooms' and the janitor's goroutines should end
	running sync.WaitGroup // the janitor, rooms and sessions
	stopped sync.Once

	mu sync.Mutex

	// Guarded by mu.
	draining bool
	rooms    map[string]*room
	occupied int // rooms with members
	watched  int // rooms with watchers and no members
	links    map[*Link]struct{}
	idle     chan struct{} // made by Shutdown; closed when the last link has ended
}

// New starts a server. End it with Shutdown.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s := &Server{
		cfg:   cfg,
		log:   cfg.Log,
		count: newCounters(),
		stop:  make(chan struct{}),
		rooms: map[string]*room{},
		links: map[*Link]struct{}{},
	}
	s.running.Go(s.sweep)
	return s, nil
}

// Draining reports whether the server has begun to shut down, and how long a client should wait before it tries again.
func (s *Server) Draining() (retryAfter time.Duration, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.Timing.Drain, s.draining
}

// MaxMessage is the size in bytes of the largest message that a transport must take. What is longer it reports with
// Link.TooBig.
func (s *Server) MaxMessage() int { return s.cfg.Limits.OfferBytes }

// Shutdown ends the server: new connections are refused, those there are told to come back (close code 4000 with the
// seconds over which to spread), and when they have gone or ctx ends, the sessions' media and the feeds are closed.
// The error is ctx's where connections were still there. Shutdown waits for all goroutines of the server.
func (s *Server) Shutdown(ctx context.Context) error {
	idle := s.drain()
	var err error
	select {
	case <-idle:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.stopped.Do(s.closeRooms)
	s.running.Wait()
	return err
}

// drain refuses new connections and closes those there are. The channel is closed when the last has gone.
func (s *Server) drain() <-chan struct{} {
	s.mu.Lock()
	s.draining = true
	if s.idle == nil {
		s.idle = make(chan struct{})
		if len(s.links) == 0 {
			close(s.idle)
		}
	}
	links := make([]*Link, 0, len(s.links))
	for l := range s.links {
		links = append(links, l)
	}
	idle := s.idle
	s.mu.Unlock()

	for _, l := range links {
		l.shut(closeDraining, s.drainReason())
	}
	if len(links) > 0 {
		s.log.Info("draining", "connections", len(links))
	}
	return idle
}

// drainReason is the reason that goes with close code 4000: the seconds over which to spread.
func (s *Server) drainReason() string { return strconv.Itoa(int(s.cfg.Timing.Drain / time.Second)) }

// closeRooms ends all sessions and rooms. Draining is set: no room and no session comes after.
func (s *Server) closeRooms() {
	s.mu.Lock()
	rooms := make([]*room, 0, len(s.rooms))
	for _, r := range s.rooms {
		rooms = append(rooms, r)
	}
	s.mu.Unlock()
	for _, r := range rooms {
		r.close()
	}
	close(s.stop)
}

// forget takes a link that has ended off the list.
func (s *Server) forget(l *Link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.links, l)
	if s.idle != nil && len(s.links) == 0 {
		select {
		case <-s.idle:
		default:
			close(s.idle)
		}
	}
}
