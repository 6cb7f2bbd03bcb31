package eventlog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func follow(t testing.TB, l *Log, from Position, r Reader) *Cursor {
	t.Helper()
	c, err := l.Follow(from, r)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func isReady(c *Cursor) bool {
	select {
	case <-c.Ready():
		return true
	default:
		return false
	}
}

func next(t testing.TB, c *Cursor) []string {
	t.Helper()
	entries, err := c.Next(nil)
	if err != nil {
		t.Fatal(err)
	}
	return texts(t, entries)
}

func TestSessionWakesForItsOwn(t *testing.T) {
	t.Parallel()
	l := New(0)
	c := follow(t, l, l.Position(), Participant("ann"))
	defer c.Close()
	if isReady(c) {
		t.Error("ready before anything happened")
	}
	say(t, l, Only("bob"), "for bob")
	if isReady(c) {
		t.Error("ready for what is for somebody else")
	}
	say(t, l, Participants(), "for all")
	say(t, l, Only("bob"), "for bob")
	if !isReady(c) {
		t.Error("not ready")
	}
	if diff := cmp.Diff([]string{"for all"}, next(t, c)); diff != "" {
		t.Error(diff)
	}
	if c.Position() != l.Position() {
		t.Errorf("at %v, want %v", c.Position(), l.Position())
	}
	if isReady(c) {
		t.Error("ready with nothing left")
	}
}

func TestFollowFromThePast(t *testing.T) {
	t.Parallel()
	l := New(0)
	start := l.Position()
	say(t, l, Audience{}, "one")
	for _, r := range []Reader{Watcher(), Participant("ann")} {
		c := follow(t, l, start, r)
		if !isReady(c) {
			t.Errorf("%+v is not ready", r)
		}
		if diff := cmp.Diff([]string{"one"}, next(t, c)); diff != "" {
			t.Error(diff)
		}
		c.Close()
	}
}

// The first entry after a pause is announced at once, the burst behind it together.
func TestWatchersArePaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(0)
		c := follow(t, l, l.Position(), Watcher())
		defer c.Close()
		<-time.After(time.Second) // of the bubble
		begin := time.Now()
		say(t, l, Audience{}, "0")
		<-c.Ready()
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("the first entry waited %v", waited)
		}
		got := next(t, c)
		for i := range 20 {
			say(t, l, Audience{}, fmt.Sprint(i+1))
		}
		wakeups := 0
		for len(got) < 21 {
			<-c.Ready()
			wakeups++
			got = append(got, next(t, c)...)
		}
		if wakeups != 1 || time.Since(begin) != pace {
			t.Errorf("%d wake-ups in %v, want 1 in %v", wakeups, time.Since(begin), pace)
		}
	})
}

func TestPrivateEntriesDoNotWakeWatchers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(0)
		c := follow(t, l, l.Position(), Watcher())
		defer c.Close()
		say(t, l, Participants(), "private")
		say(t, l, Only("ann"), "private")
		<-time.After(time.Second) // of the bubble
		if isReady(c) {
			t.Error("woken")
		}
	})
}

func TestCursorFallsBehind(t *testing.T) {
	t.Parallel()
	l := New(2)
	for _, r := range []Reader{Watcher(), Participant("ann")} {
		c := follow(t, l, l.Position(), r)
		for range 3 {
			say(t, l, Audience{}, "more")
		}
		if got, err := c.Next(nil); !errors.Is(err, ErrGone) || len(got) != 0 {
			t.Errorf("%+v: %d entries, %v; want ErrGone", r, len(got), err)
		}
		c.Close()
	}
}

func TestCloseEndsReaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(0)
		var all sync.WaitGroup
		for _, r := range []Reader{Watcher(), Watcher(), Participant("ann")} {
			c := follow(t, l, l.Position(), r)
			all.Go(func() {
				defer c.Close()
				got := []string{}
				for {
					entries, err := c.Next(nil)
					got = append(got, texts(t, entries)...)
					if errors.Is(err, ErrClosed) {
						break
					}
					<-c.Ready()
				}
				if diff := cmp.Diff([]string{"last"}, got); diff != "" {
					t.Error(diff)
				}
			})
		}
		synctest.Wait()
		say(t, l, Audience{}, "last")
		l.Close()
		all.Wait()
		late := follow(t, l, l.Position(), Watcher())
		if !isReady(late) {
			t.Error("a closed log has nothing to wait for")
		}
		late.Close()
	})
}

