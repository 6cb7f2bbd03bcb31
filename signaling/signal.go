package signaling

import (
	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/token"
)

// signal hands data to another participant, for connections between the two that the server has no part in.
func (s *session) signal(id uint64, msg []byte) (any, error) {
	var m signalRequest
	if err := parse(msg, &m); err != nil {
		return nil, err
	}
	if limit := s.room.srv.cfg.Limits.SignalBytes; len(m.Data) > limit {
		return nil, refuse(codeTextTooLong, "the data is longer than %d bytes", limit)
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
	to, err := r.findLocked(m.To)
	if err != nil {
		return nil, err
	}
	r.appendLocked("signal", eventlog.Only(to.id).By(s.id), func(e event) any {
		return signalEvent{event: e, From: s.id, Data: m.Data}
	})
	return okay(id), nil
}
