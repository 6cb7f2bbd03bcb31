package guests

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// maxBanBytes is how much is kept of all rooms' bans.
const maxBanBytes = 8 << 20

// Ban keeps somebody out of a room whom a moderator removed.
type Ban struct {
	Identity   string    `json:"identity"`
	Name       string    `json:"name"`
	At         time.Time `json:"at"`
	By         string    `json:"by"`
	Invitation string    `json:"invitation,omitempty"`
	Present    []string  `json:"present,omitempty"`
	Ends       time.Time `json:"ends,omitzero"`
	Ended      bool      `json:"ended,omitempty"`
}

// bans are the bans of all rooms, as JSON: what they take is what counts.
type bans struct {
	rooms     map[string]keptBans
	bytes     int
	forgotten uint64
}

type keptBans struct {
	At   time.Time       `json:"at"` // of the last change
	Bans json.RawMessage `json:"bans"`
}

func newBans() bans { return bans{rooms: map[string]keptBans{}} }

// LoadBans returns the bans of a room.
func (b *Book) LoadBans(name string) []Ban {
	b.mu.Lock()
	kept, ok := b.bans.rooms[name]
	b.mu.Unlock()
	if !ok {
		return nil
	}
	var list []Ban
	if err := json.Unmarshal(kept.Bans, &list); err != nil {
		b.cfg.Log.Error("the bans of a room cannot be read", "room", name, "err", err) // they were, when they came in
	}
	return list
}

// StoreBans keeps the bans of a room; none: it has ended. It does not wait for the disk.
func (b *Book) StoreBans(name string, list []Ban, now time.Time) {
	text, err := json.Marshal(list)
	if err != nil {
		b.cfg.Log.Error("the bans of a room cannot be kept", "room", name, "err", err)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, had := b.bans.rooms[name]
	if len(list) == 0 {
		text = nil
	}
	b.bans.put(name, keptBans{now.UTC(), text})
	if had || text != nil {
		b.writer.changed(bansFile)
	}
}

// put keeps the bans of one room, and forgets those of others, the oldest first, where that is too much.
func (b *bans) put(name string, kept keptBans) {
	b.bytes -= len(b.rooms[name].Bans)
	delete(b.rooms, name)
	if len(kept.Bans) == 0 {
		return
	}
	b.rooms[name] = kept
	b.bytes += len(kept.Bans)
	for b.bytes > maxBanBytes && len(b.rooms) > 1 {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(b.rooms)), func(x, y string) int { return b.rooms[x].At.Compare(b.rooms[y].At) })
		if oldest == name {
			return // the clock was set back: what was just said counts
		}
		b.bytes -= len(b.rooms[oldest].Bans)
		delete(b.rooms, oldest)
		b.forgotten++
	}
}
