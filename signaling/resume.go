package signaling

import (
	"cmp"
	"crypto/subtle"
	"encoding/json"
	"slices"
	"time"

	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/signaling/internal/eventlog"
)

// resume gives a session that lives a new connection. The one it had is closed. Events go on from the client's position,
// or, where the log no longer reaches back to it, from a snapshot that replaces all the client knows.
func (l *Link) resume(id uint64, msg []byte) error {
	var m resumeRequest
	if err := parse(msg, &m); err != nil {
		return err
	}
	s := l.srv.find(l.room, m.Session, m.Secret)
	if s == nil {
		l.srv.count.resumesFailed.Add(1)
		return refuse(codeSessionGone, "there is nothing to resume: join anew")
	}
	servers, ttl, pass := s.issue(time.Now())
	reply := resumedReply{Type: "resumed", ID: id, ICEServers: servers, ICETTL: ttl, passport: pass}
	old, ok := l.takeOver(s, m.Position, &reply)
	if !ok {
		l.srv.count.resumesFailed.Add(1)
		return refuse(codeSessionGone, "there is nothing to resume: join anew")
	}
	if k := l.waits(); k != nil {
		k.finish(l, knockLeft)
	}
	l.srv.count.resumed.Add(1)
	s.log.Info("resumed", "replayed", reply.resumedState == nil)
	l.send(outgoing{msg: encode(reply), follow: s.follow(reply.Position)})
	if old != nil {
		old.shut(closeReplaced, "")
	}
	return nil
}

// find returns the session with this id and secret.
func (s *Server) find(room, id, secret string) *session {
	r := s.lookup(room)
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	sess := r.sessions[id]
	if sess == nil || subtle.ConstantTimeCompare([]byte(sess.secret), []byte(secret)) != 1 {
		return nil
	}
	return sess
}

// takeOver makes l the session's connection and completes the reply. It returns the connection that was there before. ok
// is false where the session has ended meanwhile.
func (l *Link) takeOver(s *session, position string, reply *resumedReply) (old *Link, ok bool) {
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.ended || !l.adopt(s) {
		return nil, false
	}
	old, s.link, s.latest = s.link, l, l
	s.returnedLocked(steady.Now())
	at, err := eventlog.ParsePosition(position)
	from := at
	// What came before the join is not for this session, though the log may still hold it.
	if err != nil || from.Seq < s.since.Seq || !r.reaches(from, s.reader()) {
		from = r.events.Position()
		reply.resumedState = &resumedState{
			Room:     s.snapshotLocked(from),
			Messages: s.messagesLocked(),
			Slots:    append([]slotState{}, s.told...),
		}
	}
	reply.Position = from
	if reply.resumedState != nil {
		s.tellAgainLocked()
		s.signalAgainLocked(at)
	}
	return old, true
}

// signalAgainLocked repeats the signals behind a position that is gone, as far as they are kept: no snapshot tells them.
func (s *session) signalAgainLocked(at eventlog.Position) {
	at.Seq = max(at.Seq, s.since.Seq)
	for _, entry := range s.room.events.Take(at, "signal", s.id) {
		var old struct {
			From string          `json:"from"`
			Data json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(entry.JSON, &old); err != nil {
			panic("signaling: read an event of ours: " + err.Error())
		}
		s.room.appendLocked("signal", eventlog.Only(s.id).By(old.From), func(e event) any {
			return signalEvent{event: e, From: old.From, Data: old.Data}
		})
	}
}

// reaches reports whether the log can go on from a position for a reader.
func (r *room) reaches(from eventlog.Position, reader eventlog.Reader) bool {
	cursor, err := r.events.Follow(from, reader)
	if err != nil {
		return false
	}
	cursor.Close()
	return true
}

// messagesLocked is the history as this session knows it: what was for everybody, and its own private messages.
func (s *session) messagesLocked() []messageEvent {
	if !s.can.hears() {
		return []messageEvent{}
	}
	all := append(slices.Clone(s.room.history), s.private...)
	slices.SortFunc(all, func(a, b messageEvent) int { return cmp.Compare(a.Position.Seq, b.Position.Seq) })
	return append([]messageEvent{}, all[max(0, len(all)-s.room.srv.cfg.Limits.History):]...)
}
