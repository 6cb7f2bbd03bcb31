package main

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/parley/parley/signaling"
	"github.com/parley/parley/signaling/access"
	"github.com/parley/parley/signaling/access/guests"
	"github.com/parley/parley/signaling/access/hosts"
	"github.com/parley/parley/signaling/token"
)

// openBook opens what is known of invitations and bans; nil: there is no secret, and everybody comes in anyway.
func (l *loaded) openBook(files guests.Files, log *slog.Logger) (*guests.Book, error) {
	if !l.guarded() {
		return nil, nil
	}
	may, err := permissions(l.Rooms.Guests)
	if err != nil {
		return nil, err
	}
	return guests.Open(guests.Config{
		Secrets: l.Secret.keys(), Files: files, Guests: may, TTL: l.Rooms.InvitationTTL, MaxTTL: l.Rooms.InvitationMaxTTL,
		PerRoom: l.Limits.Invitations, Log: log,
	}, time.Now())
}

// newHosts makes what signs hosts in; nil: nobody does.
func (l *loaded) newHosts() (*hosts.Hosts, error) {
	if l.openTo() != openHosts {
		return nil, nil
	}
	key, err := hkdf.Key(sha256.New, l.Secret.signing(), nil, "parley host sessions", 32)
	if err != nil {
		return nil, err
	}
	return hosts.New(hosts.Config{
		Key: key, Passphrase: string(l.Hosts.Passphrase), Link: l.hostsByLink(), OIDC: l.oidcPrint(), Session: l.Hosts.Session,
	})
}

// hostsByLink reports whether a host signs in by a link that is printed at the start, since nothing else is configured.
func (l *loaded) hostsByLink() bool {
	return l.openTo() == openHosts && l.Hosts.Passphrase == "" && !l.hostsByOIDC()
}

// startAccess makes what lets people into rooms.
func (s *server) startAccess(l *loaded, tokens *token.Verifier) error {
	var err error
	if s.hosts, err = l.newHosts(); err != nil {
		return err
	}
	strangers, err := permissions(l.Rooms.Guests)
	if err != nil {
		return err
	}
	strangers = slices.DeleteFunc(strangers, func(p token.Permission) bool { return p == token.Watch }) // whoever only knocks does not see who is in
	var ways []string
	if l.openTo() == openHosts {
		if l.Hosts.Passphrase != "" {
			ways = append(ways, "passphrase")
		}
		if l.hostsByLink() {
			ways = append(ways, "link")
		}
	}
	var provider access.Provider
	if l.hostsByOIDC() {
		ways = append(ways, "oidc")
		if s.oidc, err = l.newOIDC(s.log); err != nil {
			return err
		}
		provider = signInElsewhere{s.oidc}
	}
	s.access, err = access.New(access.Config{
		Open: l.openTo(), Knock: l.Rooms.Knock, Tokens: tokens, Rooms: doors{s.rooms}, Guests: s.book, Hosts: s.hosts,
		Ways: ways, Strangers: strangers, NameChars: l.Limits.NameChars, Secure: l.overHTTPS(), Insecure: l.Insecure && !l.guarded(), LAN: l.LAN,
		OIDC: provider, OIDCName: l.oidcName(), Origins: l.allOrigins(), Log: s.log, Audit: s.audit,
	})
	return err
}

// doors are signaling's rooms as access wants them.
type doors struct{ *signaling.Server }

var _ access.Rooms = doors{}

// Bans lists who is kept out of a room.
func (d doors) Bans(room string) []guests.Ban { return toKept(d.Server.Bans(room)) }

// Waiting lists who knocks at a room.
func (d doors) Waiting(room string) []access.Knock {
	var out []access.Knock
	for _, k := range d.Server.Waiting(room) {
		out = append(out, access.Knock(k))
	}
	return out
}

func toKept(bans []signaling.Ban) []guests.Ban {
	var out []guests.Ban
	for _, b := range bans {
		out = append(out, guests.Ban(b))
	}
	return out
}

// bookOfBans keeps signaling's bans.
type bookOfBans struct{ *guests.Book }

var _ signaling.BanStore = bookOfBans{}

// Load returns the bans of a room.
func (b bookOfBans) Load(room string) []signaling.Ban {
	var out []signaling.Ban
	for _, ban := range b.LoadBans(room) {
		out = append(out, signaling.Ban(ban))
	}
	return out
}

// Store keeps the bans of a room.
func (b bookOfBans) Store(room string, bans []signaling.Ban) {
	b.StoreBans(room, toKept(bans), time.Now())
}

// bookOfLinks makes signaling's invitations.
type bookOfLinks struct{ *guests.Book }

var _ signaling.Invitations = bookOfLinks{}

// Make makes one.
func (b bookOfLinks) Make(wish signaling.Invitation, ttl time.Duration, now time.Time) (signaling.Invitation, error) {
	i, err := b.Book.Make(guests.Wish{
		Room: wish.Room, By: wish.By, ByName: wish.ByName, Can: wish.Can, Knock: wish.Knock, Label: wish.Label, TTL: ttl, NotAfter: wish.NotAfter,
	}, now)
	if errors.Is(err, guests.ErrTooMany) {
		return signaling.Invitation{}, signaling.ErrTooManyInvitations
	}
	if errors.Is(err, guests.ErrOver) {
		return signaling.Invitation{}, signaling.ErrMayNotInvite
	}
	return toLink(i), err
}

// List returns those of a room that are good.
func (b bookOfLinks) List(room string, now time.Time) []signaling.Invitation {
	var out []signaling.Invitation
	for _, i := range b.Book.List(room, now) {
		out = append(out, toLink(i))
	}
	return out
}

func toLink(i guests.Invitation) signaling.Invitation {
	return signaling.Invitation{
		ID: i.ID, Invite: i.Text, Room: i.Room, By: i.By, ByName: i.ByName, Can: i.Can, Knock: i.Knock, Label: i.Label, MadeAt: i.MadeAt,
		Expires: i.Expires, Uses: i.Uses,
	}
}
