package access

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rs/cors"

	"github.com/parley/parley/internal/audit"
	"github.com/parley/parley/internal/clientip"
	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/signaling/access/guests"
	"github.com/parley/parley/signaling/access/hosts"
	"github.com/parley/parley/signaling/token"
)

// Who may open a room.
const (
	Anyone = "anyone" // who has its name
	ByHost = "hosts"  // who signs in as a host
	ByApp  = "tokens" // who has a token of an application
)

// Config describes a Server. Tokens, Rooms and Log are required.
type Config struct {
	Open   string // Anyone, ByHost or ByApp
	Knock  bool   // who has no invitation may ask to be let in, where hosts open rooms
	Tokens *token.Verifier
	Rooms  Rooms
	Guests *guests.Book // nil: there are no invitations
	Hosts  *hosts.Hosts // nil: nobody signs in
	OIDC   Provider     // nil: none

	Ways      []string           // of signing in that a page offers: "passphrase", "oidc", "link"
	OIDCName  string             // to show
	Strangers []token.Permission // what somebody may do who is let in without an invitation
	NameChars int                // of a host's name, at most
	Secure    bool               // pages are reached by https, also where a proxy does that
	Insecure  bool
	LAN       bool
	Origins   []string // whose pages may exchange invitations, besides our own; * for all
	Log       *slog.Logger
	Audit     *audit.Trail // nil: to Log
}

// Rooms is what access needs of the rooms. Its methods may be called on any goroutine.
type Rooms interface {
	// KeptOut reports whether who holds these claims may not come in: he was removed, or his invitation lets nobody new in.
	KeptOut(room string, c token.Claims) bool
	Bans(room string) []guests.Ban
	Unban(room, identity string) bool
	Waiting(room string) []Knock
	// Decide admits or declines who knocks; an empty id means all. by is an identity.
	Decide(room, id string, admit bool, by string) bool
}

// Knock is somebody who waits to be let in.
type Knock struct {
	ID       string    `json:"id"`
	Identity string    `json:"identity"`
	Name     string    `json:"name"`
	Guest    bool      `json:"guest,omitempty"`
	Since    time.Time `json:"since"`
	Like     string    `json:"like,omitempty"`
	Away     bool      `json:"away,omitempty"`
}

// Provider signs people in somewhere else (OpenID Connect).
type Provider interface {
	// Start sends the browser there. back is a path of our own to come back to.
	Start(w http.ResponseWriter, r *http.Request, back string)
	// Callback reads what it came back with. code is empty, or why there is nobody: oidc_denied, oidc_failed or oidc_not_allowed.
	Callback(w http.ResponseWriter, r *http.Request) (identity, name, back, code string)
}

// Server answers the requests. It is an http.Handler for /v1/access and what is below it, and Rooms() for what is below
// /v1/rooms/{room}.
type Server struct {
	// Static after construction.
	cfg     Config
	own     *http.CrossOriginProtection // tells pages of our own origin
	handler http.Handler
	rooms   http.Handler
	rates   *rates
	now     func() time.Time // another clock in tests

	entered, knocked, invited, refused, limited atomic.Uint64
}

// Stats count what was asked for.
type Stats struct {
	Entered uint64 // hosts and others who were given a token
	Invited uint64 // guests who came by an invitation
	Knocked uint64 // strangers who were given a token to knock with
	Refused uint64
	Limited uint64 // requests over the rate of an address
}

// New makes a Server.
func New(cfg Config) (*Server, error) {
	if cfg.Tokens == nil || cfg.Rooms == nil || cfg.Log == nil {
		return nil, errors.New("access: Tokens, Rooms and Log are needed")
	}
	if !slices.Contains([]string{Anyone, ByHost, ByApp}, cfg.Open) {
		return nil, errors.New("access: rooms are open to " + cfg.Open)
	}
	if cfg.Audit == nil {
		cfg.Audit = audit.New(cfg.Log, true)
	}
	s := &Server{cfg: cfg, own: http.NewCrossOriginProtection(), rates: newRates(), now: time.Now}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/access", s.serveAccess)
	mux.HandleFunc("POST /v1/access/rooms/{room}", s.serveEnter)
	mux.HandleFunc("POST /v1/access/sign-in", s.serveSignIn)
	mux.HandleFunc("POST /v1/access/sign-out", s.serveSignOut)
	mux.HandleFunc("GET /v1/access/oidc", s.serveOIDC)
	mux.HandleFunc("GET /v1/access/oidc/callback", s.serveCallback)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, errNotFound) })
	s.handler = mux
	if len(cfg.Origins) > 0 { // an empty list would mean all origins to cors
		s.handler = cors.New(cors.Options{
			AllowedOrigins: cfg.Origins,
			AllowedMethods: []string{http.MethodGet, http.MethodPost},
			AllowedHeaders: []string{"Content-Type"},
			ExposedHeaders: []string{"Retry-After"},
			MaxAge:         3600,
		}).Handler(mux)
	}
	s.rooms = s.roomRoutes()
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Rooms answers applications' servers about a room's invitations, bans and door.
func (s *Server) Rooms() http.Handler { return s.rooms }

// Stats returns the counts.
func (s *Server) Stats() Stats {
	return Stats{
		Entered: s.entered.Load(), Invited: s.invited.Load(), Knocked: s.knocked.Load(), Refused: s.refused.Load(), Limited: s.limited.Load(),
	}
}

// serveAccess says what holds here.
func (s *Server) serveAccess(w http.ResponseWriter, r *http.Request) {
	ways := s.cfg.Ways
	if ways == nil {
		ways = []string{}
	}
	out := map[string]any{
		"open": s.cfg.Open, "knock": s.knocks(), "sign_in": ways, "insecure": s.cfg.Insecure, "lan": s.cfg.LAN,
	}
	if s.cfg.OIDC != nil && s.cfg.OIDCName != "" {
		out["oidc_name"] = s.cfg.OIDCName
	}
	if host, ok := s.host(r); ok {
		out["host"] = host
	}
	w.Header().Add("Vary", "Cookie")
	answer(w, http.StatusOK, out)
}

// knocks reports whether strangers may ask to be let in.
func (s *Server) knocks() bool { return s.cfg.Open == ByHost && s.cfg.Knock }

// bodyBytes bounds what a request says. A token may have 8 KiB.
const bodyBytes = 12 << 10

// read decodes the body of a request; none is an empty object. The error is a failure.
func read(w http.ResponseWriter, r *http.Request, into any) error {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytes))
	if err != nil {
		return errBody
	}
	if len(raw) == 0 {
		return nil
	}
	if raw[0] != '{' || json.Unmarshal(raw, into) != nil {
		return errBody
	}
	return nil
}

// fail answers with err, and counts it.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, room, what string, err error) {
	if r.Context().Err() != nil {
		return // nobody is left to tell
	}
	f := failureOf(err)
	s.refused.Add(1)
	if f.status == http.StatusUnauthorized || f.status == http.StatusForbidden || f.status == http.StatusTooManyRequests {
		s.cfg.Audit.Refused(audit.Who{Room: room, Address: clientip.Of(r)}, what, f.code, steady.Now())
	}
	if f == errInternal {
		s.cfg.Log.Error("access: a request failed", "request", what, "err", err)
	}
	refuse(w, f)
}

// slow reports whether an address asks too often, and has said so.
func (s *Server) slow(w http.ResponseWriter, r *http.Request) bool {
	wait := s.rates.take(clientip.Group(clientip.Of(r)), steady.Now())
	if wait == 0 {
		return false
	}
	s.limited.Add(1)
	refuse(w, tooMany("rate_limited", wait))
	return true
}
