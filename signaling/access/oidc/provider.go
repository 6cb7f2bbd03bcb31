package oidc

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	upstream "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/signaling/internal/names"
)

// Code says why somebody was not signed in.
type Code string

// The codes.
const (
	OK         Code = ""
	Denied     Code = "oidc_denied"      // he, or the provider, said no
	Failed     Code = "oidc_failed"      // the provider is away, or what came back does not fit
	NotAllowed Code = "oidc_not_allowed" // he is signed in, and not on the list
)

const (
	timeout   = 10 * time.Second // for all that is asked about one person
	parallel  = 16
	maxAnswer = 1 << 20
	pause     = 5 * time.Second // between two looks for a provider that is away
	fresh     = time.Hour       // its endpoints are looked up again after that
	quiet     = time.Minute     // between two failures that are logged

	maxIdentity = 128 // bytes; limits.identity_bytes
	maxName     = 64  // characters
)

// Person is who signed in.
type Person struct {
	Identity string // a verified email address, else subject@issuer
	Name     string // may be empty
}

// Provider signs people in. It is safe for concurrent use.
type Provider struct {
	// Static after construction.
	cfg    Config
	client *http.Client
	places chan struct{}

	failed atomic.Uint64
	said   atomic.Pointer[time.Time] // when a failure was logged

	mu sync.Mutex

	// Guarded by mu.
	found *found
	again time.Time // no look for it before
	away  bool      // and it was said
}

// found is what the provider says of itself.
type found struct {
	provider *upstream.Provider
	verifier *upstream.IDTokenVerifier
	at       time.Time
}

// New makes it. Nothing is asked yet.
func New(cfg Config) (*Provider, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true // few ask, and a connection that is kept may be dead
	return &Provider{
		cfg: cfg, client: &http.Client{Transport: bounded{transport}, Timeout: timeout}, places: make(chan struct{}, parallel),
	}, nil
}

// bounded cuts answers.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// Failures counts sign-ins that ended with Failed.
func (p *Provider) Failures() uint64 { return p.failed.Load() }

// Start sends somebody to the provider; he will be led to returnTo. On Failed it has written nothing.
func (p *Provider) Start(w http.ResponseWriter, r *http.Request, returnTo string) Code {
	ctx, done, ok := p.enter(r.Context())
	if !ok {
		return p.fail("begin", errBusy)
	}
	defer done()
	f, err := p.discover(ctx)
	if err != nil {
		p.failed.Add(1)
		return Failed
	}
	base := p.cfg.Base(r)
	under := newFlow(returnTo, time.Now())
	p.remember(w, under, secure(base))
	to := p.oauth(f, base).AuthCodeURL(under.State, upstream.Nonce(under.Nonce), oauth2.S256ChallengeOption(under.Verifier))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusFound)
	return OK
}

// Callback takes somebody back from the provider, and says who he is and where he is to be led. It writes nothing but a cookie.
func (p *Provider) Callback(w http.ResponseWriter, r *http.Request) (who Person, returnTo string, code Code) {
	base := p.cfg.Base(r)
	f, ok := p.recall(w, r, secure(base), time.Now())
	query := r.URL.Query()
	if !ok || !hmac.Equal([]byte(f.State), []byte(query.Get("state"))) {
		return Person{}, "/", p.fail("come back", errors.New("no sign-in of this browser is under way"))
	}
	if why := query.Get("error"); why != "" {
		if why == "access_denied" || strings.HasSuffix(why, "_required") {
			return Person{}, f.Return, Denied
		}
		return Person{}, f.Return, p.fail("come back", fmt.Errorf("the provider says %q", shortened(why)))
	}
	ctx, done, ok := p.enter(r.Context())
	if !ok {
		return Person{}, f.Return, p.fail("come back", errBusy)
	}
	defer done()
	who, code = p.identify(ctx, f, base, query.Get("code"))
	return who, f.Return, code
}

