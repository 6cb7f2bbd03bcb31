package signaling

import "time"

// enter reserves a place among a room's members, for a join that has begun, and makes the room where there is none.
// leave gives the place back. The error is ErrDraining, ErrTooManyRooms or that of seatLocked.
func (s *Server) enter(name string, sess *session) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, ErrDraining
	}
	r := s.rooms[name]
	if (r == nil || r.members == 0) && s.occupied >= s.cfg.Limits.Rooms {
		return nil, ErrTooManyRooms
	}
	if err := s.seatLocked(sess); err != nil {
		return nil, err
	}
	if r == nil {
		r = s.openRoomLocked(name)
	}
	if r.members == 0 {
		if s.occupied == 0 && s.waiting == 0 {
			s.attendance.begin()
		}
		s.occupied++
		if r.watchers > 0 {
			s.watched--
		}
	}
	r.members++
	return r, nil
}

// leave gives back a place that enter reserved.
func (s *Server) leave(r *room, sess *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unseatLocked(sess)
	r.members--
	if r.members > 0 {
		return
	}
	s.occupied--
	if r.watchers > 0 {
		s.watched++
	}
	r.idleSince = time.Now()
}

// watch counts a watcher of a room, which is made where there is none.
func (s *Server) watch(name string) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watchLocked(name)
}

func (s *Server) watchLocked(name string) (*room, error) {
	if s.draining {
		return nil, ErrDraining
	}
	r := s.rooms[name]
	if (r == nil || r.members == 0 && r.watchers == 0) && s.watched >= s.cfg.Limits.WatchedRooms {
		return nil, ErrTooManyRooms
	}
	if r == nil {
		r = s.openRoomLocked(name)
	}
	if r.members == 0 && r.watchers == 0 {
		s.watched++
	}
	r.watchers++
	return r, nil
}

// unwatch takes back what watch counted.
func (s *Server) unwatch(r *room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unwatchLocked(r)
}

func (s *Server) unwatchLocked(r *room) {
	r.watchers--
	if r.watchers > 0 || r.members > 0 {
		return
	}
	s.watched--
	r.idleSince = time.Now()
}

// lookup finds a room without making it.
func (s *Server) lookup(name string) *room {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rooms[name]
}

// openRoomLocked makes a room. Rooms that nobody is in or watches are kept for a while (Timing.Grace), so that those who
// come back find their positions; at most as many as may be in use: the one idle longest goes first.
func (s *Server) openRoomLocked(name string) *room {
	if len(s.rooms) >= 2*(s.cfg.Limits.Rooms+s.cfg.Limits.WatchedRooms) {
		s.forgetIdlestLocked()
	}
	r := newRoom(s, name)
	s.rooms[name] = r
	s.running.Go(r.run)
	return r
}

func (s *Server) forgetIdlestLocked() {
	var idlest *room
	for _, r := range s.rooms {
		if r.members == 0 && r.watchers == 0 && (idlest == nil || r.idleSince.Before(idlest.idleSince)) {
			idlest = r
		}
	}
	if idlest != nil {
		s.forgetRoomLocked(idlest)
	}
}

func (s *Server) forgetRoomLocked(r *room) {
	r.endBans(time.Now())
	delete(s.rooms, r.name)
	close(r.gone)
	r.events.Close()
}

// sweep runs for the server's life and forgets rooms that were idle for the grace.
func (s *Server) sweep() {
	ticker := time.NewTicker(max(s.cfg.Timing.Grace/8, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.forgetIdle(time.Now())
		case <-s.stop:
			return
		}
	}
}

func (s *Server) forgetIdle(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rooms {
		if r.members == 0 && r.watchers == 0 && now.Sub(r.idleSince) >= s.cfg.Timing.Grace {
			s.forgetRoomLocked(r)
		}
	}
}
