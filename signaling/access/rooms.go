package access

import (
	"net/http"
	"slices"
	"time"

	"github.com/parley/parley/signaling/access/guests"
	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

// invitation is one as applications' servers see it: as in docs/protocol.md.
type invitation struct {
	ID      string             `json:"id"`
	Invite  string             `json:"invite"`
	Room    string             `json:"room"`
	By      string             `json:"by"`
	ByName  string             `json:"by_name,omitempty"`
	Can     []token.Permission `json:"can"`
	Knock   bool               `json:"knock"`
	Label   string             `json:"label,omitempty"`
	MadeAt  time.Time          `json:"made_at"`
	Expires time.Time          `json:"expires_at"`
	Uses    int                `json:"uses"`
}

func toInvitation(i guests.Invitation) invitation {
	return invitation{i.ID, i.Text, i.Room, i.By, i.ByName, i.Can, i.Knock, i.Label, i.MadeAt, i.Expires, i.Uses}
}

// handle serves one method of a route for somebody with a token. What it returns is answered as JSON.
type handle func(w http.ResponseWriter, r *http.Request, room string, by token.Claims) (any, error)

// roomRoutes are what applications' servers ask, with a token that may.
func (s *Server) roomRoutes() http.Handler {
	mux := http.NewServeMux()
	for pattern, route := range map[string]struct {
		needs token.Permission
		do    handle
	}{
		"GET /v1/rooms/{room}/invitations":    {token.Invite, s.listInvitations},
		"POST /v1/rooms/{room}/invitations":   {token.Invite, s.makeInvitation},
		"DELETE /v1/rooms/{room}/invitations": {token.Invite, s.revokeInvitations},
		"GET /v1/rooms/{room}/bans":           {token.Moderate, s.listBans},
		"DELETE /v1/rooms/{room}/bans":        {token.Moderate, s.liftBans},
		"GET /v1/rooms/{room}/waiting":        {token.Moderate, s.listWaiting},
		"POST /v1/rooms/{room}/waiting":       {token.Moderate, s.decide},
	} {
		mux.HandleFunc(pattern, s.withToken(route.needs, route.do))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, errMethod) })
	return mux
}

// withToken checks the bearer token of a request.
func (s *Server) withToken(needs token.Permission, do handle) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.slow(w, r) {
			return
		}
		room := r.PathValue("room")
		if !names.Room(room) {
			s.fail(w, r, "", "rooms", errRoom)
			return
		}
		by, err := s.bearer(r, room)
		if err == nil && !by.May(needs) {
			err = errMayNot
		}
		var out any
		if err == nil {
			out, err = do(w, r, room, by)
		}
		if err != nil {
			s.fail(w, r, room, string(needs), err)
			return
		}
		answer(w, http.StatusOK, out)
	}
}

func (s *Server) bearer(r *http.Request, room string) (token.Claims, error) {
	compact, err := token.FromHeader(r.Header.Values("Authorization"))
	if err != nil || compact == "" {
		return token.Claims{}, errBadToken
	}
	c, err := s.cfg.Tokens.Verify(compact, room, s.now())
	switch {
	case err != nil:
		return token.Claims{}, errBadToken
	case c.Knock, s.cfg.Rooms.KeptOut(room, c): // the token is good still, and he would lift his own ban
		return token.Claims{}, errMayNot
	}
	return c, nil
}

func (s *Server) listInvitations(_ http.ResponseWriter, _ *http.Request, room string, by token.Claims) (any, error) {
	list := []invitation{}
	for _, i := range s.seen(room, by) {
		list = append(list, toInvitation(i))
	}
	return map[string]any{"invitations": list}, nil
}

// seen are the invitations that somebody may see: a moderator all of the room, others their own.
func (s *Server) seen(room string, by token.Claims) []guests.Invitation {
	if s.cfg.Guests == nil {
		return nil
	}
	list := s.cfg.Guests.List(room, s.now())
	if by.May(token.Moderate) {
		return list
	}
	return slices.DeleteFunc(list, func(i guests.Invitation) bool { return i.By != by.Identity })
}

