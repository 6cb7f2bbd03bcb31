package signaling

import (
	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

// Names are free, so one may look like a host's. The server says so, since a page that compares letters would not see it.

// alikeLocked is the participant of another identity whose name looks the same, one who may moderate if there is one; empty: nobody's does.
func (r *room) alikeLocked(look names.Skeleton, identity string) (id string) {
	for _, s := range r.order {
		if s.identity == identity || !s.skeleton.Like(look) {
			continue
		}
		if s.may(token.Moderate) {
			return s.id
		}
		if id == "" {
			id = s.id
		}
	}
	return id
}

// likeLocked is the moderator whose name that of s looks like; empty: none's does, or s is one.
func (s *session) likeLocked() string {
	if s.may(token.Moderate) {
		return ""
	}
	for _, o := range s.room.order {
		if o != s && o.identity != s.identity && o.may(token.Moderate) && o.skeleton.Like(s.skeleton) {
			return o.id
		}
	}
	return ""
}

// compareLocked is called when one who may moderate came, left, or has another name, or when s came to moderate: others' names may look like
// another's now.
func (r *room) compareLocked() {
	for _, s := range r.order {
		if like := s.likeLocked(); like != s.like {
			s.like = like
			r.changedSelfLocked(s)
		}
	}
}
