package eventlog

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// What is for moderators reaches those who may moderate, and nobody else is woken, sees a gap, or has to start over.
func TestForModeratorsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(16)
		l.Appoint("ann")
		readers := map[string]Reader{
			"a watcher": Watcher(), "a participant": Participant("bob"), "a listener": Participant("cem").Listening(),
			"a moderator": Participant("ann"), "a watcher who may moderate": Watcher().Moderating(),
		}
		cursors := map[string]*Cursor{}
		for name, r := range readers {
			cursors[name] = follow(t, l, l.Position(), r)
			defer cursors[name].Close()
		}
		public := l.PublicPosition()
		say(t, l, Moderators(), "knock")
		synctest.Wait()
		for name, c := range cursors {
			sees := name == "a moderator" || name == "a watcher who may moderate"
			if isReady(c) != sees {
				t.Errorf("%s is woken: %v", name, !sees)
			}
			want := []string{}
			if sees {
				want = append(want, "knock")
			}
			if diff := cmp.Diff(want, next(t, c)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		if l.PublicPosition() != public || l.ModeratorPosition() != l.Position() {
			t.Errorf("public %v, for moderators %v, all %v", l.PublicPosition(), l.ModeratorPosition(), l.Position())
		}
		say(t, l, Audience{}, "news")
		if l.PublicPosition() != l.Position() || l.ModeratorPosition() != l.Position() {
			t.Error("a position stands still")
		}
		for i := range 64 {
			say(t, l, Moderators().About(fmt.Sprint(i/2)).By("knocks"), "knock")
		}
		if n := l.news.len() + l.talk.len(); n > 16 || len(l.newest) != l.talk.len() || l.shares[shareKey{author: "knocks"}].entries != l.talk.len() {
			t.Errorf("keeps %d, of %d subjects, %+v", n, len(l.newest), l.shares)
		}
		for name, r := range readers {
			moderates := name == "a moderator" || name == "a watcher who may moderate"
			if _, ok := l.Since(public, r); ok == moderates {
				t.Errorf("%s can go on: %v", name, ok)
			}
		}
	})
}

// Who comes to moderate sees what follows, not what came before, wherever he goes on from; who ceases to sees no more.
func TestAppointed(t *testing.T) {
	t.Parallel()
	l := New(16)
	start := l.Position()
	c := follow(t, l, start, Participant("ann"))
	defer c.Close()
	say(t, l, Moderators(), "before")
	say(t, l, Only("ann"), "you may")
	l.Appoint("ann")
	l.Appoint("ann") // again changes nothing
	say(t, l, Moderators(), "after")
	want := []string{"you may", "after"}
	if diff := cmp.Diff(want, next(t, c)); diff != "" {
		t.Error(diff)
	}
	again, ok := l.Since(start, Participant("ann"))
	if diff := cmp.Diff(want, texts(t, again)); !ok || diff != "" {
		t.Error(diff)
	}
	if list, ok := l.Since(start, Participant("bob")); !ok || len(list) > 0 {
		t.Errorf("another sees %v", list)
	}
	l.Dismiss("ann")
	say(t, l, Moderators(), "later")
	if isReady(c) || len(next(t, c)) > 0 {
		t.Error("who moderates no more sees it")
	}
	// What was evicted before the appointment is no loss.
	for range 32 {
		say(t, l, Moderators(), "many")
	}
	at := say(t, l, Only("bob"), "you may").Position
	l.Appoint("bob")
	if _, ok := l.Since(Position{at.Epoch, at.Seq - 3}, Participant("bob")); !ok {
		t.Error("has lost what he was never to see")
	}
}
