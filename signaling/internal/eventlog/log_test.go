package eventlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type note struct {
	Type     string   `json:"type"`
	Position Position `json:"position"`
	Text     string   `json:"text"`
}

func say(t testing.TB, l *Log, to Audience, text string) Entry {
	t.Helper()
	e, err := l.Append("note", to, func(at Position) any { return note{"note", at, text} })
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// texts decodes entries and checks that what is in them agrees with what is on them.
func texts(t testing.TB, entries []Entry) []string {
	t.Helper()
	list := []string{}
	for _, e := range entries {
		var n struct{ Type, Position, Text string }
		if err := json.Unmarshal(e.JSON, &n); err != nil {
			t.Fatal(err)
		}
		if n.Position != e.String() || n.Type != e.Type {
			t.Errorf("entry %v of type %s holds %s", e.Position, e.Type, e.JSON)
		}
		list = append(list, n.Text)
	}
	return list
}

func TestAudiences(t *testing.T) {
	t.Parallel()
	l := New(0)
	start := l.Position()
	say(t, l, Audience{}, "all")
	say(t, l, Participants(), "sessions")
	say(t, l, Only("ann", "bob"), "ann and bob")
	say(t, l, Only(), "nobody")
	for reader, want := range map[Reader][]string{
		Watcher():          {"all"},
		Participant("ann"): {"all", "sessions", "ann and bob"},
		Participant("eve"): {"all", "sessions"},
	} {
		entries, ok := l.Since(start, reader)
		if diff := cmp.Diff(want, texts(t, entries)); !ok || diff != "" {
			t.Errorf("%+v: ok %v, %s", reader, ok, diff)
		}
	}
	if got := l.Position().Seq; got != 4 {
		t.Errorf("newest is %d, want 4", got)
	}
	if got := l.PublicPosition().Seq; got != 1 {
		t.Errorf("newest public is %d, want 1", got)
	}
}

func TestUnknownPositions(t *testing.T) {
	t.Parallel()
	l, other := New(0), New(0)
	if l.Position().Epoch == other.Position().Epoch {
		t.Error("two logs share an epoch")
	}
	say(t, l, Audience{}, "one")
	for _, p := range []Position{{}, other.Position(), {l.epoch, 2}, {l.epoch, math.MaxUint64}, {"", 1}} {
		if _, ok := l.Since(p, Watcher()); ok {
			t.Errorf("continued from %v", p)
		}
		if _, err := l.Follow(p, Participant("ann")); !errors.Is(err, ErrGone) {
			t.Errorf("followed from %v: %v", p, err)
		}
	}
}

func TestEviction(t *testing.T) {
	t.Parallel()
	l := New(3)
	start := l.Position()
	for i := range 3 {
		say(t, l, Audience{}, fmt.Sprint(i))
	}
	if entries, ok := l.Since(start, Watcher()); !ok || len(entries) != 3 {
		t.Fatalf("%d entries, ok %v", len(entries), ok)
	}
	say(t, l, Audience{}, "3")
	if _, ok := l.Since(start, Watcher()); ok {
		t.Error("the first entry was evicted, and nobody says so")
	}
	entries, ok := l.Since(Position{start.Epoch, 1}, Watcher())
	if diff := cmp.Diff([]string{"1", "2", "3"}, texts(t, entries)); !ok || diff != "" {
		t.Errorf("ok %v, %s", ok, diff)
	}
}

// Private entries push public ones out of the ring, but what a watcher never sees is not lost to it.
func TestPrivateTrafficDoesNotEvictWatchers(t *testing.T) {
	t.Parallel()
	l := New(4)
	seen := say(t, l, Audience{}, "public").Position
	for range 100 {
		say(t, l, Participants(), "private")
	}
	if entries, ok := l.Since(seen, Watcher()); !ok || len(entries) != 0 {
		t.Errorf("%d entries, ok %v; want none and ok", len(entries), ok)
	}
	if _, ok := l.Since(seen, Participant("ann")); ok {
		t.Error("a session lost entries and is not told")
	}
	say(t, l, Audience{}, "public again")
	if entries, ok := l.Since(seen, Watcher()); !ok || len(entries) != 1 {
		t.Errorf("%d entries, ok %v; want one and ok", len(entries), ok)
	}
}

func TestBytesAreBounded(t *testing.T) {
	t.Parallel()
	l := New(8)
	big := strings.Repeat("x", 3000)
	for range 20 {
		say(t, l, Audience{}, big)
	}
	if kept := l.news.bytes; kept > 8*bytesPerEntry {
		t.Errorf("%d bytes kept", kept)
	}
	say(t, l, Audience{}, strings.Repeat("y", 20_000)) // more than the bound: the newest stays all the same
	last, ok := l.Since(Position{l.epoch, 20}, Watcher())
	if !ok || len(last) != 1 {
		t.Errorf("%d entries, ok %v", len(last), ok)
	}
}

func TestAppendErrors(t *testing.T) {
	t.Parallel()
	l := New(0)
	if _, err := l.Append("bad", Audience{}, func(Position) any { return func() {} }); err == nil {
		t.Error("a function was encoded")
	}
	if got := l.Position().Seq; got != 0 {
		t.Errorf("a failed append left position %d", got)
	}
	l.Close()
	l.Close()
	if _, err := l.Append("late", Audience{}, func(Position) any { return 1 }); !errors.Is(err, ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
}

// The ring against a plain list, with random capacities, audiences and sizes.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		capacity := 1 + rnd.IntN(20)
		l := New(capacity)
		var all []Entry
		readers := []Reader{Watcher(), Participant("ann"), Participant("bob"), Participant("ann").Listening()}
		for range rnd.IntN(100) {
			to := []Audience{
				{},
				Participants(), Only("ann"), Only("bob", "eve"),
				Only("ann").By("bob"), Participants().By("eve"), Only("bob", "ann").By("bob"), Listeners().By("eve"),
			}[rnd.IntN(8)]
			all = append(all, say(t, l, to, strings.Repeat("z", rnd.IntN(1500))))
		}
		for pos := range uint64(len(all) + 1) {
			for _, r := range readers {
				var want []Entry
				for _, e := range all[pos:] {
					if e.Audience.includes(r) {
						want = append(want, e)
					}
				}
				got, ok := l.Since(Position{l.epoch, pos}, r)
				if ok && cmp.Diff(texts(t, want), texts(t, got)) != "" {
					t.Fatalf("seed %d, from %d as %+v: %d entries, want %d", seed, pos, r, len(got), len(want))
				}
				if !ok && uint64(len(all))-pos <= 1 {
					t.Fatalf("seed %d: the newest entry is gone", seed)
				}
			}
		}
	}
}

func TestConcurrentAppends(t *testing.T) {
	t.Parallel()
	l := New(1000)
	start := l.Position()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 100 {
				if _, err := l.Append("note", Audience{}, func(at Position) any { return note{"note", at, fmt.Sprint(i, n)} }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	entries, ok := l.Since(start, Watcher())
	if !ok || len(entries) != 400 {
		t.Fatalf("%d entries, ok %v", len(entries), ok)
	}
	texts(t, entries)
	for i, e := range entries {
		if e.Seq != uint64(i+1) {
			t.Fatalf("entry %d has number %d", i, e.Seq)
		}
	}
}
