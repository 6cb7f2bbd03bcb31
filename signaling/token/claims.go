package token

import (
	"encoding/json"
	"slices"
	"time"
)

// Permission is one thing that a token may allow.
type Permission string

// The permissions.
const (
	Publish   Permission = "publish"   // send audio and video
	Subscribe Permission = "subscribe" // receive audio and video, read chat, get data
	Message   Permission = "message"   // chat, data channels, peer-to-peer signals
	Moderate  Permission = "moderate"  // mute, remove, lock, end
	Join      Permission = "join"      // take a seat in a room; each of those above implies it
	Invite    Permission = "invite"    // make links that let guests into the room
	Watch     Permission = "watch"     // presence of a room, without joining it
	List      Permission = "list"      // the list of rooms

	// Update is to change one's name and metadata. No token grants it: whoever may join may, unless Claims.Fixed.
	Update Permission = "update"
)

// All returns every permission that can be granted.
func All() []Permission {
	return []Permission{Publish, Subscribe, Message, Moderate, Join, Invite, Watch, List}
}

// Valid reports whether p can be granted.
func (p Permission) Valid() bool { return slices.Contains(All(), p) }

// AnyRoom as Claims.Room allows every room.
const AnyRoom = "*"

// Claims are what a token says.
type Claims struct {
	Room      string          // a room's name, or AnyRoom
	Identity  string          // "sub": who this is; empty where no token was needed
	Name      string          // to show; may be empty
	Can       []Permission    // unknown ones are kept, and allow nothing
	Metadata  json.RawMessage // a JSON object, or nil: what the participant's metadata starts with
	Fixed     bool            // "update": false: name and metadata are these, whatever the participant wants
	Expires   time.Time       // whole seconds; the zero time never expires (only where no token was needed)
	NotBefore time.Time       // whole seconds; zero: valid at once
	First     time.Time       // "first": when the token ends that this one renews; zero: it renews none

	Knock      bool   // "knock": its holder waits until a moderator lets him in
	Guest      bool   // "guest": its holder opens no room, and is shown as a guest
	Invitation string // "invitation": the id of the one that its holder came by
	Anonymous  bool   // "anonymous": nobody vouches for its holder, who came without a token
	Appointed  string // "appointed": the life of the room in which an anonymous holder came to moderate; in another he does not
}

// May reports whether the claims allow p.
func (c Claims) May(p Permission) bool {
	switch p {
	case Join:
		return slices.ContainsFunc(c.Can, Permission.joins)
	case Update:
		return !c.Fixed && c.May(Join)
	default:
		return slices.Contains(c.Can, p)
	}
}

// joins reports whether p implies a seat in the room.
func (p Permission) joins() bool {
	return slices.Contains([]Permission{Publish, Subscribe, Message, Moderate, Join}, p)
}

// Permissions are Can and what that implies.
func (c Claims) Permissions() []Permission {
	all := slices.DeleteFunc(slices.Clone(c.Can), func(p Permission) bool { return p == Join || p == Update })
	for _, p := range []Permission{Join, Update} {
		if c.May(p) {
			all = append(all, p)
		}
	}
	return all
}

// For reports whether the claims are for this room.
func (c Claims) For(room string) bool { return c.Room == AnyRoom || c.Room == room }

// WasIn reports whether the claims are of a renewed token: its holder was in the room.
func (c Claims) WasIn() bool { return !c.First.IsZero() }

// Origin is when the token ends that everything began with: the one that somebody else signed.
func (c Claims) Origin() time.Time {
	if c.First.IsZero() {
		return c.Expires
	}
	return c.First
}

// ExpiredAt reports whether the claims have run out at now. Unlike Verify it knows no leeway: a session that was let in
// within the leeway of Verify has it as its grace.
func (c Claims) ExpiredAt(now time.Time) bool {
	return !c.Expires.IsZero() && !now.Before(c.Expires)
}
