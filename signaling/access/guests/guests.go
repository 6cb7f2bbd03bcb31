package guests

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley/parley/signaling/token"
)

// ErrOver is what Make returns where the one who invites may not do so any more: Wish.NotAfter is over.
var ErrOver = errors.New("guests: who invites may not do so any more")

// ErrTooMany is what Make returns where there are as many invitations as there may be.
var ErrTooMany = errors.New("guests: too many invitations")

// Bounds in all, whatever the configuration says: what is kept has to fit into one file.
const (
	maxInvitations   = 10_000
	maxRevoked       = 50_000
	revokedPerRoom   = 10 // times Config.PerRoom
	MaxTTL           = 366 * 24 * time.Hour
	invitationsFile  = "invitations.json"
	bansFile         = "bans.json"
	MaxLabel, maxWho = 128, 256 // bytes of what others say
)

// Files keeps what outlives the process. Its methods are called by one goroutine at a time.
type Files interface {
	Read(name string) ([]byte, error) // fs.ErrNotExist: there is none
	Write(name string, content []byte) error
	SetAside(name string, why error)
}

// Config describes a Book.
type Config struct {
	Secrets [][]byte           // the first signs, all verify
	Files   Files              // where it is kept
	Guests  []token.Permission // what a guest may do where nobody says
	TTL     time.Duration      // of an invitation where nobody says
	MaxTTL  time.Duration      // at most
	PerRoom int                // good ones of a room
	Log     *slog.Logger
}

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	switch {
	case len(c.Secrets) == 0 || c.Files == nil || c.Log == nil:
		return errors.New("guests: Secrets, Files and Log are needed")
	case c.TTL < time.Second || c.TTL > c.MaxTTL || c.MaxTTL > MaxTTL:
		return fmt.Errorf("guests: invitations are good for %v, at most %v", c.TTL, c.MaxTTL)
	case c.PerRoom < 1 || c.PerRoom > maxInvitations:
		return fmt.Errorf("guests: %d invitations a room are not from 1 to %d", c.PerRoom, maxInvitations)
	}
	return nil
}

// Invitation is one that is good.
type Invitation struct {
	ID      string
	Text    string // what the link carries
	Room    string
	By      string // identity of who made it
	ByName  string
	Can     []token.Permission
	Knock   bool
	Label   string
	MadeAt  time.Time
	Expires time.Time
	Uses    int
}

// Wish is what an invitation should be.
type Wish struct {
	Room       string
	By, ByName string
	Can        []token.Permission
	Knock      bool
	Label      string
	TTL        time.Duration // 0: Config.TTL
	NotAfter   time.Time     // it ends by then; zero: whenever
}

// Book knows all invitations and bans. It is safe for concurrent use.
type Book struct {
	// Static after construction.
	cfg     Config
	keys    keys
	writer  *writer
	counted struct{ made, revoked, refused atomic.Uint64 }

	mu sync.Mutex

	// Guarded by mu.
	rooms  map[string]*room
	pruned time.Time // when all rooms were looked at
	size   size
	most   size
	bans   bans
}

// size is how much is remembered of all rooms.
type size struct{ good, revoked int }

// room is what is known of a room's invitations.
type room struct {
	before  time.Time             // those made until then are revoked
	good    map[string]Invitation // by id; perhaps expired
	revoked map[string]time.Time  // until when it would have been good
}

// Open makes a Book of what the files say. End it with Close.
func Open(cfg Config, now time.Time) (*Book, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	k, err := newKeys(cfg.Secrets)
	if err != nil {
		return nil, err
	}
	b := &Book{cfg: cfg, keys: k, rooms: map[string]*room{}, bans: newBans(), most: size{maxInvitations, maxRevoked}}
	b.load(now)
	b.writer = startWriter(cfg.Files, cfg.Log, map[string]func() ([]byte, error){
		invitationsFile: b.encodeInvitations, bansFile: b.encodeBans,
	})
	return b, nil
}

