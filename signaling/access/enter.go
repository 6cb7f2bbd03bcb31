package access

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/parley/parley/internal/audit"
	"github.com/parley/parley/internal/clientip"
	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

// entry is what somebody comes into a room with.
type entry struct {
	Token    string             `json:"token,omitempty"`
	TokenTTL int                `json:"token_ttl,omitempty"` // seconds
	Identity string             `json:"identity,omitempty"`
	Name     string             `json:"name,omitempty"`
	Can      []token.Permission `json:"can"`
	Knock    bool               `json:"knock"`
	Guest    bool               `json:"guest"`
	Host     bool               `json:"host"`
}

// asked is the body of a request to enter.
type asked struct {
	Invite string `json:"invite"`
	Token  string `json:"token"`
}

// serveEnter exchanges what somebody has for a token that lets him into a room.
func (s *Server) serveEnter(w http.ResponseWriter, r *http.Request) {
	if s.slow(w, r) {
		return
	}
	room := r.PathValue("room")
	if !names.Room(room) {
		s.fail(w, r, "", "enter", errRoom)
		return
	}
	var a asked
	if err := read(w, r, &a); err != nil {
		s.fail(w, r, room, "enter", err)
		return
	}
	e, err := s.enter(r, room, a, s.now())
	if err != nil {
		s.fail(w, r, room, "enter", err)
		return
	}
	answer(w, http.StatusOK, e)
}

// enter finds the best that somebody has: an invitation, a token that is good, a host's session; or what is left to a stranger.
func (s *Server) enter(r *http.Request, room string, a asked, now time.Time) (entry, error) {
	held, good := s.held(a.Token, room, now)
	if a.Invite != "" {
		e, err := s.byInvitation(room, a, held, good, now)
		if err == nil || s.cfg.Open != Anyone { // where anyone may come in, a link that has ended shuts nobody out
			return e, err
		}
	}
	host, end, signedIn := s.signedIn(r)
	if good && (!signedIn || held.WasIn() && held.Identity == host.Identity) {
		s.entered.Add(1)
		return entryOf(token.Renewed{Compact: a.Token, TTL: held.Expires.Sub(now)}, held), nil
	}
	if signedIn {
		s.entered.Add(1)
		c := token.Claims{Can: hostMay(), Name: host.Name, Identity: host.Identity}
		e := entryOf(s.cfg.Tokens.Issue(c, room, host.Identity, now, earlier(end, now.Add(longestCall))), c)
		e.Host = true
		return e, nil
	}
	switch {
	case s.cfg.Open == Anyone:
		c, err := s.cfg.Tokens.Verify("", room, now)
		if err != nil {
			return entry{}, err
		}
		return entry{Can: c.Permissions()}, nil
	case s.knocks():
		s.knocked.Add(1)
		c := token.Claims{Can: s.cfg.Strangers, Knock: true, Guest: true, Identity: newGuest()}
		return entryOf(s.cfg.Tokens.Issue(c, room, c.Identity, now, now.Add(longestCall)), c), nil
	case s.cfg.Open == ByApp:
		return entry{}, errToken
	default:
		return entry{}, errSignIn
	}
}

// longestCall is how long a host's token is good where nothing outlives a token: as long as the longest call, and no longer than his sign-in.
const longestCall = 24 * time.Hour

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// held reads the token that somebody has already; good: it lets him into the room.
func (s *Server) held(compact, room string, now time.Time) (c token.Claims, good bool) {
	if compact == "" {
		return c, false
	}
	c, err := s.cfg.Tokens.Verify(compact, room, now)
	return c, err == nil && c.May(token.Join) && c.Identity != "" && !c.Expires.IsZero() && c.Expires.Sub(now) > time.Minute
}

// byInvitation lets a guest in. Who has a token already that he was given for this invitation is who he was.
func (s *Server) byInvitation(room string, a asked, held token.Claims, good bool, now time.Time) (entry, error) {
	if s.cfg.Guests == nil {
		return entry{}, errInvalid
	}
	i, err := s.cfg.Guests.Check(a.Invite, room, now)
	same := good && held.Invitation == i.ID && i.ID != ""
	if same && held.WasIn() {
		s.entered.Add(1)
		return entryOf(token.Renewed{Compact: a.Token, TTL: held.Expires.Sub(now)}, held), nil
	}
	if err != nil {
		return entry{}, err
	}
	if !same && s.cfg.Rooms.KeptOut(room, token.Claims{Invitation: i.ID}) {
		return entry{}, errClosed
	}
	c := token.Claims{Can: i.Can, Knock: i.Knock, Guest: true, Invitation: i.ID, Identity: held.Identity}
	if !same {
		c.Identity = newGuest()
		s.cfg.Guests.Used(room, i.ID)
		s.invited.Add(1)
	}
	return entryOf(s.cfg.Tokens.Issue(c, room, c.Identity, now, i.Expires), c), nil
}

// hostMay is what a host may do in every room.
func hostMay() []token.Permission {
	return []token.Permission{token.Publish, token.Subscribe, token.Message, token.Moderate, token.Invite, token.Watch}
}

// newGuest is an identity that nobody had.
func newGuest() string { return "guest-" + strings.ToLower(rand.Text()[:12]) }

func entryOf(t token.Renewed, c token.Claims) entry {
	return entry{
		Token: t.Compact, TokenTTL: int(t.TTL / time.Second), Identity: c.Identity, Name: c.Name, Can: c.Permissions(), Knock: c.Knock, Guest: c.Guest,
	}
}

// who is the sender of a request, for the audit log.
func who(r *http.Request, room, identity string) audit.Who {
	return audit.Who{Room: room, Identity: identity, Address: clientip.Of(r)}
}
