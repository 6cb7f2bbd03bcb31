package presence

import (
	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/token"
)

// Rooms is what presence needs of the rooms. Its methods may be called on any goroutine.
type Rooms interface {
	// Feed opens the feed of a room by its name, which is valid. A room that nobody is in has one too: it must show
	// the first join. Errors mean "not now" (shutting down, too many rooms): the watcher is told to come back.
	Feed(room string) (Feed, error)

	// List returns the rooms that somebody is in.
	List() []RoomSummary

	// KeptOut reports whether who holds these claims is kept out of a room: he was removed, or his invitation was revoked
	// before he came.
	KeptOut(room string, claims token.Claims) bool
}

// Feed is one room as watchers see it. Its methods may be called on any goroutine.
type Feed interface {
	// Snapshot returns the JSON {"room","position","participants":[…]} and the position that is in it, both taken at
	// one moment, under the room's lock. The position should be the log's PublicPosition: it becomes the ETag, and
	// need not change when something private happens. The bytes are shared and never written to: encode them once for
	// each position, so that thousands of watchers who come back together cost one encoding.
	Snapshot() (snapshot []byte, at eventlog.Position)

	// FullSnapshot is Snapshot with those who knock, for who may moderate.
	FullSnapshot() (snapshot []byte, at eventlog.Position)

	// Log returns the room's log. When the room starts anew, with another epoch, the old log must be closed.
	Log() *eventlog.Log

	// Release gives the feed back; nothing else is called after it. The log of a room that nobody is in or watches
	// should live on for a minute or more: a long-poller holds no feed between two requests.
	Release()
}

// RoomSummary is one line of the list of rooms.
type RoomSummary struct {
	Room         string `json:"room"`
	Participants int    `json:"participants"`
	Publishing   int    `json:"publishing"` // participants with at least one source
	Locked       bool   `json:"locked"`
}