// identify exchanges the code for what the provider knows.
func (p *Provider) identify(ctx context.Context, under flow, base, code string) (Person, Code) {
	f, err := p.discover(ctx)
	if err != nil {
		p.failed.Add(1)
		return Person{}, Failed
	}
	tokens, err := p.oauth(f, base).Exchange(ctx, code, oauth2.VerifierOption(under.Verifier))
	if err != nil {
		return Person{}, p.fail("exchange the code", withoutBody(err))
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, err := f.verifier.Verify(ctx, raw)
	if err != nil {
		return Person{}, p.fail("verify the ID token", err)
	}
	if !hmac.Equal([]byte(id.Nonce), []byte(under.Nonce)) {
		return Person{}, p.fail("verify the ID token", errors.New("it is of another sign-in"))
	}
	said, err := p.claims(ctx, f, id, tokens)
	if err != nil {
		return Person{}, p.fail("ask about the user", err)
	}
	email := ""
	if said.verified() {
		email = strings.ToLower(said.Email)
	}
	if !p.cfg.allowed(email) {
		return Person{}, NotAllowed
	}
	return Person{identity(email, id.Subject, p.cfg.Issuer), said.name()}, OK
}

// enter takes one of the places, and bounds the time.
func (p *Provider) enter(ctx context.Context) (context.Context, func(), bool) {
	select {
	case p.places <- struct{}{}:
	default:
		return nil, nil, false
	}
	ctx, cancel := context.WithTimeout(upstream.ClientContext(ctx, p.client), timeout)
	return ctx, func() { cancel(); <-p.places }, true
}

// discover asks the provider where its endpoints are. What it once said counts when it is away later.
func (p *Provider) discover(ctx context.Context) (*found, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := steady.Now()
	if p.found != nil && now.Sub(p.found.at) < fresh || now.Before(p.again) {
		if p.found == nil {
			return nil, errAway
		}
		return p.found, nil
	}
	// Whoever gave up must not end it for those who wait here.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	provider, err := upstream.NewProvider(ctx, p.cfg.Issuer)
	if err != nil {
		p.again = steady.Now().Add(pause)
		if !p.away {
			p.away = true
			p.cfg.Log.Warn("hosts cannot sign in: the OpenID Connect provider does not answer as it should", "issuer", p.cfg.Issuer,
				"err", withoutBody(err))
		}
		if p.found == nil {
			return nil, errAway
		}
		return p.found, nil
	}
	if p.away {
		p.away = false
		p.cfg.Log.Info("the OpenID Connect provider answers", "issuer", p.cfg.Issuer)
	}
	p.found = &found{provider, provider.Verifier(&upstream.Config{ClientID: p.cfg.ClientID}), now}
	return p.found, nil
}

var (
	errAway = errors.New("the provider is away")
	errBusy = errors.New("too many sign in at once")
)

// fail counts, and tells the operator what nobody else can mend: at times, as anybody can make it happen.
func (p *Provider) fail(to string, err error) Code {
	p.failed.Add(1)
	now, last := steady.Now(), p.said.Load()
	say := (last == nil || now.Sub(*last) >= quiet) && p.said.CompareAndSwap(last, &now)
	if say {
		p.cfg.Log.Warn("a host could not sign in by OpenID Connect", "step", to, "err", err)
	}
	return Failed
}

func (p *Provider) oauth(f *found, base string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, Endpoint: f.provider.Endpoint(), RedirectURL: base + CallbackPath,
		Scopes: []string{upstream.ScopeOpenID, "email", "profile"},
	}
}

// claims are what a provider says of somebody, in the ID token or when asked.
type claims struct {
	Email    string `json:"email"`
	Verified any    `json:"email_verified"` // true, and from some "true"
	Name     string `json:"name"`
	Nick     string `json:"preferred_username"`
}

func (c claims) verified() bool { return c.Email != "" && (c.Verified == true || c.Verified == "true") }

// name is what to show, or nothing.
func (c claims) name() string {
	for _, n := range []string{c.Name, c.Nick} {
		if clean, err := names.Display(n); err == nil {
			if runes := []rune(clean); len(runes) > maxName {
				clean = strings.TrimSpace(string(runes[:maxName]))
			}
			return clean
		}
	}
	return ""
}

// claims reads the ID token, and asks for what it leaves out.
func (p *Provider) claims(ctx context.Context, f *found, id *upstream.IDToken, tokens *oauth2.Token) (claims, error) {
	var c claims
	if err := id.Claims(&c); err != nil {
		return c, err
	}
	if c.Email != "" && c.Name != "" || f.provider.UserInfoEndpoint() == "" {
		return c, nil
	}
	info, err := f.provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return c, withoutBody(err)
	}
	if info.Subject != id.Subject {
		return c, errors.New("it speaks of somebody else")
	}
	var more claims
	if err := info.Claims(&more); err != nil {
		return c, err
	}
	if c.Email == "" {
		c.Email, c.Verified = more.Email, more.Verified
	}
	if c.Name == "" {
		c.Name, c.Nick = more.Name, more.Nick
	}
	return c, nil
}

// identity is who somebody is to a room.
func identity(email, subject, issuer string) string {
	who := email
	if who == "" {
		who = subject
		if u, err := url.Parse(issuer); err == nil {
			who += "@" + u.Hostname()
		}
	}
	if len(who) > maxIdentity {
		sum := sha256.Sum256([]byte(who))
		return "oidc-" + hex.EncodeToString(sum[:16])
	}
	return who
}

// withoutBody is an error without what the provider wrote, which may repeat what it was sent.
func withoutBody(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return fmt.Errorf("the provider refuses: %s", shortened(refused.ErrorCode))
	}
	return errors.New(shortened(err.Error()))
}

// shortened is text of others for a log line.
func shortened(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}

func secure(base string) bool { return strings.HasPrefix(base, "https://") }
