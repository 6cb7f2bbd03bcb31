package signaling

import (
	"github.com/parley/parley/signaling/token"
)

// subscribe replaces the list of what the client shows. Participants who are not here, or not any more, may be listed:
// clients learn of comings and goings a moment later than the server.
func (s *session) subscribe(id uint64, msg []byte) (any, error) {
	var m subscribeRequest
	if err := parse(msg, &m); err != nil {
		return nil, err
	}
	if limit := s.room.srv.cfg.Limits.Tiles; len(m.Tiles) > limit {
		return nil, refuse(codeBadMessage, "at most %d tiles may be listed", limit)
	}
	if err := s.can.need(token.Subscribe); err != nil {
		return nil, err
	}
	if s.peer == nil {
		return nil, errNoMedia()
	}
	s.room.mu.Lock()
	s.tiles = m.Tiles
	s.room.mu.Unlock()
	s.look()
	return okay(id), nil
}
