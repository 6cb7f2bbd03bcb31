package fakeroom

import (
	"encoding/json"
	"slices"
	"sync"

	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/presence"
	"github.com/parley/parley/signaling/token"
)

// Rooms makes rooms as they are asked for.
type Rooms struct {
	Capacity int // of each room's log; set before use

	mu     sync.Mutex
	barred string // an identity
	rooms  map[string]*Room
	err    error
}

var _ presence.Rooms = (*Rooms)(nil)

// Room returns the room called name.
func (s *Rooms) Room(name string) *Room {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rooms == nil {
		s.rooms = map[string]*Room{}
	}
	if s.rooms[name] == nil {
		s.rooms[name] = &Room{name: name, capacity: s.Capacity, log: eventlog.New(s.Capacity), people: []Person{}}
	}
	return s.rooms[name]
}

// Fail makes Feed fail with err from now on; nil ends that.
func (s *Rooms) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// Feed implements presence.Rooms.
func (s *Rooms) Feed(name string) (presence.Feed, error) {
	s.mu.Lock()
	err := s.err
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	r := s.Room(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.feeds++
	return r, nil
}

// List implements presence.Rooms.
func (s *Rooms) List() []presence.RoomSummary {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []presence.RoomSummary
	for name, r := range s.rooms {
		if n := len(r.Names()); n > 0 {
			list = append(list, presence.RoomSummary{Room: name, Participants: n})
		}
	}
	return list
}

// Person is a participant, with no more than tests look at.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Room is one room and its feed.
type Room struct {
	name     string
	capacity int

	mu      sync.Mutex
	log     *eventlog.Log
	people  []Person
	feeds   int
	waiting []Person
	public  cache
	full    cache
	encoded int
}

// cache is a snapshot as it was encoded last.
type cache struct {
	bytes []byte
	at    eventlog.Position
}

var _ presence.Feed = (*Room)(nil)

type head struct {
	Type     string            `json:"type"`
	Position eventlog.Position `json:"position"`
}

// Join adds a participant.
func (r *Room) Join(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := Person{ID: id, Name: "Name of " + id}
	r.people = append(r.people, p)
	r.append("joined", eventlog.Audience{}, func(at eventlog.Position) any {
		return struct {
			head
			Participant Person `json:"participant"`
		}{head{"joined", at}, p}
	})
}

// Leave takes a participant away.
func (r *Room) Leave(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.people = slices.DeleteFunc(r.people, func(p Person) bool { return p.ID == id })
	r.append("left", eventlog.Audience{}, func(at eventlog.Position) any {
		return struct {
			head
			Participant string `json:"participant"`
			Reason      string `json:"reason"`
		}{head{"left", at}, id, "left"}
	})
}

// Whisper appends what no watcher may see.
func (r *Room) Whisper(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.append("message", eventlog.Participants(), func(at eventlog.Position) any {
		return struct {
			head
			Text string `json:"text"`
		}{head{"message", at}, text}
	})
}

// Knock has somebody wait to be let in, whom only those see who may moderate.
func (r *Room) Knock(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := Person{ID: id, Name: "Name of " + id}
	r.waiting = append(r.waiting, p)
	r.append("knocking", eventlog.Moderators(), func(at eventlog.Position) any {
		return struct {
			head
			Knock Person `json:"knock"`
		}{head{"knocking", at}, p}
	})
}

// Decline sends away who has waited the longest.
func (r *Room) Decline() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == 0 {
		return
	}
	id := r.waiting[0].ID
	r.waiting = slices.Clone(r.waiting[1:])
	r.append("knock_ended", eventlog.Moderators(), func(at eventlog.Position) any {
		return struct {
			head
			Knock string `json:"knock"`
		}{head{"knock_ended", at}, id}
	})
}

// Waiting returns the ids of those who wait.
func (r *Room) Waiting() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := make([]string, 0, len(r.waiting))
	for _, p := range r.waiting {
		ids = append(ids, p.ID)
	}
	return ids
}

func (r *Room) append(typ string, to eventlog.Audience, event func(eventlog.Position) any) {
	if _, err := r.log.Append(typ, to, event); err != nil {
		panic(err) // plain structs into an open log
	}
}

// Restart starts the room anew, with a log of another epoch and the same people.
func (r *Room) Restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.log
	r.log = eventlog.New(r.capacity)
	old.Close()
}

// Names returns the ids of those present.
func (r *Room) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := make([]string, 0, len(r.people))
	for _, p := range r.people {
		names = append(names, p.ID)
	}
	return names
}

// Feeds returns how many feeds have not been released.
func (r *Room) Feeds() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.feeds
}

// Encodings returns how many snapshots were encoded, rather than taken from the cache.
func (r *Room) Encodings() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.encoded
}

// Snapshot implements presence.Feed.
func (r *Room) Snapshot() ([]byte, eventlog.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.log.PublicPosition()
	return r.cached(&r.public, at, nil), at
}

// FullSnapshot implements presence.Feed.
func (r *Room) FullSnapshot() ([]byte, eventlog.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.log.ModeratorPosition()
	return r.cached(&r.full, at, append([]Person{}, r.waiting...)), at
}

// cached is the snapshot at a position, encoded once.
func (r *Room) cached(c *cache, at eventlog.Position, waiting []Person) []byte {
	if c.at == at {
		return c.bytes
	}
	encoded, err := json.Marshal(struct {
		Room         string            `json:"room"`
		Position     eventlog.Position `json:"position"`
		Participants []Person          `json:"participants"`
		Waiting      []Person          `json:"waiting,omitzero"`
	}{r.name, at, r.people, waiting})
	if err != nil {
		panic(err) // plain structs
	}
	c.bytes, c.at = encoded, at
	r.encoded++
	return encoded
}

// Log implements presence.Feed.
func (r *Room) Log() *eventlog.Log {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log
}

// Release implements presence.Feed.
func (r *Room) Release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.feeds--
}

// Bar keeps an identity out of all rooms.
func (s *Rooms) Bar(identity string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.barred = identity
}

// KeptOut implements presence.Rooms.
func (s *Rooms) KeptOut(_ string, claims token.Claims) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.barred != "" && claims.Identity == s.barred
}
