package token

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley/parley/signaling/internal/names"
)

// What is wrong with a token. Verify's errors wrap one of these; what they say beyond that is fit to be shown to the
// token's owner.
var (
	ErrMissing = errors.New("an access token is needed")
	ErrExpired = errors.New("the access token has expired")
	ErrInvalid = errors.New("the access token is not valid")
	ErrRoom    = errors.New("the access token is for another room")
)

const (
	// DefaultLeeway is how far the clocks of issuer and server may differ.
	DefaultLeeway = 10 * time.Second

	// DefaultTTL is how long a renewed token is good for: a laptop's lid over lunch. Its holder is given the next at half of that.
	DefaultTTL = time.Hour

	// DefaultGrace is how long a session may go on after its token, where it may not go on for ever.
	DefaultGrace = time.Minute

	// MaxBytes is the longest token that is looked at. Ours have about 300 bytes; an HTTP header may hold 1 MiB.
	MaxBytes = 8 << 10
)

// Config says how tokens are checked.
type Config struct {
	Secrets [][]byte      // the HMAC keys, each good; none: a random one, Anyone, and a token that is not good counts as none
	Leeway  time.Duration // 0: DefaultLeeway
	Anyone  bool          // no token is needed
	Open    []Permission  // what those may do who show none; nil: everything
	TTL     time.Duration // of renewed tokens; 0: DefaultTTL
	Enforce bool          // nothing outlives the token that it began with: no renewed token, and a session by Grace
	Grace   time.Duration // 0: DefaultGrace

	ModeratorsInvite bool // moderate implies invite
}

// Validate reports what is wrong with the configuration.
func (c Config) Validate() error {
	if c.Leeway < 0 || c.Leeway > 5*time.Minute {
		return fmt.Errorf("token: leeway %v is not between 0 and 5 minutes", c.Leeway)
	}
	if c.TTL < 0 || c.Grace < 0 {
		return errors.New("token: a time below 0")
	}
	for _, s := range c.Secrets {
		if len(s) == 0 {
			return errors.New("token: an empty secret")
		}
	}
	for _, p := range c.Open {
		if !p.Valid() {
			return fmt.Errorf("token: no such permission: %q", p)
		}
	}
	return nil
}

// Verifier checks tokens. A nil *Verifier needs none and permits everything.
type Verifier struct {
	signing  []byte
	keys     jwt.VerificationKeySet
	leeway   time.Duration
	anyone   bool
	lenient  bool // a token that is not good counts as none
	open     []Permission
	ttl      time.Duration
	grace    time.Duration
	enforce  bool
	inviting bool
}

// New makes a Verifier; the error is that of Validate.
func New(cfg Config) (*Verifier, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	v := &Verifier{
		leeway: cmp.Or(cfg.Leeway, DefaultLeeway), open: cfg.Open,
		ttl: cmp.Or(cfg.TTL, DefaultTTL), grace: cmp.Or(cfg.Grace, DefaultGrace), enforce: cfg.Enforce,
		anyone: cfg.Anyone, inviting: cfg.ModeratorsInvite,
	}
	if len(cfg.Secrets) == 0 {
		v.anyone, v.lenient = true, true
		cfg.Secrets = [][]byte{[]byte(rand.Text())}
	}
	v.signing = bytes.Clone(cfg.Secrets[0])
	for _, s := range cfg.Secrets {
		v.keys.Keys = append(v.keys.Keys, bytes.Clone(s))
	}
	if v.open == nil {
		v.open = All()
	}
	v.open = v.implied(slices.Clone(v.open))
	return v, nil
}

// implied adds what moderate implies.
func (v *Verifier) implied(can []Permission) []Permission {
	if v.inviting && slices.Contains(can, Moderate) && !slices.Contains(can, Invite) {
		return append(can, Invite)
	}
	return can
}

// Open reports whether no token is needed.
func (v *Verifier) Open() bool { return v == nil || v.anyone }

// Lenient reports whether a token that is not good counts as none, which is so where there is no secret: whoever comes
// without one may also name himself.
func (v *Verifier) Lenient() bool { return v == nil || v.lenient }

// Verify checks the compact form of a token at the time now and returns what it says. room is the room that it is
// shown for, or empty where no room is meant (the list of rooms). Errors wrap ErrMissing, ErrExpired, ErrInvalid or
// ErrRoom. Where no token is needed, who shows none is Anonymous and may do what Config.Open says in every room.
func (v *Verifier) Verify(compact, room string, now time.Time) (Claims, error) {
	if v == nil {
		return Claims{Room: AnyRoom, Can: All(), Anonymous: true}, nil
	}
	anonymous := Claims{Room: AnyRoom, Can: v.open, Anonymous: true}
	if compact == "" && v.anyone {
		return anonymous, nil
	}
	c, err := v.verify(compact, room, now)
	if err != nil && v.lenient {
		return anonymous, nil
	}
	return c, err
}

