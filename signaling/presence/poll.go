package presence

import (
	"errors"
	"net/http"
	"time"

	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/token"
)

func pollHeader(h http.Header) {
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
}

// servePoll answers a long-poll: a snapshot at once, news at once or when there is some, or, after wait, nothing new.
func (s *Server) servePoll(w http.ResponseWriter, r *http.Request, begin start, claims token.Claims, wait time.Duration) {
	// The HTTP server's timeouts are meant for answers that do not wait.
	rc := http.NewResponseController(w)
	err := errors.Join(rc.SetReadDeadline(time.Time{}), rc.SetWriteDeadline(time.Now().Add(max(0, wait)+s.cfg.Timing.Write)))
	if err != nil {
		s.cannotWait(w, err)
		return
	}
	var entries []eventlog.Entry
	if begin.snapshot == nil {
		if entries, err = s.await(r, begin.cursor, within(wait, claims, time.Now())); err != nil {
			return // the client has gone
		}
	}
	s.count.polls.Add(1)
	s.count.events.Add(uint64(len(entries)))
	pollHeader(w.Header())
	writeJSON(w, http.StatusOK, appendPoll(nil, r.PathValue("room"), begin, entries))
}

// within cuts wait where the token ends before it.
func within(wait time.Duration, claims token.Claims, now time.Time) time.Duration {
	if !claims.Expires.IsZero() {
		wait = min(wait, claims.Expires.Sub(now))
	}
	return wait
}

// await reads what is due, and waits for the first if nothing is. None and no error means that there was nothing in
// time, or that the log or the server is ending; the error is that of a client that has gone.
func (s *Server) await(r *http.Request, cursor *eventlog.Cursor, wait time.Duration) ([]eventlog.Entry, error) {
	timer := time.NewTimer(max(0, wait))
	defer timer.Stop()
	for {
		entries, err := cursor.Next(nil)
		if len(entries) > 0 || errors.Is(err, eventlog.ErrClosed) || errors.Is(err, eventlog.ErrGone) {
			// Gone: the position named is as gone at the next request, which then gets a snapshot.
			return entries, nil
		}
		select {
		case <-cursor.Ready():
		case <-timer.C:
			return nil, nil
		case <-s.drain:
			return nil, nil
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

// appendPoll appends the answer to b. The room's name needs no escaping in JSON: names.Room has seen to it.
func appendPoll(b []byte, room string, begin start, entries []eventlog.Entry) []byte {
	at := begin.at
	if len(entries) > 0 {
		at = entries[len(entries)-1].Position
	}
	b = append(b, `{"room":"`...)
	b = append(b, room...)
	b = append(b, `","position":"`...)
	b = at.Append(b)
	b = append(b, '"')
	if begin.snapshot != nil {
		b = append(b, `,"snapshot":`...)
		b = append(b, begin.snapshot...)
	}
	b = append(b, `,"events":[`...)
	for i := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, entries[i].JSON...)
	}
	return append(b, "]}"...)
}