func (s *Server) makeInvitation(w http.ResponseWriter, r *http.Request, room string, by token.Claims) (any, error) {
	var a struct {
		TTL   int                `json:"ttl"` // seconds
		Knock bool               `json:"knock"`
		Can   []token.Permission `json:"can"`
		Label string             `json:"label"`
	}
	if err := read(w, r, &a); err != nil {
		return nil, err
	}
	if s.cfg.Guests == nil {
		return nil, errInviteMax
	}
	if a.TTL < 0 || a.TTL > int(guests.MaxTTL/time.Second) || len(a.Label) > guests.MaxLabel {
		return nil, errBody
	}
	can, err := token.Grant(by.Permissions(), a.Can, s.cfg.Guests.Guests())
	if err != nil {
		return nil, err
	}
	wish := guests.Wish{
		Room: room, By: by.Identity, ByName: by.Name, Can: can, Knock: a.Knock, Label: a.Label, TTL: time.Duration(a.TTL) * time.Second,
	}
	if ends, grace := s.cfg.Tokens.Ends(by); !ends.IsZero() {
		wish.NotAfter = ends.Add(-grace)
	}
	i, err := s.cfg.Guests.Make(wish, s.now())
	if err != nil {
		return nil, err
	}
	if s.cfg.Rooms.KeptOut(room, by) { // since a moment ago: what he had made is withdrawn
		s.cfg.Guests.Revoke(room, i.ID, s.now())
		return nil, errMayNot
	}
	s.cfg.Audit.Moderated(who(r, room, by.Identity), "invite", i.ID)
	return toInvitation(i), nil
}

func (s *Server) revokeInvitations(_ http.ResponseWriter, r *http.Request, room string, by token.Claims) (any, error) {
	if s.cfg.Guests == nil {
		return nil, errNoInvite
	}
	id, now := r.URL.Query().Get("id"), s.now()
	list := s.seen(room, by)
	if id == "" && by.May(token.Moderate) {
		s.cfg.Guests.Revoke(room, "", now)
	} else {
		if id != "" {
			list = slices.DeleteFunc(list, func(i guests.Invitation) bool { return i.ID != id })
			if len(list) == 0 {
				return nil, errNoInvite
			}
		}
		for _, i := range list {
			s.cfg.Guests.Revoke(room, i.ID, now)
		}
	}
	s.cfg.Audit.Moderated(who(r, room, by.Identity), "revoke", id)
	return map[string]any{"revoked": len(list)}, nil
}

func (s *Server) listBans(_ http.ResponseWriter, _ *http.Request, room string, _ token.Claims) (any, error) {
	bans := s.cfg.Rooms.Bans(room)
	list := make([]map[string]any, len(bans))
	for i, b := range bans {
		list[i] = map[string]any{"identity": b.Identity, "name": b.Name, "at": b.At, "by": b.By}
		if b.Invitation != "" {
			list[i]["invitation"] = b.Invitation
		}
	}
	return map[string]any{"bans": list}, nil
}

func (s *Server) liftBans(_ http.ResponseWriter, r *http.Request, room string, by token.Claims) (any, error) {
	identity := r.URL.Query().Get("identity")
	if !s.cfg.Rooms.Unban(room, identity) && identity != "" {
		return nil, errNoBan
	}
	s.cfg.Audit.Moderated(who(r, room, by.Identity), "unban", identity)
	return map[string]any{}, nil
}

func (s *Server) listWaiting(_ http.ResponseWriter, _ *http.Request, room string, _ token.Claims) (any, error) {
	return map[string]any{"waiting": append([]Knock{}, s.cfg.Rooms.Waiting(room)...)}, nil
}

func (s *Server) decide(w http.ResponseWriter, r *http.Request, room string, by token.Claims) (any, error) {
	var a struct {
		Action string `json:"action"`
		Knock  string `json:"knock"`
	}
	if err := read(w, r, &a); err != nil {
		return nil, err
	}
	if a.Action != "admit" && a.Action != "decline" {
		return nil, errBody
	}
	if !s.cfg.Rooms.Decide(room, a.Knock, a.Action == "admit", by.Identity) && a.Knock != "" {
		return nil, errNoKnock
	}
	return map[string]any{}, nil
}
