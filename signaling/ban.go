package signaling

import (
	"slices"
	"time"

	"github.com/parley/parley/signaling/token"
)

// Ban keeps somebody out of a room whom a moderator removed.
type Ban struct {
	Identity   string    `json:"identity"`
	Name       string    `json:"name"`
	At         time.Time `json:"at"`
	By         string    `json:"by"`                   // the moderator's identity
	Invitation string    `json:"invitation,omitempty"` // that he came by: it lets nobody new in

	// Present are the identities that were in by the same invitation, and may come back.
	Present []string `json:"present,omitempty"`

	// A ban outlives its room for as long as he may have a token of it.
	Ends  time.Time `json:"ends,omitzero"`
	Ended bool      `json:"ended,omitempty"` // the room has
}

// over reports whether a ban is one of a room that has ended, and keeps nobody out any more.
func (b *Ban) over(now time.Time) bool { return b.Ended && !now.Before(b.Ends) }

// BanStore keeps bans beyond a restart. Its methods do not wait for a disk.
type BanStore interface {
	Load(room string) []Ban
	Store(room string, bans []Ban) // none: the room has ended
}

// noBans keeps none.
type noBans struct{}

func (noBans) Load(string) []Ban   { return nil }
func (noBans) Store(string, []Ban) {}

// barsLocked is why who holds these claims may not come in because somebody was removed, or his link was withdrawn; nil: he may.
func (r *room) barsLocked(c token.Claims, identity string) *requestError {
	if err := barred(r.bans, c, identity, time.Now()); err != nil {
		return err
	}
	if !r.porch.letIn[identity] && r.srv.withdrawn(r.name, c) {
		return refuse(codeInvitationRevoked, "the link that you came by was withdrawn")
	}
	return nil
}

// barred is why who holds these claims may not come in where these bans hold; nil: he may.
func barred(bans []Ban, c token.Claims, identity string, now time.Time) *requestError {
	for i := range bans {
		b := &bans[i]
		switch {
		case b.over(now):
		case b.Identity == identity:
			return refuse(codeBanned, "a moderator has removed you from this room")
		case b.bars(c.Invitation) && !c.WasIn() && !slices.Contains(b.Present, identity):
			return refuse(codeInvitationClosed, "a moderator has removed somebody who came by this link: it lets nobody new in")
		}
	}
	return nil
}

// withdrawn reports whether somebody who was not in yet holds a token for an invitation that was revoked since.
func (s *Server) withdrawn(room string, c token.Claims) bool {
	return c.Invitation != "" && !c.WasIn() && s.cfg.Invitations.Revoked(room, c.Invitation)
}

// bars reports whether nobody new comes in by an invitation.
func (b *Ban) bars(invitation string) bool { return invitation != "" && b.Invitation == invitation }

// banLocked keeps the identity of other out, and newcomers by his invitation. The error is a too_many_bans.
func (r *room) banLocked(other, by *session) error {
	b := Ban{
		Identity: other.identity, Name: other.name, At: time.Now().UTC().Truncate(time.Second), By: by.identity,
		Invitation: other.claims.Invitation, Ends: r.srv.cfg.Tokens.Last(other.claims, time.Now()),
	}
	if b.Invitation != "" {
		for _, o := range r.order {
			if o.claims.Invitation == b.Invitation && o.identity != b.Identity && len(b.Present) < r.srv.cfg.Limits.Participants {
				b.Present = append(b.Present, o.identity)
			}
		}
	}
	rest := slices.DeleteFunc(slices.Clone(r.bans), func(o Ban) bool { return o.Identity == b.Identity })
	if limit := r.srv.cfg.Limits.Bans; len(rest) >= limit {
		return refuse(codeTooManyBans, "the room keeps %d identities out already: lock it, or remove without a ban", limit)
	}
	r.bans = append(rest, b)
	r.srv.cfg.Bans.Store(r.name, r.bans)
	return nil
}

// unban lets an identity back in, or all where it is empty, and reports how many that were.
func (r *room) unban(identity string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := len(r.bans)
	r.bans = slices.DeleteFunc(slices.Clone(r.bans), func(b Ban) bool { return identity == "" || b.Identity == identity })
	if len(r.bans) < before {
		r.srv.cfg.Bans.Store(r.name, r.bans)
	}
	return before - len(r.bans)
}

// Bans lists who is kept out of a room.
func (s *Server) Bans(room string) []Ban {
	r := s.lookup(room)
	if r == nil {
		return s.loadBans(room)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bansLocked(time.Now())
}

// loadBans reads the bans of a room that nobody has opened.
func (s *Server) loadBans(room string) []Ban {
	now := time.Now()
	return slices.DeleteFunc(s.cfg.Bans.Load(room), func(b Ban) bool { return b.over(now) })
}

// bansLocked are the bans that hold.
func (r *room) bansLocked(now time.Time) []Ban {
	return slices.DeleteFunc(slices.Clone(r.bans), func(b Ban) bool { return b.over(now) })
}

// endBans keeps what must outlive a room that is forgotten.
func (r *room) endBans(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var kept []Ban
	for _, b := range r.bans {
		if b.Ended = true; !b.over(now) {
			kept = append(kept, b)
		}
	}
	r.srv.cfg.Bans.Store(r.name, kept)
}

// Unban lets an identity back into a room, or all where it is empty, and reports whether somebody was kept out.
func (s *Server) Unban(room, identity string) bool {
	s.mu.Lock()
	r := s.rooms[room]
	if r != nil {
		s.mu.Unlock()
		return r.unban(identity) > 0
	}
	defer s.mu.Unlock() // nobody opens the room meanwhile
	kept := s.loadBans(room)
	rest := slices.DeleteFunc(slices.Clone(kept), func(b Ban) bool { return identity == "" || b.Identity == identity })
	if len(rest) == len(kept) {
		return false
	}
	s.cfg.Bans.Store(room, rest)
	return true
}

// KeptOut reports whether who holds these claims may not come into a room: he was removed, or came by an invitation that lets
// nobody new in. It is asked by those who show a token elsewhere.
func (s *Server) KeptOut(room string, c token.Claims) bool {
	if c.Identity == "" && c.Invitation == "" {
		return false
	}
	if r := s.lookup(room); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.barsLocked(c, c.Identity) != nil
	}
	return barred(s.cfg.Bans.Load(room), c, c.Identity, time.Now()) != nil || s.withdrawn(room, c)
}