func TestCloseCursor(t *testing.T) {
	t.Parallel()
	l := New(0)
	a, b := follow(t, l, l.Position(), Participant("ann")), follow(t, l, l.Position(), Participant("ann"))
	waiting := a.Ready()
	a.Close()
	a.Close()
	select {
	case <-waiting:
	default:
		t.Error("whoever waits on a closed cursor waits for ever")
	}
	say(t, l, Audience{}, "for the other")
	if !isReady(b) {
		t.Error("closing one cursor of a participant closed both")
	}
	b.Close()
	w := follow(t, l, l.Position(), Watcher())
	w.Close()
	w.Close()
	if len(l.sessions) != 0 || l.public.watchers != 0 {
		t.Errorf("%d sessions and %d watchers are still counted", len(l.sessions), l.public.watchers)
	}
}

// Readers of all kinds, woken and reading while others append: none misses or doubles anything, and none is left asleep.
func TestNoLostWakeups(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		l := New(4096)
		const appends = 300
		readers := []Reader{Watcher(), Watcher(), Watcher().Moderating(), Participant("ann"), Participant("bob")}
		l.Appoint("bob")
		var all sync.WaitGroup
		for _, r := range readers {
			c := follow(t, l, l.Position(), r)
			all.Go(func() {
				defer c.Close()
				var got []Entry
				for {
					var err error
					if got, err = c.Next(got); err != nil {
						if !errors.Is(err, ErrClosed) {
							t.Error(err)
						}
						break
					}
					<-c.Ready()
				}
				want, ok := l.Since(Position{l.epoch, 0}, r)
				if diff := cmp.Diff(texts(t, want), texts(t, got)); !ok || diff != "" {
					t.Errorf("seed %d, %+v: %s", seed, r, diff)
				}
			})
		}
		rnd := rand.New(rand.NewPCG(seed, 2))
		for i := range appends {
			to := []Audience{{}, Participants(), Only("ann"), Only("bob"), Moderators()}[rnd.IntN(5)]
			say(t, l, to, fmt.Sprint(i))
		}
		l.Close()
		all.Wait()
	}
}

// BenchmarkAppend is what an append costs the room, with this many watchers asleep on the log.
func BenchmarkAppend(b *testing.B) {
	for _, watchers := range []int{0, 100, 10_000} {
		b.Run(fmt.Sprint(watchers), func(b *testing.B) {
			l := New(0)
			var all sync.WaitGroup
			for range watchers {
				c := follow(b, l, l.Position(), Watcher())
				all.Go(func() {
					defer func() { c.Close() }()
					var buf []Entry
					for {
						var err error
						if buf, err = c.Next(buf[:0]); errors.Is(err, ErrClosed) {
							return
						}
						if errors.Is(err, ErrGone) { // as a slow watcher would: once more, from here on
							again, err := l.Follow(l.Position(), Watcher())
							if err != nil {
								return
							}
							c.Close()
							c = again
						}
						<-c.Ready()
					}
				})
			}
			b.ReportAllocs()
			for b.Loop() {
				say(b, l, Audience{}, "somebody did something")
			}
			l.Close()
			all.Wait()
		})
	}
}

// In a crowd what can wait wakes everybody once in 100 ms; what cannot brings along what waits; a few are woken at once.
func TestCrowdsArePaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(0)
		var all []*Cursor
		join := func(n int) {
			for range n {
				c := follow(t, l, l.Position(), Participant(fmt.Sprint(len(all))))
				t.Cleanup(c.Close)
				all = append(all, c)
			}
		}
		join(crowdFrom)
		say(t, l, Audience{}.Unhurried(), "few")
		for _, c := range all {
			if !isReady(c) {
				t.Fatal("a few are not woken at once")
			}
			next(t, c)
		}
		join(1)
		<-time.After(time.Second) // of the bubble
		begin := time.Now()
		say(t, l, Audience{}.Unhurried(), "0")
		<-all[0].Ready()
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("the first entry waited %v", waited)
		}
		got := next(t, all[0])
		for i := range 20 {
			say(t, l, Audience{}.Unhurried(), fmt.Sprint(i+1))
		}
		synctest.Wait()
		if isReady(all[0]) {
			t.Error("woken before its time")
		}
		say(t, l, Only("1"), "urgent")
		if isReady(all[0]) || !isReady(all[1]) || len(next(t, all[1])) != 22 {
			t.Error("an urgent entry for one brings what waits to others, or not to him")
		}
		<-all[0].Ready()
		if got = append(got, next(t, all[0])...); len(got) != 21 || time.Since(begin) != crowdPace {
			t.Errorf("%d entries after %v", len(got), time.Since(begin))
		}
		say(t, l, Audience{}.Unhurried(), "last")
		l.Close()
		<-all[0].Ready()
		if more := next(t, all[0]); len(more) != 1 {
			t.Errorf("%v before the end", more)
		}
	})
}
