package presence

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

// serveEvents answers GET /v1/rooms/{room}/events, as a stream or as a long-poll.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept")
	room := r.PathValue("room")
	q, err := parseFeedQuery(r.URL.RawQuery, s.cfg.Timing)
	if err != nil {
		fail(w, err)
		return
	}
	claims, err := s.authorize(r, room, token.Watch, q.accessToken)
	if err != nil {
		fail(w, err)
		return
	}
	if !names.Room(room) {
		fail(w, errRoom)
		return
	}
	stream := wantsStream(r.Header.Values("Accept"))
	if r.Method == http.MethodHead {
		headersOnly(w, stream)
		return
	}
	of := s.sharersOf(r, q.accessToken)
	if err := s.admit(of); err != nil {
		var why failure
		errors.As(err, &why)
		s.later(w, stream, why)
		return
	}
	defer s.dismiss(of)
	feed, err := s.cfg.Rooms.Feed(room)
	if err != nil {
		s.count.busy.Add(1)
		s.later(w, stream, errNotNow)
		return
	}
	defer feed.Release()
	after, named := resumeFrom(r.Header, q)
	begin, err := s.open(feed, claims, after, named)
	if err != nil {
		s.count.busy.Add(1)
		s.later(w, stream, errNotNow)
		return
	}
	defer begin.cursor.Close()
	if stream {
		s.serveStream(w, r, begin, claims)
		return
	}
	s.servePoll(w, r, begin, claims, q.wait)
}

// headersOnly answers HEAD: what a GET would begin with, without waiting and without being a watcher.
func headersOnly(w http.ResponseWriter, stream bool) {
	if stream {
		streamHeader(w.Header())
	} else {
		pollHeader(w.Header())
	}
	w.WriteHeader(http.StatusOK)
}

// later answers a watcher that cannot be served now. A native EventSource never comes back from a 503, so a stream is
// accepted, told when to come back, and ended. A long-poller reads the status.
func (s *Server) later(w http.ResponseWriter, stream bool, why failure) {
	wait := s.cfg.Timing.Busy
	if why == errNotNow {
		wait = s.cfg.Timing.Retry
	}
	if !stream {
		s.retryAfter(w, wait, why)
		return
	}
	streamHeader(w.Header())
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(appendRetry([]byte(heartbeat), between(wait/2, wait*3/2))) // a client that is gone needs no answer
}

// cannotWait answers where the ResponseWriter has no deadlines: something wraps it and hides them.
func (s *Server) cannotWait(w http.ResponseWriter, err error) {
	s.log.Error("presence: the connection cannot be given deadlines", "error", err)
	refuse(w, errInternal)
}

// sendAway answers 503 to a request that may be tried again after a moment.
func (s *Server) sendAway(w http.ResponseWriter, why failure) {
	s.count.busy.Add(1)
	s.retryAfter(w, s.cfg.Timing.Retry, why)
}

func (s *Server) retryAfter(w http.ResponseWriter, wait time.Duration, why failure) {
	seconds := (between(wait/2, wait*3/2) + time.Second - 1) / time.Second
	w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
	refuse(w, why)
}

// between is a random time from low to below high.
func between(low, high time.Duration) time.Duration {
	return low + rand.N(max(1, high-low))
}
