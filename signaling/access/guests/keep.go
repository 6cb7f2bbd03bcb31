package guests

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

// fileVersion is what the files say of their form. Another one is not read, and not written over.
const fileVersion = 1

// invitationsOnFile is the file of invitations. Their texts are not in it: whoever reads the file gets into no room.
type invitationsOnFile struct {
	Version int                   `json:"version"`
	Rooms   map[string]roomOnFile `json:"rooms"`
}

type roomOnFile struct {
	Before  *time.Time           `json:"before,omitempty"`
	Good    []invitationOnFile   `json:"good,omitempty"`
	Revoked map[string]time.Time `json:"revoked,omitempty"`
}

type invitationOnFile struct {
	ID      string             `json:"id"`
	By      string             `json:"by"`
	ByName  string             `json:"by_name,omitempty"`
	Can     []token.Permission `json:"can"`
	Knock   bool               `json:"knock,omitempty"`
	Label   string             `json:"label,omitempty"`
	MadeAt  time.Time          `json:"made_at"`
	Expires time.Time          `json:"expires_at"`
	Uses    int                `json:"uses,omitempty"`
}

type bansOnFile struct {
	Version int                 `json:"version"`
	Rooms   map[string]keptBans `json:"rooms"`
}

func (b *Book) encodeInvitations() ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := invitationsOnFile{fileVersion, map[string]roomOnFile{}}
	for name, r := range b.rooms {
		kept := roomOnFile{Revoked: maps.Clone(r.revoked)}
		if !r.before.IsZero() {
			before := r.before
			kept.Before = &before
		}
		for _, i := range r.good {
			kept.Good = append(kept.Good, invitationOnFile{
				i.ID, i.By, i.ByName, i.Can, i.Knock, i.Label, i.MadeAt, i.Expires, i.Uses,
			})
		}
		out.Rooms[name] = kept
	}
	return json.Marshal(out)
}

func (b *Book) encodeBans() ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return json.Marshal(bansOnFile{fileVersion, b.bans.rooms})
}

// load reads the files. One that cannot be understood is set aside.
func (b *Book) load(now time.Time) {
	for name, decode := range map[string]func([]byte) error{invitationsFile: b.decodeInvitations, bansFile: b.decodeBans} {
		text, err := b.cfg.Files.Read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = decode(text)
		}
		if err != nil {
			b.cfg.Files.SetAside(name, err)
		}
	}
	b.pruneLocked(now) // nobody else has b yet
}

func (b *Book) decodeInvitations(text []byte) error {
	var in invitationsOnFile
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	if in.Version != fileVersion {
		return fmt.Errorf("its version is %d, not %d", in.Version, fileVersion)
	}
	rooms, all := map[string]*room{}, size{}
	for name, kept := range in.Rooms {
		r := &room{good: map[string]Invitation{}, revoked: map[string]time.Time{}}
		if kept.Before != nil {
			r.before = *kept.Before
		}
		if !names.Room(name) || len(kept.Good) > maxInvitations || len(kept.Revoked) > maxRevoked {
			return errors.New("a room in it makes no sense")
		}
		for _, i := range kept.Good {
			c := content{knock: i.Knock, can: i.Can, made: i.MadeAt, ttl: i.Expires.Sub(i.MadeAt)}
			if !validID(i.ID) || c.ttl <= 0 || c.ttl > MaxTTL || slices.ContainsFunc(i.Can, func(p token.Permission) bool { return !p.Valid() }) {
				return errors.New("an invitation in it makes no sense")
			}
			c.setID(i.ID)
			r.good[i.ID] = Invitation{
				i.ID, b.keys.write(name, c), name, i.By, i.ByName, i.Can, i.Knock, i.Label, i.MadeAt, i.Expires, max(i.Uses, 0),
			}
		}
		for id, until := range kept.Revoked {
			if !validID(id) {
				return errors.New("a revocation in it makes no sense")
			}
			r.revoked[id] = until
		}
		rooms[name] = r
		all.good += len(r.good)
		all.revoked += len(r.revoked)
	}
	b.rooms, b.size = rooms, all
	return nil
}

func (b *Book) decodeBans(text []byte) error {
	var in bansOnFile
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	if in.Version != fileVersion {
		return fmt.Errorf("its version is %d, not %d", in.Version, fileVersion)
	}
	read := newBans()
	for name, kept := range in.Rooms {
		var list []Ban
		if err := json.Unmarshal(kept.Bans, &list); err != nil || !names.Room(name) {
			return errors.New("the bans of a room in it make no sense")
		}
		read.put(name, kept)
	}
	b.bans = read
	return nil
}
