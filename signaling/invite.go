package signaling

import (
	"errors"
	"slices"
	"time"

	"github.com/parley/parley/signaling/token"
)

// ErrTooManyInvitations is what Invitations.Make returns when a room, or the server, has as many as it may.
var ErrTooManyInvitations = errors.New("signaling: too many invitations")

// ErrMayNotInvite is what Invitations.Make returns when the inviter's own time is over.
var ErrMayNotInvite = errors.New("signaling: who invites may not do so any more")

// Invitations makes and knows the links that let guests into rooms.
type Invitations interface {
	// Make makes one. The error is ErrTooManyInvitations or ErrMayNotInvite.
	Make(wish Invitation, ttl time.Duration, now time.Time) (Invitation, error)
	// List returns those of a room that are good.
	List(room string, now time.Time) []Invitation
	// Revoke ends one, or all of the room where id is empty, and reports whether there was one.
	Revoke(room, id string, now time.Time) bool
	// Revoked reports whether one was: who was given a token for it, and was not in yet, may not come in any more.
	Revoked(room, id string) bool
	// Guests is what a guest may do where nobody says.
	Guests() []token.Permission
}

// Invitation is a link that lets guests into one room.
type Invitation struct {
	ID       string      `json:"id"`
	Invite   string      `json:"invite"` // what the link carries behind #invite=
	Room     string      `json:"room"`
	By       string      `json:"by"` // identity of who made it
	ByName   string      `json:"by_name,omitempty"`
	Can      permissions `json:"can"`
	Knock    bool        `json:"knock"`
	Label    string      `json:"label,omitempty"`
	MadeAt   time.Time   `json:"made_at"`
	Expires  time.Time   `json:"expires_at"`
	NotAfter time.Time   `json:"-"` // the inviter's own end; zero: none
	Uses     int         `json:"uses"`
}

// noInvitations makes none.
type noInvitations struct{}

func (noInvitations) Make(Invitation, time.Duration, time.Time) (Invitation, error) {
	return Invitation{}, ErrTooManyInvitations
}
func (noInvitations) List(string, time.Time) []Invitation   { return nil }
func (noInvitations) Revoke(string, string, time.Time) bool { return false }
func (noInvitations) Revoked(string, string) bool           { return false }
func (noInvitations) Guests() []token.Permission            { return nil }

// maxLabel is the longest label of an invitation, in bytes.
const maxLabel = 128

// invite makes a link that lets guests in. They may never do more than who invites.
func (s *session) invite(id uint64, msg []byte) (any, error) {
	var m inviteRequest
	if err := parse(msg, &m); err != nil {
		return nil, err
	}
	if err := s.need(token.Invite); err != nil {
		return nil, err
	}
	srv := s.room.srv
	can, err := token.Grant(s.permissions(), m.Can, srv.cfg.Invitations.Guests())
	switch {
	case errors.Is(err, token.ErrUnknown):
		return nil, refuse(codeBadMessage, "can: %v", err)
	case err != nil:
		return nil, refuse(codeForbidden, "%v", err)
	}
	s.room.mu.Lock()
	name := s.name
	s.room.mu.Unlock()
	wish := Invitation{
		Room: s.room.name, By: s.identity, ByName: name, Can: can, Knock: m.Knock, Label: m.Label, NotAfter: s.lastDay(),
	}
	made, err := srv.cfg.Invitations.Make(wish, time.Duration(m.TTL)*time.Second, time.Now())
	if errors.Is(err, ErrMayNotInvite) {
		return nil, refuse(codeForbidden, "your token has ended: so would the link")
	}
	if errors.Is(err, ErrTooManyInvitations) {
		return nil, refuse(codeTooManyInvitations, "there are as many links as there may be: revoke some")
	}
	if err != nil {
		return nil, err
	}
	s.room.mu.Lock()
	ended := s.ended
	s.room.mu.Unlock()
	if ended { // by a removal, perhaps, which withdraws what there is by then
		srv.cfg.Invitations.Revoke(s.room.name, made.ID, time.Now())
		return nil, errEnded()
	}
	srv.count.invited.Add(1)
	srv.cfg.Audit.Moderated(s.who(), "invite", made.ID)
	return invitedReply{Type: "invited", ID: id, Invitation: made}, nil
}

// lastDay is when the token ends that the session began with, where nothing outlives it.
func (s *session) lastDay() time.Time {
	at, grace := s.room.srv.cfg.Tokens.Ends(s.claims)
	if at.IsZero() {
		return at
	}
	return at.Add(-grace)
}

// invitations lists the room's links to a moderator, and to others their own.
func (s *session) invitations(id uint64) (any, error) {
	if err := s.need(token.Invite); err != nil {
		return nil, err
	}
	return invitationsReply{Type: "invitations", ID: id, Invitations: append([]Invitation{}, s.ownInvitations()...)}, nil
}

func (s *session) ownInvitations() []Invitation {
	list := s.room.srv.cfg.Invitations.List(s.room.name, time.Now())
	if s.may(token.Moderate) {
		return list
	}
	return slices.DeleteFunc(list, func(i Invitation) bool { return i.By != s.identity })
}

// revoke ends one of the links that the session sees, or all of them.
func (s *session) revoke(id uint64, msg []byte) (any, error) {
	var m revokeRequest
	if err := decode(msg, &m); err != nil {
		return nil, err
	}
	if err := s.need(token.Invite); err != nil {
		return nil, err
	}
	invitations, now := s.room.srv.cfg.Invitations, time.Now()
	if m.Invitation == "" && s.may(token.Moderate) {
		invitations.Revoke(s.room.name, "", now)
		s.room.srv.cfg.Audit.Moderated(s.who(), "revoke", "")
		return okay(id), nil
	}
	own := s.ownInvitations()
	if m.Invitation != "" {
		own = slices.DeleteFunc(own, func(i Invitation) bool { return i.ID != m.Invitation })
		if len(own) == 0 {
			return nil, refuse(codeNoInvitation, "there is no such link, or it has ended")
		}
	}
	for _, i := range own {
		invitations.Revoke(s.room.name, i.ID, now)
		s.room.srv.cfg.Audit.Moderated(s.who(), "revoke", i.ID)
	}
	return okay(id), nil
}

// withdraw ends the links that somebody made who is kept out: he would come back by them under another name.
func (s *session) withdraw(identity string) {
	invitations, room, now := s.room.srv.cfg.Invitations, s.room.name, time.Now()
	for _, i := range invitations.List(room, now) {
		if i.By == identity && invitations.Revoke(room, i.ID, now) {
			s.room.srv.cfg.Audit.Moderated(s.who(), "revoke", i.ID)
		}
	}
}

// listBans tells a moderator who is kept out.
func (s *session) listBans(id uint64) (any, error) {
	if err := s.need(token.Moderate); err != nil {
		return nil, err
	}
	bans := s.room.srv.Bans(s.room.name)
	for i := range bans {
		bans[i].Present, bans[i].Ends, bans[i].Ended = nil, time.Time{}, false // how we keep them is nobody's concern
	}
	return bansReply{Type: "bans", ID: id, Bans: append([]Ban{}, bans...)}, nil
}
