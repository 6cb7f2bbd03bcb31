package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/parley/parley/signaling"
	"github.com/parley/parley/signaling/token"
)

// maxTTL is the longest life of a token made here. Tokens cannot be called back; whoever needs longer ones signs them.
const maxTTL = 366 * 24 * time.Hour

// runToken prints an access token, or with --link the address that carries it.
func runToken(_ context.Context, c console, args []string) error {
	flags := newFlagSet("token", "parley token --room ROOM --identity WHO [flags]", "Prints an access token (JWT, HS256).")
	var (
		room     = flags.String("room", "", "Room the token is for; * for every room.")
		identity = flags.String("identity", "", "Who holds it, as ann@example.org.")
		name     = flags.String("name", "", "Name to show.")
		can      = flags.String("can", "publish,subscribe,message,watch", "What it allows, of publish, subscribe, message, moderate, join (implied by those), invite (implied by moderate, unless rooms.open is tokens), watch, list.")
		update   = flags.Bool("update", true, "Its holder may choose the name and metadata that others see; --update=false: they are those of the token.")
		knock    = flags.Bool("knock", false, "Its holder waits until a moderator lets him in.")
		guest    = flags.Bool("guest", false, "Its holder opens no room that nobody is in, and is shown as a guest.")
		ttl      = flags.String("ttl", "1h", "How long it is good for, up to 8784h.")
		link     = flags.String("link", "", "Print the address to open instead, on this server, as https://meet.example.org.")
	)
	flags.own = []string{"room", "identity", "name", "can", "update", "knock", "guest", "ttl", "link"}
	flags.config(func(f field) bool { return f.key == "secret" || f.key == "secret_file" })
	if err := flags.parse(args, c.stdout); err != nil {
		return err
	}
	l, err := load(c.environ, flags.file, flags.settings)
	if err != nil {
		return err
	}
	if !l.guarded() {
		return usagef("a token needs the server's secret: set PARLEY_SECRET, --secret-file or --config (without a secret, " +
			"a server asks for no token)")
	}
	claims, err := newClaims(*room, *identity, *name, *can, *ttl, time.Now())
	if err != nil {
		return err
	}
	claims.Fixed, claims.Knock, claims.Guest = !*update, *knock, *guest
	compact, err := token.Sign(l.Secret.signing(), claims)
	if err != nil {
		return err
	}
	out := compact
	if *link != "" {
		if out, err = roomLink(*link, *room, compact); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(c.stdout, out)
	return err
}

// newClaims checks what was asked for.
func newClaims(room, identity, name, can, ttl string, now time.Time) (token.Claims, error) {
	var none token.Claims
	switch {
	case room == "":
		return none, usagef("--room is missing")
	case room != token.AnyRoom && !signaling.ValidRoom(room):
		return none, usagef("--room: %q is not a room name: 1 to 64 of A-Z a-z 0-9 . _ ~ -, and neither . nor ..", room)
	case identity == "":
		return none, usagef("--identity is missing: who holds the token, as ann@example.org")
	}
	if limit := defaults().Limits; len(identity) > limit.IdentityBytes {
		return none, usagef("--identity: %d bytes are too long, at most %d", len(identity), limit.IdentityBytes)
	}
	d, err := time.ParseDuration(ttl)
	if err != nil || d <= 0 || d > maxTTL {
		return none, usagef("--ttl: %q is not a duration from 1s to %dh; write it as 1h or 30m", ttl, maxTTL/time.Hour)
	}
	allowed, err := permissions(splitList(can))
	if err != nil {
		return none, usagef("--can: %w", err)
	}
	if len(allowed) == 0 {
		return none, usagef("--can: it allows nothing; name some of publish, subscribe, message, moderate, join, invite, watch, list")
	}
	slices.Sort(allowed)
	return token.Claims{
		Room: room, Identity: identity, Name: name, Can: slices.Compact(allowed), Expires: now.Add(d),
	}, nil
}

// roomLink is the page of a room with the token in its fragment, which browsers do not send to servers.
func roomLink(base, room, compact string) (string, error) {
	u, err := url.Parse(strings.TrimSuffix(base, "/"))
	if err != nil || !isOrigin(u) {
		return "", usagef("--link: %q is not like https://meet.example.org", base)
	}
	if room == token.AnyRoom {
		return "", usagef("--link: a link leads to one room, and this token is for all")
	}
	return u.String() + "/r/" + room + "#token=" + compact, nil
}