func (v *Verifier) verify(compact, room string, now time.Time) (Claims, error) {
	if compact == "" {
		return Claims{}, ErrMissing
	}
	if len(compact) > MaxBytes {
		return Claims{}, fmt.Errorf("%w: longer than %d bytes", ErrInvalid, MaxBytes)
	}
	var p payload
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(v.leeway),
		jwt.WithTimeFunc(func() time.Time { return now }),
	)
	_, err := parser.ParseWithClaims(compact, &p, func(*jwt.Token) (any, error) { return v.keys, nil })
	if err != nil {
		return Claims{}, refusal(err)
	}
	if err := p.check(); err != nil {
		return Claims{}, err
	}
	c := p.claims()
	if c.Anonymous && !v.anyone {
		return Claims{}, fmt.Errorf("%w: it was given to somebody without a token, which is needed by now", ErrInvalid)
	}
	c.Can = v.implied(c.Can)
	if v.enforce && !c.Anonymous && !now.Before(c.Origin().Add(v.leeway)) {
		return Claims{}, ErrExpired
	}
	if room != "" && !c.For(room) {
		return Claims{}, ErrRoom
	}
	return c, nil
}

// refusal turns the library's error into one of ours, in words of ours: the library's may quote the token.
func refusal(err error) error {
	switch {
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		// Also where the algorithm is not HS256. First: of an unauthenticated token nothing else is worth saying.
		return fmt.Errorf("%w: wrong signature or algorithm", ErrInvalid)
	case errors.Is(err, jwt.ErrTokenExpired):
		return ErrExpired
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return fmt.Errorf("%w: not valid yet", ErrInvalid)
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return fmt.Errorf("%w: it has no exp", ErrInvalid)
	default:
		return fmt.Errorf("%w: malformed", ErrInvalid)
	}
}

// Sign makes the compact form of a token. Claims must name a room and expire; secret must not be empty.
func Sign(secret []byte, c Claims) (string, error) {
	if len(secret) == 0 {
		return "", errors.New("token: cannot sign without a secret")
	}
	p := payload{Room: c.Room, Name: c.Name, Can: c.Can, Metadata: c.Metadata}
	p.Subject = c.Identity
	if c.Fixed {
		p.Update = new(false)
	}
	if !c.Expires.IsZero() {
		p.ExpiresAt = jwt.NewNumericDate(c.Expires)
	}
	if !c.NotBefore.IsZero() {
		p.NotBefore = jwt.NewNumericDate(c.NotBefore)
	}
	if !c.First.IsZero() {
		p.First = jwt.NewNumericDate(c.First)
	}
	p.Knock, p.Guest, p.Invitation, p.Anonymous, p.Appointed = c.Knock, c.Guest, c.Invitation, c.Anonymous, c.Appointed
	if p.ExpiresAt == nil {
		return "", errors.New("token: claims without an expiry")
	}
	if err := p.check(); err != nil {
		return "", err
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, &p).SignedString(secret)
}

// payload is the JSON in the token.
type payload struct {
	jwt.RegisteredClaims
	Room     string          `json:"room"`
	Name     string          `json:"name,omitempty"`
	Can      []Permission    `json:"can"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Update   *bool           `json:"update,omitempty"`

	First *jwt.NumericDate `json:"first,omitempty"`

	Knock      bool   `json:"knock,omitempty"`
	Guest      bool   `json:"guest,omitempty"`
	Invitation string `json:"invitation,omitempty"`
	Anonymous  bool   `json:"anonymous,omitempty"`
	Appointed  string `json:"appointed,omitempty"`
}

func (p *payload) check() error {
	if p.Room != AnyRoom && !names.Room(p.Room) {
		return fmt.Errorf("%w: it names no room that there can be", ErrInvalid)
	}
	if m := bytes.TrimSpace(p.Metadata); len(m) > 0 && m[0] != '{' && string(m) != "null" {
		return fmt.Errorf("%w: its metadata is not a JSON object", ErrInvalid)
	}
	return nil
}

func (p *payload) claims() Claims {
	c := Claims{Room: p.Room, Identity: p.Subject, Name: p.Name, Can: p.Can, Expires: p.ExpiresAt.Time}
	if m := bytes.TrimSpace(p.Metadata); len(m) > 0 && m[0] == '{' {
		c.Metadata = json.RawMessage(m)
	}
	c.Fixed = p.Update != nil && !*p.Update
	if p.NotBefore != nil {
		c.NotBefore = p.NotBefore.Time
	}
	if p.First != nil {
		c.First = p.First.Time
	}
	c.Knock, c.Guest, c.Invitation, c.Anonymous, c.Appointed = p.Knock, p.Guest, p.Invitation, p.Anonymous, p.Appointed
	return c
}
