package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/token"
)

func newRigConfig(t *testing.T) Config {
	t.Helper()
	tokens, err := token.New(token.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return Config{Media: newFakeMedia(), Tokens: tokens}
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		ann, ben, idle := r.joined("a", "Ann", 1), r.joined("b", "Ben", 1), r.dial("a")
		ann.must("publish", fields{"kind": "microphone"})
		watch, err := r.srv.Feed("a")
		if err != nil {
			t.Fatal(err)
		}
		r.shutdown()
		for _, c := range []*client{ann, ben, idle} {
			c.closedWith(closeDraining)
			if after, err := strconv.ParseFloat(c.pipe.reason, 64); err != nil || after > 0.02 {
				t.Errorf("reason %q", c.pipe.reason)
			}
		}
		if _, err := r.srv.Open("a", "", netip.Addr{}, newPipe()); !errors.Is(err, ErrDraining) {
			t.Errorf("Open: %v", err)
		}
		if _, err := r.srv.Feed("a"); !errors.Is(err, ErrDraining) {
			t.Errorf("Feed: %v", err)
		}
		if _, draining := r.srv.Draining(); !draining {
			t.Error("not draining")
		}
		cursor, err := watch.Log().Follow(eventlog.Position{Epoch: watch.Log().Position().Epoch}, eventlog.Watcher())
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = cursor.Next(nil)
		}
		if !errors.Is(err, eventlog.ErrClosed) {
			t.Errorf("the feed goes on: %v", err)
		}
		cursor.Close()
		watch.Release()
		r.shutdown() // a second one finds nothing to do
	})
}

// A client that does not go is not waited for longer than the deadline.
func TestShutdownDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		p := newPipe()
		link, err := r.srv.Open("a", "", netip.Addr{}, p)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		if err := r.srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		link.End(false)
		r.shutdown()
	})
}

// The server goes away while a join is under way: the client is told, and nothing is left.
func TestShutdownDuringJoin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.dial("a")
		room, err := r.srv.enter("a", &session{}) // as a join does first
		if err != nil {
			t.Fatal(err)
		}
		r.shutdown()
		err = room.admit(&session{})
		if !errors.Is(err, ErrDraining) {
			t.Errorf("a room that was closed admits: %v", err)
		}
		r.srv.leave(room, &session{})
		c.closedWith(closeDraining)
	})
}

