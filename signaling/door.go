package signaling

import (
	"slices"

	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/token"
)

// moderatedLocked reports whether somebody is here who may moderate.
func (r *room) moderatedLocked() bool {
	return slices.ContainsFunc(r.order, func(s *session) bool { return s.may(token.Moderate) })
}

// life names the time from when the room was opened until it is forgotten. Who comes to moderate without a token does so in that alone: else he
// could go round the empty rooms and moderate whoever meets there later.
func (r *room) life() string { return r.events.Position().Epoch }

// appointed reports whether the claims are of somebody who came to moderate in this life of the room.
func (r *room) appointed(c token.Claims) bool { return c.Anonymous && c.Appointed == r.life() }

// foundLocked makes the first in a room its moderator, where he came without a token: somebody has to be. So is who was one.
func (r *room) foundLocked(s *session) {
	if r.appointed(s.claims) {
		s.promoted.Store(true)
	}
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
		return permissionsEvent{event: e, Can: heir.permissions(), Waiting: r.waitingLocked()}
	})
	r.events.Appoint(heir.id)
	heir.like = ""
	r.updatedLocked(heir)
	r.compareLocked()
	r.answerLocked()
	r.srv.count.promoted.Add(1)
	select {
	case heir.refresh <- struct{}{}: // its token should say so, too
	default:
	}
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
