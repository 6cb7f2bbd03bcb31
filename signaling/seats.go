package signaling

import (
	"time"
)

// seatLocked takes a seat from the session's address, or says why there is none. Hosts are not counted out: whoever fills a room must not keep
// them from it.
func (s *Server) seatLocked(sess *session) error {
	limit := s.cfg.Limits.SeatsPerAddress
	if sess.group.IsValid() {
		if s.seats[sess.group] >= limit && !sess.host && !sess.group.Addr().IsLoopback() {
			s.count.fullAddress.Add(1)
			return refuse(codeTooManySeats, "there are %d participants from your address already", limit)
		}
		s.seats[sess.group]++
	}
	return nil
}

// unseatLocked gives back what seatLocked took.
func (s *Server) unseatLocked(sess *session) {
	if !sess.group.IsValid() {
		return
	}
	if s.seats[sess.group]--; s.seats[sess.group] == 0 {
		delete(s.seats, sess.group)
	}
}

// admitLocked reports why s may not join now. ghost is the session whose seat it takes over: the one of its identity that has been
// silent the longest; nil: none.
func (r *room) admitLocked(s *session) (ghost *session, err error) {
	same := 0
	for _, o := range r.order {
		if o.identity != s.identity {
			continue
		}
		same++
		if o.away && (ghost == nil || o.lastSign.Before(ghost.lastSign)) {
			ghost = o
		}
	}
	taken, limits := len(r.sessions), r.srv.cfg.Limits
	barred, door := r.barsLocked(s.claims, s.identity), r.doorLocked(s.claims, s.identity)
	if ghost != nil {
		same, taken = same-1, taken-1
	}
	switch {
	case r.closed:
		return nil, ErrDraining
	case barred != nil:
		return nil, barred
	case door != nil && !s.letIn:
		return nil, door
	case s.host:
	case same >= limits.SeatsPerIdentity:
		r.srv.count.fullIdentity.Add(1)
		return nil, refuse(codeTooManySeats, "you are in this room %d times already", same)
	case taken >= limits.Participants:
		return nil, refuse(codeRoomFull, "the room is full: %d participants", taken)
	}
	return ghost, nil
}

// admit is admitLocked for a first look, before a join costs anything.
func (r *room) admit(s *session) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err := r.admitLocked(s)
	return err
}

// replaceLocked ends the sessions whose seats were taken over. The caller calls what it returns without the lock.
func (r *room) replaceLocked(ghosts ...*session) (finish func()) {
	links := make([]*Link, len(ghosts))
	for i, g := range ghosts {
		if g == nil {
			continue
		}
		var ok bool
		if links[i], ok = r.endLocked(g, reasonReplaced); !ok {
			ghosts[i] = nil
		}
	}
	return func() {
		for i, g := range ghosts {
			if g != nil {
				r.srv.count.replaced.Add(1)
				r.ended(g, links[i], reasonReplaced, closeReplaced)
			}
		}
	}
}

// heirLocked reports whether the identity of s, which is away, has joined anew since it was heard last.
func (r *room) heirLocked(s *session, lastSign time.Time) bool {
	for _, o := range r.order {
		if o != s && o.identity == s.identity && !o.away && o.joined.After(lastSign) {
			return true
		}
	}
	return false
}
