package signaling

import (
	"sync"

	"github.com/parley/parley/signaling/internal/eventlog"
)

// Feed is one room as watchers see it, who need not join it. Release it when done.
type Feed struct {
	room    *room
	release sync.Once
}

// Feed opens the feed of a room, also of one that nobody is in: its log will show the first join. The error is
// ErrBadRoom, ErrTooManyRooms or ErrDraining.
func (s *Server) Feed(room string) (*Feed, error) {
	if !ValidRoom(room) {
		return nil, ErrBadRoom
	}
	r, err := s.watch(room)
	if err != nil {
		return nil, err
	}
	return &Feed{room: r}, nil
}

// Log returns the room's log. It is closed when the room is forgotten, which it is not before the feed is released, or
// when the server shuts down.
func (f *Feed) Log() *eventlog.Log { return f.room.events }

// Snapshot returns the room's state as JSON and the position in the log that it was taken at. The bytes are shared.
func (f *Feed) Snapshot() (snapshot []byte, at eventlog.Position) { return f.room.publicSnapshot() }

// FullSnapshot is Snapshot for watchers who may moderate: with those who wait, at a position that moves with what is for moderators, too.
func (f *Feed) FullSnapshot() (snapshot []byte, at eventlog.Position) { return f.room.fullSnapshot() }

// Release gives the feed back.
func (f *Feed) Release() { f.release.Do(func() { f.room.srv.unwatch(f.room) }) }

// publicSnapshot encodes the state once for each position that watchers can see.
func (r *room) publicSnapshot() ([]byte, eventlog.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.events.PublicPosition()
	return r.public.at(at, func() Snapshot { return r.snapshotLocked(at) })
}

// fullSnapshot is the same for watchers who may moderate.
func (r *room) fullSnapshot() ([]byte, eventlog.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.events.ModeratorPosition()
	return r.full.at(at, func() Snapshot {
		snap := r.snapshotLocked(at)
		snap.Waiting = r.waitingLocked()
		return snap
	})
}

// encoded is a snapshot as it was encoded last.
type encoded struct {
	bytes    []byte
	position eventlog.Position
}

// at returns the snapshot at a position, which take takes where it is another one than last.
func (e *encoded) at(at eventlog.Position, take func() Snapshot) ([]byte, eventlog.Position) {
	if e.bytes == nil || e.position != at {
		e.bytes, e.position = encode(take()), at
	}
	return e.bytes, at
}

// RoomSummary is one line of the list of rooms.
type RoomSummary struct {
	Room         string `json:"room"`
	Participants int    `json:"participants"`
	Publishing   int    `json:"publishing"` // participants with at least one source
	Locked       bool   `json:"locked"`
}

// List returns the rooms that somebody is in, in no order.
func (s *Server) List() []RoomSummary {
	s.mu.Lock()
	rooms := make([]*room, 0, len(s.rooms))
	for _, r := range s.rooms {
		if r.members > 0 {
			rooms = append(rooms, r)
		}
	}
	s.mu.Unlock()
	list := make([]RoomSummary, 0, len(rooms))
	for _, r := range rooms {
		if line := r.summary(); line.Participants > 0 {
			list = append(list, line)
		}
	}
	return list
}

func (r *room) summary() RoomSummary {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := RoomSummary{Room: r.name, Participants: len(r.order), Locked: r.locked}
	for _, s := range r.order {
		if len(s.sources) > 0 {
			line.Publishing++
		}
	}
	return line
}
