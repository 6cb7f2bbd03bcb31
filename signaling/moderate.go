package signaling

import (
	"slices"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling/token"
)

// moderate does what only a moderator may. after is what would close the moderator's own connection: it waits for the
// reply.
func (s *session) moderate(id uint64, msg []byte) (reply any, after func(), err error) {
	var m moderateRequest
	if err := parse(msg, &m); err != nil {
		return nil, nil, err
	}
	if err := s.need(token.Moderate); err != nil {
		return nil, nil, err
	}
	switch m.Action {
	case "mute":
		err = s.muteOther(m.Participant, m.Kind)
	case "remove":
		after, err = s.remove(m.Participant, m.Ban == nil || *m.Ban)
	case "lock":
		err = s.lockRoom(true)
	case "unlock":
		err = s.lockRoom(false)
	case "end":
		after = s.endRoom
	case "admit", "decline":
		err = s.decideOn(m.Knock, m.Action == "admit")
	case "unban":
		s.room.unban(m.Identity)
	}
	if err != nil {
		return nil, nil, err
	}
	switch m.Action {
	case "remove", "admit", "decline": // noted where it is known of whom
	case "mute":
		s.room.srv.cfg.Audit.Moderated(s.who(), m.Action, m.Participant)
	default: // the participant is not looked at: it may be anything, and of any length
		s.room.srv.cfg.Audit.Moderated(s.who(), m.Action, "")
	}
	return okay(id), after, nil
}

// find returns another participant.
func (s *session) find(id string) (*session, error) {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if s.ended {
		return nil, errEnded()
	}
	return s.room.findLocked(id)
}

// muteOther mutes one source of a participant, or all where kind is empty. The participant may unmute.
func (s *session) muteOther(id string, kind sfu.Kind) error {
	other, err := s.find(id)
	if err != nil {
		return err
	}
	other.media.Lock()
	defer other.media.Unlock()
	if kind != "" {
		_, err := other.setMuted(kind, true, s.id)
		return err
	}
	for _, kind := range other.published() {
		if _, err := other.setMuted(kind, true, s.id); err != nil {
			return err
		}
	}
	return nil
}

// published lists the kinds that are published. It stays true while the media lock is held, unless the session ends.
func (s *session) published() []sfu.Kind {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	return slices.DeleteFunc(sourceOrder(), func(k sfu.Kind) bool { return s.sources[k] == nil })
}

// remove ends another's session at once, or one's own after the reply. With ban the other's identity is kept out until the
// room ends, and whatever else it has in the room ends, too. One's own identity is never banned.
func (s *session) remove(id string, ban bool) (after func(), err error) {
	gone, err := s.condemn(id, ban)
	if err != nil {
		return nil, err
	}
	for _, other := range gone {
		s.room.srv.cfg.Audit.Removed(s.who(), other.who(), ban && other.identity != s.identity)
		if other == s {
			after = func() { s.room.end(s, reasonRemoved, closeRemoved) }
			continue
		}
		s.room.end(other, reasonRemoved, closeRemoved)
	}
	if ban && gone[0].identity != s.identity { // now that he makes no more
		s.withdraw(gone[0].identity)
	}
	return after, nil
}

// condemn bans, where it should, and lists the sessions that must go.
func (s *session) condemn(id string, ban bool) ([]*session, error) {
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.ended {
		return nil, errEnded()
	}
	other, err := r.findLocked(id)
	if err != nil {
		return nil, err
	}
	if other.identity != s.identity {
		delete(r.porch.letIn, other.identity)
	}
	if !ban || other.identity == s.identity {
		return []*session{other}, nil
	}
	if err := r.banLocked(other, s); err != nil {
		return nil, err
	}
	r.answerLocked() // he, or who came by his invitation, may wait at the door
	return slices.DeleteFunc(slices.Clone(r.order), func(o *session) bool { return o.identity != other.identity }), nil
}

func (s *session) lockRoom(locked bool) error {
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.ended {
		return errEnded()
	}
	if r.locked != locked {
		r.setLockedLocked(locked)
	}
	return nil
}

// endRoom ends everybody's session. Moderators go last: else each of the others would be made one before he goes.
func (s *session) endRoom() {
	r := s.room
	r.mu.Lock()
	everybody := slices.Clone(r.order)
	r.mu.Unlock()
	slices.SortStableFunc(everybody, func(a, b *session) int {
		switch x, y := a.may(token.Moderate), b.may(token.Moderate); {
		case x == y:
			return 0
		case x:
			return 1
		default:
			return -1
		}
	})
	for _, other := range everybody {
		r.end(other, reasonEnded, closeRoomEnded)
	}
}
