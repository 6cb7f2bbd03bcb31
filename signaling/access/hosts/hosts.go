package hosts

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"sync"
	"time"
)

var (
	// ErrWrong is what SignIn returns for a wrong passphrase.
	ErrWrong = errors.New("that is not the passphrase")

	// ErrKey is what Redeem returns for a key that is not good: made up, used, too old, or of an earlier start.
	ErrKey = errors.New("this sign-in link was used already, has expired, or is of an earlier start of the server")

	// ErrOff is what SignIn returns where there is no passphrase.
	ErrOff = errors.New("nobody signs in by a passphrase here")
)

const (
	// DefaultSession is how long a host stays signed in.
	DefaultSession = 30 * 24 * time.Hour

	linkTTL   = 24 * time.Hour
	queue     = 8 // passphrases that wait to be hashed
	identity  = "host-"
	idLetters = 12 // 60 bits
)

// Config says how hosts sign in.
type Config struct {
	Key        []byte        // signs sessions; at least 32 bytes, and no key of tokens
	Passphrase string        // its hash; empty: nobody signs in by one
	Link       bool          // a link may be printed
	OIDC       string        // names the provider and whom it lets in, in any form; empty: there is none
	Session    time.Duration // 0: DefaultSession
}

// Host is somebody who may open rooms.
type Host struct {
	Identity string `json:"identity"`
	Name     string `json:"name"`
}

// Hosts signs hosts in. Its methods are safe for concurrent use.
type Hosts struct {
	// Static after construction.
	cfg     Config
	hash    hashed
	hashing chan struct{} // holds one while a passphrase is hashed
	waiting chan struct{} // holds those who wait for that

	mu sync.Mutex

	// Guarded by mu.
	tries tries
	link  [sha256.Size]byte // of the key that is still good
	until time.Time         // zero: there is no such key
	stats Stats
}

// Stats count what was done.
type Stats struct {
	SignedIn map[string]uint64 // by way: "passphrase", "link", "oidc"
	Wrong    uint64            // passphrases and keys
	Slowed   uint64            // tries that were not looked at
}

// New makes it. The error is that of a hash or a key that is none.
func New(cfg Config) (*Hosts, error) {
	if len(cfg.Key) < 32 {
		return nil, errors.New("hosts: the key is shorter than 32 bytes")
	}
	h := &Hosts{
		cfg: cfg, hashing: make(chan struct{}, 1), waiting: make(chan struct{}, queue), tries: newTries(),
		stats: Stats{SignedIn: map[string]uint64{byPassphrase: 0, byLink: 0, byOIDC: 0}},
	}
	h.cfg.Session = cmp.Or(cfg.Session, DefaultSession)
	if cfg.Passphrase != "" {
		var err error
		if h.hash, err = parse(cfg.Passphrase); err != nil {
			return nil, fmt.Errorf("hosts: %w", err)
		}
	}
	return h, nil
}

// SignIn lets somebody in who knows the passphrase, and returns his session. The error is ErrWrong, ErrOff, *TooMany, or ctx's.
func (h *Hosts) SignIn(ctx context.Context, passphrase, name string, from netip.Prefix, now time.Time) (Host, string, error) {
	if h.cfg.Passphrase == "" {
		return Host{}, "", ErrOff
	}
	if err := h.mayTry(from, now); err != nil {
		return Host{}, "", err
	}
	fits, err := h.check(ctx, passphrase, from, now)
	if err != nil {
		return Host{}, "", err
	}
	return h.judge(fits, ErrWrong, byPassphrase, name, from, now)
}

// check hashes a passphrase when it is its turn.
func (h *Hosts) check(ctx context.Context, passphrase string, from netip.Prefix, now time.Time) (fits bool, err error) {
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		h.slowed()
		return false, &TooMany{Wait: time.Second}
	}
	select {
	case h.hashing <- struct{}{}:
		defer func() { <-h.hashing }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if err := h.mayTry(from, now); err != nil { // others of that address were wrong meanwhile
		return false, err
	}
	return len(passphrase) <= MaxPassphrase && h.hash.fits(passphrase), nil
}

// NewLink makes the key of a sign-in link, good for a day and once. The one before ends.
func (h *Hosts) NewLink(now time.Time) (key string) {
	key = strings.ToLower(rand.Text())
	h.mu.Lock()
	defer h.mu.Unlock()
	h.link, h.until = sha256.Sum256([]byte(key)), now.Add(linkTTL)
	return key
}

// Redeem lets somebody in who has the key of the link, and returns his session. The error is ErrKey or *TooMany.
func (h *Hosts) Redeem(key, name string, from netip.Prefix, now time.Time) (Host, string, error) {
	if err := h.mayTry(from, now); err != nil {
		return Host{}, "", err
	}
	sum := sha256.Sum256([]byte(key))
	h.mu.Lock()
	good := h.cfg.Link && now.Before(h.until) && subtle.ConstantTimeCompare(sum[:], h.link[:]) == 1
	if good {
		h.until = time.Time{}
	}
	h.mu.Unlock()
	return h.judge(good, ErrKey, byLink, name, from, now)
}

// Vouch returns the session of somebody whom the provider has vouched for.
func (h *Hosts) Vouch(identity, name string, now time.Time) string {
	h.mu.Lock()
	h.stats.SignedIn[byOIDC]++
	h.mu.Unlock()
	return h.session(Host{Identity: identity, Name: name}, byOIDC, now)
}

func (h *Hosts) mayTry(from netip.Prefix, now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if wait := h.tries.wait(from, now); wait > 0 {
		h.stats.Slowed++
		return &TooMany{Wait: wait}
	}
	return nil
}

func (h *Hosts) slowed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Slowed++
}

// judge counts a try, and makes the session of one that was right.
func (h *Hosts) judge(good bool, wrong error, how, name string, from netip.Prefix, now time.Time) (Host, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !good {
		h.tries.failed(from, now)
		h.stats.Wrong++
		return Host{}, "", wrong
	}
	h.tries.passed(from)
	h.stats.SignedIn[how]++
	who := Host{Identity: identity + strings.ToLower(rand.Text()[:idLetters]), Name: name}
	return who, h.session(who, how, now), nil
}

// Stats returns the counts.
func (h *Hosts) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.stats
	s.SignedIn = maps.Clone(h.stats.SignedIn)
	return s
}

// fingerprint names what a way of signing in is made of now, so that its sessions end when that changes.
func (h *Hosts) fingerprint(how string) (print string, on bool) {
	var of string
	switch how {
	case byPassphrase:
		of, on = h.cfg.Passphrase, h.cfg.Passphrase != ""
	case byLink:
		of, on = "link", h.cfg.Link
	case byOIDC:
		of, on = h.cfg.OIDC, h.cfg.OIDC != ""
	}
	sum := sha256.Sum256([]byte(how + " " + of))
	return hex.EncodeToString(sum[:8]), on
}
