package signaling

import (
	"time"

	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/token"
)

// chat sends a message to the room, or to one participant.
func (s *session) chat(id uint64, msg []byte) (any, error) {
	var m chatRequest
	if err := parse(msg, &m); err != nil {
		return nil, err
	}
	if limit := s.room.srv.cfg.Limits.TextBytes; len(m.Text) > limit {
		return nil, refuse(codeTextTooLong, "the text is longer than %d bytes", limit)
	}
	if err := s.can.need(token.Message); err != nil {
		return nil, err
	}
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.ended {
		return nil, errEnded()
	}
	said := messageEvent{From: s.id, Name: s.name, Text: m.Text, At: time.Now().UTC().Truncate(time.Millisecond), To: m.To}
	audience := eventlog.Listeners()
	var to *session
	if m.To != "" {
		var err error
		if to, err = r.findLocked(m.To); err != nil {
			return nil, err
		}
		if !to.can.hears() {
			return nil, refuse(codeForbidden, "that participant may not read chat")
		}
		audience = eventlog.Only(s.id, to.id)
	}
	at := r.appendLocked("message", audience.By(s.id), func(e event) any {
		said.event = e
		return said
	})
	limit := r.srv.cfg.Limits.History
	switch to {
	case nil:
		r.history = keep(r.history, said, limit)
	case s:
		s.private = keep(s.private, said, limit)
	default:
		s.private = keep(s.private, said, limit)
		to.private = keep(to.private, said, limit)
	}
	reply := okay(id)
	reply.Position = &at
	return reply, nil
}

// keep appends a message to a history that holds at most limit.
func keep(history []messageEvent, m messageEvent, limit int) []messageEvent {
	if len(history) >= limit {
		copy(history, history[1:])
		history = history[:limit-1]
	}
	return append(history, m)
}
