package turn

import (
	"sync"
	"time"
)

// maxRevoked bounds how many sessions are remembered as ended (about 100 bytes each). Beyond it the one that ended first
// is forgotten: its credentials have the least time left.
const maxRevoked = 1 << 16

// revoked are the sessions that ended while their credentials were still good.
type revoked struct {
	mu    sync.Mutex
	until map[string]time.Time // by session
	order []string             // as they ended
}

func newRevoked() *revoked { return &revoked{until: map[string]time.Time{}} }

// add remembers a session until its last credentials have expired, and forgets those that need it no more.
func (r *revoked) add(session string, now, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.order) > 0 && (len(r.order) >= maxRevoked || !now.Before(r.until[r.order[0]])) {
		delete(r.until, r.order[0])
		r.order = r.order[1:]
	}
	if _, known := r.until[session]; !known {
		r.order = append(r.order, session)
		r.until[session] = until
	}
}

func (r *revoked) has(session string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.until[session]
	return ok
}

// Revoke ends the relays of a session, and refuses its credentials from now on.
func (s *Server) Revoke(session string) {
	now := s.now()
	s.revoked.add(session, now, now.Add(s.cfg.TTL))
	for _, a := range s.relays.all() {
		if a.user.Session == session {
			a.end()
		}
	}
}
