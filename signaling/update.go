package signaling

import (
	"bytes"
	"encoding/json"

	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

// update changes what others see of the participant.
func (s *session) update(id uint64, msg []byte) (any, error) {
	var m updateRequest
	if err := parse(msg, &m); err != nil {
		return nil, err
	}
	if err := s.can.need(token.Update); err != nil {
		return nil, err
	}
	srv := s.room.srv
	var name string
	if m.Name != nil {
		var err error
		if name, err = srv.checkName(*m.Name); err != nil {
			return nil, err
		}
	}
	var metadata json.RawMessage
	if !isNull(m.Metadata) {
		var err error
		if metadata, err = srv.checkMetadata(m.Metadata); err != nil {
			return nil, err
		}
	}
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.ended {
		return nil, errEnded()
	}
	changed := false
	if name != "" && name != s.name {
		s.name, s.skeleton, changed = name, names.SkeletonOf(name), true
		s.like = s.likeLocked()
		if s.may(token.Moderate) {
			defer r.compareLocked()
		}
	}
	if metadata != nil && !bytes.Equal(metadata, s.metadata) {
		s.metadata, changed = metadata, true
	}
	if changed {
		r.changedSelfLocked(s)
	}
	return okay(id), nil
}