// Close writes what is not written yet. What is done later is not kept.
func (b *Book) Close() { b.writer.close() }

// Guests is what a guest may do where nobody says.
func (b *Book) Guests() []token.Permission { return slices.Clone(b.cfg.Guests) }

// Make makes an invitation. The error is ErrTooMany, or that the wish's NotAfter is over.
func (b *Book) Make(w Wish, now time.Time) (Invitation, error) {
	ttl := min(w.TTL, b.cfg.MaxTTL)
	if w.TTL <= 0 {
		ttl = b.cfg.TTL
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.roomLocked(w.Room, now)
	if b.fullLocked(r) {
		b.pruneLocked(now)
		if r = b.roomLocked(w.Room, now); b.fullLocked(r) {
			b.counted.refused.Add(1)
			return Invitation{}, ErrTooMany
		}
	}
	c := content{knock: w.Knock, can: slices.Clone(w.Can), made: now.UTC().Truncate(time.Millisecond)}
	if !c.made.After(r.before) {
		c.made = r.before.Add(time.Millisecond)
	}
	if !w.NotAfter.IsZero() {
		ttl = min(ttl, w.NotAfter.Sub(c.made))
	}
	if c.ttl = ttl.Truncate(time.Second); c.ttl <= 0 {
		return Invitation{}, ErrOver
	}
	if _, err := rand.Read(c.id[:]); err != nil {
		return Invitation{}, err
	}
	i := Invitation{
		ID: c.name(), Text: b.keys.write(w.Room, c), Room: w.Room, By: cut(w.By, maxWho), ByName: cut(w.ByName, maxWho), Can: c.can,
		Knock: c.knock, Label: cut(w.Label, MaxLabel), MadeAt: c.made, Expires: c.expires(),
	}
	r.good[i.ID] = i
	b.rooms[w.Room] = r
	b.size.good++
	b.counted.made.Add(1)
	b.writer.changed(invitationsFile)
	return i, nil
}

// List returns the good ones of a room, the oldest first.
func (b *Book) List(name string, now time.Time) []Invitation {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.roomLocked(name, now)
	list := make([]Invitation, 0, len(r.good))
	for _, i := range r.good {
		list = append(list, i)
	}
	slices.SortFunc(list, func(x, y Invitation) int {
		if d := x.MadeAt.Compare(y.MadeAt); d != 0 {
			return d
		}
		return strings.Compare(x.ID, y.ID)
	})
	return list
}

// Revoke ends one, or all of the room where id is empty, also those that nobody remembers. It reports whether there was one.
func (b *Book) Revoke(name, id string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.roomLocked(name, now)
	if id != "" {
		i, ok := r.good[id]
		if !ok {
			return false
		}
		delete(r.good, id)
		r.revoked[id] = i.Expires
		b.size.good--
		b.size.revoked++
		b.counted.revoked.Add(1)
		b.writer.changed(invitationsFile)
		return true
	}
	if b.rooms[name] == nil && b.size.revoked+len(b.rooms) >= b.most.revoked {
		return false // nobody knows of an invitation for it
	}
	b.rooms[name] = r
	n := len(r.good)
	before := now.UTC().Truncate(time.Millisecond)
	for _, i := range r.good {
		if i.MadeAt.After(before) { // the clock was set back since
			before = i.MadeAt
		}
	}
	b.size.good -= n
	b.size.revoked -= len(r.revoked)
	r.revoked = map[string]time.Time{} // the time says it all to Check; for Revoked the last ones are remembered by id
	for id, i := range r.good {
		r.revoked[id] = i.Expires
	}
	b.size.revoked += len(r.revoked)
	r.before, r.good = maxTime(r.before, before), map[string]Invitation{}
	b.counted.revoked.Add(uint64(n))
	b.writer.changed(invitationsFile)
	return n > 0
}

// Check reads an invitation for a room. The error is ErrInvalid, ErrExpired or ErrRevoked; with the last two it has its ID.
func (b *Book) Check(text, name string, now time.Time) (Invitation, error) {
	c, err := b.keys.read(text, name)
	if err != nil {
		return Invitation{}, err
	}
	i := Invitation{ID: c.name(), Text: text, Room: name, Can: c.can, Knock: c.knock, MadeAt: c.made, Expires: c.expires()}
	if last := c.made.Add(b.cfg.MaxTTL); i.Expires.After(last) {
		i.Expires = last
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.rooms[name]; r != nil {
		if _, out := r.revoked[i.ID]; out || !r.before.IsZero() && !c.made.After(r.before) {
			return Invitation{ID: i.ID}, ErrRevoked
		}
	}
	if !now.Before(i.Expires) {
		return Invitation{ID: i.ID}, ErrExpired
	}
	return i, nil
}

// Revoked reports whether the invitation of that id was, as far as it is remembered: for those who hold a token for it.
func (b *Book) Revoked(name, id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.rooms[name]
	if r == nil {
		return false
	}
	_, out := r.revoked[id]
	return out
}

// Used counts that somebody came by an invitation. It is written with the next change.
func (b *Book) Used(name, id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.rooms[name]; r != nil {
		if i, ok := r.good[id]; ok {
			i.Uses++
			r.good[id] = i
			b.writer.touched(invitationsFile)
		}
	}
}

// Stats is a snapshot of counters.
type Stats struct {
	Good          int
	Made, Revoked uint64
	Refused       uint64 // not made, because there were too many
	Failed        uint64 // files that could not be written
	ForgottenBans uint64 // rooms whose bans were forgotten because there were too many
}

// Stats returns the counters.
func (b *Book) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Stats{
		Good: b.size.good, Made: b.counted.made.Load(), Revoked: b.counted.revoked.Load(), Refused: b.counted.refused.Load(),
		Failed: b.writer.failed.Load(), ForgottenBans: b.bans.forgotten,
	}
}

// roomLocked is what is known of a room, without what has ended. A new one is not remembered yet.
func (b *Book) roomLocked(name string, now time.Time) *room {
	if now.Sub(b.pruned) >= time.Minute {
		b.pruneLocked(now)
	}
	r := b.rooms[name]
	if r == nil {
		return &room{good: map[string]Invitation{}, revoked: map[string]time.Time{}}
	}
	b.pruneRoomLocked(r, now)
	return r
}

// fullLocked reports whether there is no place for another invitation of r.
func (b *Book) fullLocked(r *room) bool {
	return len(r.good) >= b.cfg.PerRoom || len(r.revoked) >= revokedPerRoom*b.cfg.PerRoom ||
		b.size.good >= b.most.good || b.size.revoked+len(b.rooms) >= b.most.revoked
}

func (b *Book) pruneLocked(now time.Time) {
	b.pruned = now
	for name, r := range b.rooms {
		if b.pruneRoomLocked(r, now); len(r.good) == 0 && len(r.revoked) == 0 && r.before.IsZero() {
			delete(b.rooms, name)
		}
	}
}

func (b *Book) pruneRoomLocked(r *room, now time.Time) {
	good, revoked := len(r.good), len(r.revoked)
	r.prune(now, b.cfg.MaxTTL)
	b.size.good += len(r.good) - good
	b.size.revoked += len(r.revoked) - revoked
}

// prune forgets what has ended.
func (r *room) prune(now time.Time, longest time.Duration) {
	for id, i := range r.good {
		if !now.Before(i.Expires) {
			delete(r.good, id)
		}
	}
	for id, until := range r.revoked {
		if !now.Before(until) {
			delete(r.revoked, id)
		}
	}
	if !now.Before(r.before.Add(longest)) {
		r.before = time.Time{}
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// cut shortens s to n bytes, and to whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

// validID reports whether id is one that an invitation can have.
func validID(id string) bool {
	b, err := base64.RawURLEncoding.DecodeString(id)
	return err == nil && len(b) == idBytes
}