// A room is forgotten a while after the last participant and the last watcher have gone, and its log ends with it.
func TestRoomGrace(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		r.joined("a", "Ann", 0).closePage()
		log := r.srv.lookup("a").events
		epoch := log.Position().Epoch
		time.Sleep(50 * time.Second)
		ben := r.joined("a", "Ben", 0)
		if got := r.srv.lookup("a").events.Position().Epoch; got != epoch {
			t.Error("a new log within the grace")
		}
		watch, err := r.srv.Feed("a")
		if err != nil {
			t.Fatal(err)
		}
		ben.closePage()
		time.Sleep(5 * time.Minute)
		if r.srv.lookup("a") == nil {
			t.Fatal("forgotten while watched")
		}
		watch.Release()
		watch.Release() // once is enough
		time.Sleep(70 * time.Second)
		if r.srv.lookup("a") != nil {
			t.Error("not forgotten")
		}
		if _, err := log.Append("x", eventlog.Audience{}, func(eventlog.Position) any { return 1 }); !errors.Is(err, eventlog.ErrClosed) {
			t.Errorf("the log lives on: %v", err)
		}
		if s := r.srv.Stats(); s.RoomsKept != 0 || s.Watchers != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A watcher of a room that nobody is in sees the first join.
func TestFeed(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		feed, err := r.srv.Feed("a")
		if err != nil {
			t.Fatal(err)
		}
		defer feed.Release()
		raw, at := feed.Snapshot()
		if want := `{"room":"a","position":"` + at.String() + `","locked":false,"participants":[]}`; string(raw) != want {
			t.Errorf("%s, want %s", raw, want)
		}
		if len(r.srv.List()) != 0 {
			t.Error("an empty room is listed")
		}
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1)
		ann.must("publish", fields{"kind": "microphone"})
		ann.must("chat", fields{"text": "for participants alone"})
		ann.must("moderate", fields{"action": "lock"})
		ben.must("update", fields{"name": "Benno"})
		ben.closePage()
		entries, ok := feed.Log().Since(at, eventlog.Watcher())
		var types []string
		for _, e := range entries {
			types = append(types, e.Type)
		}
		if diff := cmp.Diff([]string{"joined", "joined", "published", "room", "updated", "left"}, types); diff != "" || !ok {
			t.Error(diff)
		}
		raw, at = feed.Snapshot()
		var snapshot Snapshot
		if err := json.Unmarshal(raw, &map[string]any{}); err != nil {
			t.Fatal(err)
		}
		snapshot = r.snapshot("a")
		snapshot.Position = at
		if diff := cmp.Diff(compact(t, snapshot), string(raw)); diff != "" {
			t.Error(diff)
		}
		again, same := feed.Snapshot()
		if &again[0] != &raw[0] || same != at {
			t.Error("encoded again though nothing changed")
		}
		ann.must("chat", fields{"text": "x"})
		if _, same := feed.Snapshot(); same != at {
			t.Error("the position moved by what watchers do not see")
		}
		want := []RoomSummary{{Room: "a", Participants: 1, Publishing: 1, Locked: true}}
		if diff := cmp.Diff(want, r.srv.List()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFeedLimits(t *testing.T) {
	few := func(cfg *Config) { cfg.Limits = Limits{Rooms: 1, WatchedRooms: 2} }
	bubble(t, few, func(t *testing.T, r *rig) {
		feed := func(name string, want error) *Feed {
			t.Helper()
			f, err := r.srv.Feed(name)
			if !errors.Is(err, want) {
				t.Fatalf("feed of %s: %v, want %v", name, err, want)
			}
			return f
		}
		feed("no/room", ErrBadRoom)
		a, b := feed("a", nil), feed("b", nil)
		feed("c", ErrTooManyRooms)
		ann := r.joined("a", "Ann", 0) // its watchers count no more
		c := feed("c", nil)
		feed("d", ErrTooManyRooms)
		a2 := feed("a", nil)
		ann.closePage()
		feed("d", ErrTooManyRooms) // three are watched now, but none anew
		for _, f := range []*Feed{a, a2, b, c} {
			f.Release()
		}
		d := feed("d", nil)
		d.Release()
		if s := r.srv.Stats(); s.Watchers != 0 {
			t.Errorf("%+v", s)
		}
		// Rooms kept for a return are bounded too: 2 x (1+2).
		for _, name := range []string{"e", "f", "g", "h", "i", "j", "k"} {
			feed(name, nil).Release()
			time.Sleep(time.Millisecond)
		}
		if got := r.srv.Stats().RoomsKept; got > 6 {
			t.Errorf("%d rooms are kept", got)
		}
		if r.srv.lookup("a") != nil || r.srv.lookup("k") == nil {
			t.Error("not the one idle longest was forgotten")
		}
	})
}

func TestStats(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann := r.joined("a", "Ann", 0)
		r.joined("b", "Ben", 0).cut()
		ann.must("chat", fields{"text": "x"})
		ann.ask("dance", nil)
		s := r.srv.Stats()
		if s.Rooms != 2 || s.Sessions != 2 || s.Detached != 1 || s.Connections != 1 || s.Opened != 2 || s.Joined != 2 {
			t.Errorf("%+v", s)
		}
		if s.Messages["join"] != 2 || s.Messages["chat"] != 1 || s.Messages["unknown"] != 1 || s.Messages["mute"] != 0 {
			t.Errorf("%v", s.Messages)
		}
		if s.Errors["unknown_type"] != 1 || s.Closes["0"] != 1 {
			t.Errorf("%v %v", s.Errors, s.Closes)
		}
		if len(s.Closes) != len(closeTable())+1 || len(s.Errors) != len(errorTable()) || len(s.Messages) != len(messageTypes())+1 {
			t.Error("not every key is there from the start")
		}
	})
}
