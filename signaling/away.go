package signaling

import (
	"sync/atomic"
	"time"

	"github.com/parley/parley/internal/steady"
)

const (
	// attendEvery is how often it is looked at who can be reached.
	attendEvery = 250 * time.Millisecond

	// cutGrace is how long a client whose connection broke has to come back before it is away, and how long its media may have been
	// silent then: what flows on shows that only the connection is lost.
	cutGrace = time.Second
)

// pulse is what a session's messages say of its client. Written by its links, read by attend: steady nanoseconds.
type pulse struct {
	heard   atomic.Int64 // the newest message
	pinged  atomic.Int64 // the newest ping, or the connection's beginning
	pings   atomic.Int64 // since then
	regular atomic.Bool  // the newest ping came as soon as it should
}

// connect begins anew: the client has a new connection.
func (p *pulse) connect(now time.Time) {
	p.heard.Store(now.UnixNano())
	p.pinged.Store(now.UnixNano())
	p.pings.Store(0)
	p.regular.Store(false)
}

// ping notes a ping. One that is late by more than half of what is allowed says that the client pings more slowly than it was told, and
// that its silence means nothing.
func (p *pulse) ping(now time.Time, t Timing) {
	gap := time.Duration(now.UnixNano() - p.pinged.Swap(now.UnixNano()))
	p.regular.Store(gap <= t.Ping+(t.Away-t.Ping)/2)
	p.pings.Add(1)
}

// signs are what it is decided by whether a client can be reached.
type signs struct {
	away    bool          // it was not
	message time.Duration // since the last message
	media   time.Duration // since media came last; negative: never
	cut     time.Duration // since the connection was lost; negative: there is one
	pings   int64         // over this connection
	regular bool          // they come as they should
}

// gone decides. A client that has no connection is away until it has one again.
func (g signs) gone(t Timing) bool {
	if g.cut >= 0 {
		return g.away || g.cut >= cutGrace && (g.media < 0 || g.media >= cutGrace)
	}
	silent := g.message
	if g.media >= 0 {
		silent = min(silent, g.media)
	}
	if silent < t.Away {
		return false
	}
	return g.away || g.regular || g.pings == 0 && g.media >= 0
}

// attendance is what wakes attend.
type attendance struct{ first chan struct{} }

func newAttendance() attendance { return attendance{make(chan struct{}, 1)} }

// begin is called when somebody comes and nobody was there.
func (a attendance) begin() {
	select {
	case a.first <- struct{}{}:
	default:
	}
}

// attend runs for the server's life and looks at who can be reached, while somebody is there or waits.
func (s *Server) attend() {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	var rooms []*room
	for {
		select {
		case <-s.attendance.first:
		case <-timer.C:
			rooms = s.attendedRooms(rooms[:0])
			for _, r := range rooms {
				r.attend(steady.Now())
				r.attendKnocks(steady.Now())
			}
			clear(rooms)
			if len(rooms) == 0 {
				continue
			}
		case <-s.stop:
			timer.Stop()
			return
		}
		timer.Reset(attendEvery)
	}
}

// attendedRooms appends the rooms that somebody is in or waits at to list.
func (s *Server) attendedRooms(list []*room) []*room {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rooms {
		if r.members+r.waiting > 0 && !s.draining { // then all are cut off, and nobody is told
			list = append(list, r)
		}
	}
	return list
}

// attend tells the room who cannot be reached, and who can again. One whose identity has come back meanwhile leaves.
func (r *room) attend(now time.Time) {
	r.mu.Lock()
	var ghosts []*session
	for _, s := range r.order {
		last, changed := s.attendLocked(now)
		if !changed {
			if s.untold {
				r.changedSelfLocked(s)
			}
			continue
		}
		if s.away && r.heirLocked(s, last) {
			ghosts = append(ghosts, s)
		} else {
			r.updatedLocked(s)
		}
	}
	replaced := r.replaceLocked(ghosts...)
	if len(ghosts) > 0 {
		r.succeedLocked()
		r.answerLocked()
	}
	r.mu.Unlock()
	replaced()
}

// attendLocked works out whether the session is away, and when it was heard last.
func (s *session) attendLocked(now time.Time) (last time.Time, changed bool) {
	g := s.signsLocked(now)
	away := g.gone(s.room.srv.cfg.Timing)
	if away == s.away {
		return now, false
	}
	silent := g.message
	if g.media >= 0 {
		silent = min(silent, g.media)
	}
	s.away, s.lastSign = away, time.Now().Add(-silent).UTC().Truncate(time.Millisecond)
	return now.Add(-silent), true
}

func (s *session) signsLocked(now time.Time) signs {
	g := signs{
		away: s.away, message: time.Duration(now.UnixNano() - s.pulse.heard.Load()), media: -1, cut: -1,
		pings: s.pulse.pings.Load(), regular: s.pulse.regular.Load(),
	}
	if s.peer != nil {
		if n := s.peer.Heard(); n != s.mediaCount {
			s.mediaCount, s.mediaAt = n, now
		}
		if s.mediaCount > 0 {
			g.media = now.Sub(s.mediaAt)
		}
	}
	if s.link == nil {
		g.cut = now.Sub(s.cutAt)
	}
	return g
}

// returnedLocked notes that the client has a new connection.
func (s *session) returnedLocked(now time.Time) {
	s.pulse.connect(now)
	if s.away {
		s.away = false
		s.room.updatedLocked(s)
	}
}

// flowing reports whether anybody's media does.
func (s *Server) flowing() bool {
	s.mu.Lock()
	rooms := make([]*room, 0, len(s.rooms))
	for _, r := range s.rooms {
		rooms = append(rooms, r)
	}
	s.mu.Unlock()
	now := steady.Now()
	for _, r := range rooms {
		if r.flowing(now) {
			return true
		}
	}
	return false
}

func (r *room) flowing(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.order {
		if media := s.signsLocked(now).media; media >= 0 && media < mediaEnded && !s.mediaGone.Load() {
			return true
		}
	}
	return false
}
