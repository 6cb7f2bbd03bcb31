package signaling

import (
	"slices"

	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

// What somebody waits for who may not come in yet.
const (
	waitsForModerator = "moderator" // to let him in
	waitsForHost      = "host"      // to come: nobody is here who could let him in
)

// waitsLocked is what who holds these claims waits for; empty: nothing.
func (r *room) waitsLocked(c token.Claims, identity string) string {
	switch {
	case c.May(token.Moderate) || r.known[identity]:
		return ""
	case c.Knock || r.locked:
		if r.moderatedLocked() {
			return waitsForModerator
		}
		return waitsForHost
	case c.Guest && !c.WasIn() && len(r.sessions) == 0:
		return waitsForHost
	}
	return ""
}

// moderatedLocked reports whether somebody is here who may moderate.
func (r *room) moderatedLocked() bool {
	return slices.ContainsFunc(r.order, func(s *session) bool { return s.may(token.Moderate) })
}

// maxKnown bounds the identities that a room remembers to have let in. Whoever is forgotten is asked again at a locked door.
const maxKnown = 4096

// letInLocked remembers that an identity may come in, also when the room is locked: a moderator said so, or it was in.
func (r *room) letInLocked(identity string) {
	if r.known == nil || len(r.known) >= maxKnown {
		r.known = map[string]bool{}
	}
	r.known[identity] = true
}

// foundLocked makes the first in a room its moderator, where he came without a token: somebody has to be.
func (r *room) foundLocked(s *session) {
	if len(r.sessions) > 0 {
		return
	}
	r.founded = s.claims.Anonymous
	if r.founded && !s.may(token.Moderate) {
		s.promoted.Store(true)
	}
}

// succeedLocked makes the one who has been here the longest a moderator when the last has left, where people came without
// tokens. Somebody who can be reached goes before others.
func (r *room) succeedLocked() {
	if !r.founded || r.moderatedLocked() {
		return
	}
	var heir *session
	for _, s := range r.order {
		if s.claims.Anonymous && (heir == nil || heir.away && !s.away) {
			heir = s
		}
	}
	if heir == nil {
		return
	}
	heir.promoted.Store(true)
	r.appendLocked("permissions", eventlog.Only(heir.id), func(e event) any {
		return permissionsEvent{event: e, Can: heir.permissions(), Waiting: r.knockingLocked()}
	})
	r.updatedLocked(heir)
	r.srv.count.promoted.Add(1)
	select {
	case heir.refresh <- struct{}{}: // its token should say so, too
	default:
	}
}

// likeModeratorLocked is another participant who may moderate, and whose name looks the same as that of s.
func (r *room) likeModeratorLocked(s *session) string {
	for _, o := range r.order {
		if o != s && o.may(token.Moderate) && names.Alike(o.name, s.name) {
			return o.id
		}
	}
	return ""
}

// snapshotLocked is the room's state as the session may see it.
func (s *session) snapshotLocked(at eventlog.Position) Snapshot {
	snap := s.room.snapshotLocked(at)
	if s.may(token.Moderate) {
		snap.Waiting = s.room.knockingLocked()
	}
	return snap
}

// may reports whether the session's holder may do something now.
func (s *session) may(p token.Permission) bool {
	return s.can.has(p) || s.promoted.Load() && slices.Contains(promotion(), p)
}

// need is the error for a missing permission, or nil.
func (s *session) need(p token.Permission) error {
	if s.may(p) {
		return nil
	}
	return s.can.need(p)
}

// promotion is what a moderator by succession may do besides.
func promotion() []token.Permission { return []token.Permission{token.Moderate, token.Invite} }

// permissions are all that the session's holder may do now.
func (s *session) permissions() permissions {
	all := slices.Clone(s.can)
	for _, p := range promotion() {
		if s.may(p) && !all.has(p) {
			all = append(all, p)
		}
	}
	return all
}
