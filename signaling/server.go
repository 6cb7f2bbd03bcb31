package signaling

import (
	"log/slog"
	"net/netip"
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

	attendance attendance

	mu sync.Mutex

	// Guarded by mu.
	draining bool
	rooms    map[string]*room
	occupied int // rooms with members
	watched  int // rooms with watchers and no members
	waiting  int // knocks that wait, at all rooms
	links    map[*Link]struct{}
	knockers map[netip.Prefix]int // people who wait to be let in, by address
	seats    map[netip.Prefix]int // sessions and joins under way, by address
	idle     chan struct{}        // made by Shutdown; closed when the last link has ended
	spread   time.Duration        // over which clients come back, once draining
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
		seats: map[netip.Prefix]int{}, knockers: map[netip.Prefix]int{},

		attendance: newAttendance(),
	}
	s.running.Go(s.attend)
	s.running.Go(s.sweep)
	return s, nil
}

// Draining reports whether the server has begun to shut down, and how long a client should wait before it tries again.
func (s *Server) Draining() (retryAfter time.Duration, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spread, s.draining
}

// MaxMessage is the size in bytes of the largest message that a transport must take. What is longer it reports with
// Link.TooBig.
func (s *Server) MaxMessage() int { return s.cfg.Limits.OfferBytes }

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
