package signaling

import (
	"slices"
	"time"

	"github.com/parley/parley/internal/audit"
	"github.com/parley/parley/internal/steady"
)

// Waiting lists those who wait at a room to be let in, the longest waiting first.
func (s *Server) Waiting(room string) []Knock {
	r := s.lookup(room)
	if r == nil {
		return []Knock{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waitingLocked()
}

// Decide lets in who waits at a room, or sends him away, for one who is not in it: by is his identity. An empty id is all. It reports whether
// there was somebody.
func (s *Server) Decide(room, id string, admit bool, by string) bool {
	r := s.lookup(room)
	return r != nil && r.decide(id, admit, audit.Who{Room: room, Identity: by}, steady.Now())
}

// decideOn does what a moderator in the room wants with who waits.
func (s *session) decideOn(id string, admit bool) error {
	if s.room.decide(id, admit, s.who(), steady.Now()) || id == "" {
		return nil
	}
	return refuse(codeNoKnock, "nobody waits with that id: he left, or somebody else decided")
}

// decide lets in or sends away who waits with that id, or all where it is empty. It reports whether there was somebody: of two who decide
// at once, one decides.
func (r *room) decide(id string, admit bool, by audit.Who, now time.Time) (found bool) {
	r.mu.Lock()
	var after deeds
	for _, k := range slices.Clone(r.porch.waiting) {
		if id != "" && k.id != id {
			continue
		}
		if barred := r.barsLocked(k.claims, k.identity); barred != nil { // since a moment ago
			after.add(r.endKnockLocked(k, knockDeclined, "", barred, now))
			continue
		}
		end, why := knockAdmitted, (*requestError)(nil)
		if !admit {
			end, why = knockDeclined, refuse(codeDeclined, "a moderator declined to let you in")
		}
		found = true
		if admit {
			r.letInLocked(k.identity)
		}
		after.add(r.endKnockLocked(k, end, by.Participant, why, now))
		after.add(func() { r.srv.cfg.Audit.Decided(by, k.who(), string(end)) })
	}
	r.mu.Unlock()
	after.do()
	return found
}

// who is the one who waits, as the audit log knows him.
func (k *knock) who() audit.Who {
	return audit.Who{Room: k.room.name, Identity: k.identity, Address: k.from}
}
