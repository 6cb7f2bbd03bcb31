package presence

import (
	"errors"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/token"
)

// stream is one watcher's SSE connection. It belongs to the handler's goroutine.
type stream struct {
	server *Server
	cursor *eventlog.Cursor
	w      http.ResponseWriter
	rc     *http.ResponseController

	limit    time.Duration // for the watcher to take one write
	deadline time.Time     // set on the connection
	wrote    time.Time
	beat     time.Duration // the heartbeat is due this long after wrote
	end      time.Time     // when the stream ends cleanly
	barred   func() bool   // the watcher was removed meanwhile
}

func streamHeader(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	h.Set("X-Content-Type-Options", "nosniff")
}

func (s *Server) serveStream(w http.ResponseWriter, r *http.Request, begin start, claims token.Claims) {
	t, now := s.cfg.Timing, time.Now()
	st := &stream{
		server: s, cursor: begin.cursor, w: w, rc: http.NewResponseController(w),
		limit: between(t.Write/4, t.Write/2),
		end:   now.Add(between(t.Stream*3/4, t.Stream*5/4)),

		barred: func() bool { return s.cfg.Rooms.KeptOut(r.PathValue("room"), claims) },
	}
	if !claims.Expires.IsZero() && claims.Expires.Before(st.end) {
		st.end = claims.Expires
	}
	// A server-wide read timeout would end the stream from behind: the client has nothing more to send.
	if err := errors.Join(st.rc.SetReadDeadline(time.Time{}), st.extend(now)); err != nil {
		s.cannotWait(w, err)
		return
	}
	s.count.streams.Add(1)
	streamHeader(w.Header())
	w.WriteHeader(http.StatusOK)
	err := st.run(r, begin)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.count.slow.Add(1)
	}
	s.log.Debug("presence: stream ended", "room", r.PathValue("room"), "cause", err)
}

// run writes the stream until its end. The error says why it could not be ended cleanly; nil: it was.
func (st *stream) run(r *http.Request, begin start) error {
	s := st.server
	prelude := appendRetry([]byte(heartbeat), between(s.cfg.Timing.Retry/2, s.cfg.Timing.Retry*3/2))
	if begin.snapshot != nil {
		prelude = appendEvent(prelude, begin.at, "snapshot", begin.snapshot)
	}
	more, err := st.flush(prelude)
	drain := s.drain
	timer := time.NewTimer(time.Until(st.next())) // left alone by writes: tick sees that it came too early
	defer timer.Stop()
	for more && err == nil {
		select {
		case <-st.cursor.Ready():
			more, err = st.flush(nil)
		case <-timer.C:
			more, err = st.tick(time.Now())
			timer.Reset(time.Until(st.next()))
		case <-drain:
			drain = nil
			now, crowd := time.Now(), s.crowd()
			if last := now.Add(between(0, min(s.cfg.Timing.Drain, crowd))); last.Before(st.end) {
				st.end = last
			}
			retry := min(s.cfg.Timing.Retry, soonest+crowd)
			err = st.send(appendRetry(nil, between(retry/2, retry*3/2)), now)
			timer.Reset(time.Until(st.next()))
		case <-s.halt:
			return nil
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
	return err
}

// At shutdown few come back sooner than many: soonest is about when a single watcher does, each of the others adds one millisecond.
const soonest = 500 * time.Millisecond

// crowd is the time to be spread over those who watch.
func (s *Server) crowd() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.watchers) * time.Millisecond
}

// next is when the stream has something to do without news.
func (st *stream) next() time.Time {
	if due := st.wrote.Add(st.beat); due.Before(st.end) {
		return due
	}
	return st.end
}

// tick ends the stream or sends a heartbeat, if it is time for one.
func (st *stream) tick(now time.Time) (more bool, err error) {
	switch {
	case !now.Before(st.end) || st.barred():
		return false, nil
	case now.Before(st.wrote.Add(st.beat)):
		return true, nil // the timer was set before the last write
	default:
		return true, st.send([]byte(heartbeat), now)
	}
}

// buffers holds what flush builds its writes in: most of the time no stream is writing, so none keeps a buffer.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// flush writes prelude and all that is due, in one write. more is false when the room's log has ended.
func (st *stream) flush(prelude []byte) (more bool, err error) {
	var few [8]eventlog.Entry
	entries, ended := st.cursor.Next(few[:0])
	if errors.Is(ended, eventlog.ErrGone) {
		// It read more slowly than the log moves on. Nothing that comes now would make sense to it without a snapshot,
		// and that is what it gets when it comes back with its old position.
		st.server.count.slow.Add(1)
		return false, nil
	}
	pooled := buffers.Get().(*[]byte)
	b := append((*pooled)[:0], prelude...)
	for i := range entries {
		b = appendEvent(b, entries[i].Position, entries[i].Type, entries[i].JSON)
	}
	if len(b) > 0 {
		err = st.send(b, time.Now())
		st.server.count.events.Add(uint64(len(entries)))
	}
	if cap(b) <= 64<<10 {
		*pooled = b
		buffers.Put(pooled)
	}
	return ended == nil, err
}

// send writes b and pushes it out.
func (st *stream) send(b []byte, now time.Time) error {
	if err := st.extend(now); err != nil {
		return err
	}
	if _, err := st.w.Write(b); err != nil {
		return err
	}
	st.wrote, st.beat = now, between(st.server.cfg.Timing.Heartbeat*3/4, st.server.cfg.Timing.Heartbeat*5/4)
	return st.rc.Flush()
}

// extend gives the watcher at least limit to take what is written now. Moving a deadline costs a timer operation, so
// it is set twice the limit ahead and left alone while at least the limit remains.
func (st *stream) extend(now time.Time) error {
	if st.deadline.Sub(now) >= st.limit {
		return nil
	}
	st.deadline = now.Add(2 * st.limit)
	return st.rc.SetWriteDeadline(st.deadline)
}
