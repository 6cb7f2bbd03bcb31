package guests

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley/parley/signaling/token"
)

var (
	noon   = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	secret = []byte("0123456789abcdef0123456789abcdef")
)

// disk is a Files in memory.
type disk struct {
	mu    sync.Mutex
	files map[string][]byte
	aside map[string]error
	fail  bool
}

func newDisk() *disk { return &disk{files: map[string][]byte{}, aside: map[string]error{}} }

func (d *disk) Read(name string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b, ok := d.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return b, nil
}

func (d *disk) Write(name string, b []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail {
		return errors.New("the disk is full")
	}
	d.files[name] = bytes.Clone(b)
	return nil
}

func (d *disk) SetAside(name string, why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.aside[name] = why
	delete(d.files, name)
}

func open(t *testing.T, d *disk, change func(*Config)) *Book {
	t.Helper()
	cfg := Config{
		Secrets: [][]byte{secret}, Files: d, Guests: []token.Permission{token.Publish, token.Watch}, TTL: 24 * time.Hour,
		MaxTTL: 168 * time.Hour, PerRoom: 3, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	b, err := Open(cfg, noon)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func make1(t *testing.T, b *Book, w Wish, now time.Time) Invitation {
	t.Helper()
	i, err := b.Make(w, now)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	b := open(t, newDisk(), nil)
	wish := Wish{
		Room: "club", By: "ann", ByName: "Ann", Can: []token.Permission{token.Publish, token.Message}, Knock: true, Label: "for Bob", TTL: time.Hour,
	}
	i := make1(t, b, wish, noon)
	if len(i.Text) != 43 {
		t.Errorf("%d characters", len(i.Text))
	}
	got, err := b.Check(i.Text, "club", noon.Add(time.Hour-time.Second))
	want := i
	want.By, want.ByName, want.Label = "", "", ""
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for name, c := range map[string]struct {
		text, room string
		at         time.Time
		want       error
	}{
		"later":         {i.Text, "club", noon.Add(time.Hour), ErrExpired},
		"another room":  {i.Text, "clubs", noon, ErrInvalid},
		"cut":           {i.Text[:42], "club", noon, ErrInvalid},
		"longer":        {i.Text + "A", "club", noon, ErrInvalid},
		"none":          {"", "club", noon, ErrInvalid},
		"a line break":  {i.Text[:42] + "\n", "club", noon, ErrInvalid},
		"other letters": {strings.Repeat("!", 43), "club", noon, ErrInvalid},
	} {
		if _, err := b.Check(c.text, c.room, c.at); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for at := range i.Text { // no character can be another one
		forged := []byte(i.Text)
		if forged[at]++; forged[at] == 'Z'+1 || forged[at] == 'z'+1 || forged[at] == '9'+1 || forged[at] == '-'+1 || forged[at] == '_'+1 {
			forged[at] = 'A'
		}
		if _, err := b.Check(string(forged), "club", noon); !errors.Is(err, ErrInvalid) {
			t.Errorf("character %d: %v", at, err)
		}
	}
}

func TestOtherServersAndRotation(t *testing.T) {
	t.Parallel()
	old := open(t, newDisk(), nil)
	other := open(t, newDisk(), func(c *Config) { c.Secrets = [][]byte{[]byte("another secret of another server")} })
	both := open(t, newDisk(), func(c *Config) { c.Secrets = [][]byte{[]byte("the secret that takes over from it"), secret} })
	i, next := make1(t, old, Wish{Room: "club"}, noon), make1(t, both, Wish{Room: "club"}, noon)
	if _, err := other.Check(i.Text, "club", noon); !errors.Is(err, ErrInvalid) {
		t.Errorf("another server's: %v", err)
	}
	for _, text := range []string{i.Text, next.Text} {
		if _, err := both.Check(text, "club", noon); err != nil {
			t.Error(err)
		}
	}
	if _, err := old.Check(next.Text, "club", noon); !errors.Is(err, ErrInvalid) {
		t.Errorf("the first secret does not sign: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	b := open(t, newDisk(), nil)
	one, two, elsewhere := make1(t, b, Wish{Room: "club"}, noon), make1(t, b, Wish{Room: "club"}, noon), make1(t, b, Wish{Room: "pub"}, noon)
	if !b.Revoke("club", one.ID, noon) || b.Revoke("club", one.ID, noon) || b.Revoke("pub", two.ID, noon) || b.Revoke("none", one.ID, noon) {
		t.Error("one is revoked once, in its room")
	}
	if _, err := b.Check(one.Text, "club", noon); !errors.Is(err, ErrRevoked) {
		t.Error(err)
	}
	if _, err := b.Check(two.Text, "club", noon); err != nil {
		t.Error(err)
	}
	if !b.Revoke("club", "", noon) {
		t.Error("there was one")
	}
	for _, i := range []Invitation{one, two} {
		if _, err := b.Check(i.Text, "club", noon); !errors.Is(err, ErrRevoked) {
			t.Error(err)
		}
	}
	if list := b.List("club", noon); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	if _, err := b.Check(elsewhere.Text, "pub", noon); err != nil {
		t.Errorf("of another room: %v", err)
	}
	// In the same millisecond, and after the clock was set back.
	for _, at := range []time.Time{noon, noon.Add(-time.Hour)} {
		i := make1(t, b, Wish{Room: "club"}, at)
		if _, err := b.Check(i.Text, "club", at); err != nil {
			t.Errorf("made after: %v", err)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	b := open(t, newDisk(), nil)
	for range 3 {
		make1(t, b, Wish{Room: "club", TTL: time.Hour}, noon)
	}
	if _, err := b.Make(Wish{Room: "club"}, noon); !errors.Is(err, ErrTooMany) {
		t.Error(err)
	}
	make1(t, b, Wish{Room: "pub"}, noon)
	make1(t, b, Wish{Room: "club"}, noon.Add(time.Hour)) // the three have ended
	for n := 0; ; n++ {                                  // making and revoking fills no memory
		i, err := b.Make(Wish{Room: "churn"}, noon)
		if errors.Is(err, ErrTooMany) && n == 3*revokedPerRoom {
			break
		}
		if err != nil || n > 3*revokedPerRoom {
			t.Fatalf("%d: %v", n, err)
		}
		b.Revoke("churn", i.ID, noon)
	}
	if b.Revoke("churn", "", noon); len(b.rooms["churn"].revoked) != 0 {
		t.Error("one moment is enough for all of them")
	}
	make1(t, b, Wish{Room: "churn"}, noon)
	b.most.good = 100
	for r := 0; ; r++ {
		if _, err := b.Make(Wish{Room: fmt.Sprint("r", r)}, noon); errors.Is(err, ErrTooMany) {
			break
		} else if err != nil || r > 100 {
			t.Fatalf("%d: %v", r, err)
		}
	}
	if s := b.Stats(); s.Refused != 3 || s.Good != 100 {
		t.Errorf("%+v", s)
	}
	b.mu.Lock()
	b.pruneLocked(noon.Add(169 * time.Hour))
	if len(b.rooms) != 0 {
		t.Errorf("%d rooms are remembered", len(b.rooms))
	}
	b.mu.Unlock()
}

func TestTimes(t *testing.T) {
	t.Parallel()
	b := open(t, newDisk(), nil)
	for _, c := range []struct{ ask, want time.Duration }{{0, 24 * time.Hour}, {time.Minute, time.Minute}, {1000 * time.Hour, 168 * time.Hour}} {
		i := make1(t, b, Wish{Room: fmt.Sprint(c.ask), TTL: c.ask}, noon)
		if got := i.Expires.Sub(noon); got != c.want {
			t.Errorf("%v: %v", c.ask, got)
		}
	}
	if i := make1(t, b, Wish{Room: "club", NotAfter: noon.Add(time.Minute)}, noon); i.Expires.After(noon.Add(time.Minute)) {
		t.Error("it outlives who made it")
	}
	if _, err := b.Make(Wish{Room: "club", NotAfter: noon}, noon); err == nil {
		t.Error("made by one who has ended")
	}
	long := make1(t, b, Wish{Room: "club", TTL: 168 * time.Hour}, noon)
	strict := open(t, newDisk(), func(c *Config) { c.MaxTTL = 24 * time.Hour })
	if _, err := strict.Check(long.Text, "club", noon.Add(24*time.Hour)); !errors.Is(err, ErrExpired) {
		t.Errorf("the configuration is stricter now: %v", err)
	}
}

func TestKeptOverRestart(t *testing.T) {
	t.Parallel()
	d := newDisk()
	b := open(t, d, nil)
	good := make1(t, b, Wish{Room: "club", By: "ann", ByName: "Ann", Can: []token.Permission{token.Watch}, Knock: true, Label: "x"}, noon)
	bad := make1(t, b, Wish{Room: "club"}, noon)
	all := make1(t, b, Wish{Room: "pub"}, noon)
	b.Revoke("club", bad.ID, noon)
	b.Revoke("pub", "", noon)
	b.Used("club", good.ID)
	ban := []Ban{{Identity: "eve", Name: "Eve", At: noon, By: "ann", Invitation: good.ID, Present: []string{"bob"}}}
	b.StoreBans("club", ban, noon)
	b.StoreBans("pub", ban, noon)
	b.StoreBans("pub", nil, noon)
	b.Close()
	for name, text := range d.files {
		if bytes.Contains(text, []byte(good.Text)) {
			t.Errorf("%s: whoever reads it gets in", name)
		}
	}
	b = open(t, d, nil)
	good.Uses = 1
	if diff := cmp.Diff([]Invitation{good}, b.List("club", noon)); diff != "" {
		t.Error(diff)
	}
	for _, i := range []struct{ room, text string }{{"club", bad.Text}, {"pub", all.Text}} {
		if _, err := b.Check(i.text, i.room, noon); !errors.Is(err, ErrRevoked) {
			t.Errorf("%s: %v", i.room, err)
		}
	}
	if diff := cmp.Diff(ban, b.LoadBans("club")); diff != "" {
		t.Error(diff)
	}
	if b.LoadBans("pub") != nil {
		t.Error("a room that has ended")
	}
}

func TestBrokenFiles(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no JSON": "<html>", "cut": `{"version":1,"ro`, "a later version": `{"version":2}`,
		"a room": `{"version":1,"rooms":{"a/b":{}}}`,
		"an id":  `{"version":1,"rooms":{"a":{"good":[{"id":"x"}],"revoked":{"x":"2026-12-01T12:00:00Z"}}}}`,
	} {
		d := newDisk()
		d.files[invitationsFile], d.files[bansFile] = []byte(text), []byte(`[]`)
		b := open(t, d, nil)
		if d.aside[invitationsFile] == nil || d.aside[bansFile] == nil {
			t.Errorf("%s: set aside: %v", name, d.aside)
		}
		make1(t, b, Wish{Room: "club"}, noon)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	d := newDisk()
	d.fail = true
	b := open(t, d, nil)
	i := make1(t, b, Wish{Room: "club"}, noon)
	b.Revoke("club", i.ID, noon)
	b.Close()
	if _, err := b.Check(i.Text, "club", noon); !errors.Is(err, ErrRevoked) || b.Stats().Failed == 0 {
		t.Errorf("%v, %+v", err, b.Stats())
	}
}

func TestBansAreBounded(t *testing.T) {
	t.Parallel()
	b := newBans()
	large := []byte(`["` + strings.Repeat("x", 1<<20) + `"]`)
	for i := range 20 {
		b.put(fmt.Sprint(i), keptBans{noon.Add(time.Duration(i) * time.Second), large})
	}
	if len(b.rooms) != 7 || b.forgotten != 13 || b.bytes > maxBanBytes {
		t.Errorf("%d rooms, %d forgotten, %d bytes", len(b.rooms), b.forgotten, b.bytes)
	}
	for name := range maps.Keys(b.rooms) {
		b.put(name, keptBans{})
	}
	if b.bytes != 0 {
		t.Errorf("%d bytes of nothing", b.bytes)
	}
}

// FuzzRead: nothing but what was written is read.
func FuzzRead(f *testing.F) {
	k, err := newKeys([][]byte{secret})
	if err != nil {
		f.Fatal(err)
	}
	c := content{knock: true, can: []token.Permission{token.Publish}, made: noon, ttl: time.Hour, id: [8]byte{1}}
	f.Add(k.write("club", c), "club")
	f.Add("", "")
	f.Add(strings.Repeat("A", 43), "club")
	f.Fuzz(func(t *testing.T, text, room string) {
		c, err := k.read(text, room)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Error(err)
			}
			return
		}
		if got := k.write(room, c); got != text {
			t.Errorf("%q is read, and written as %q", text, got)
		}
	})
}
