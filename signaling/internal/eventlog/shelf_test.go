package eventlog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What some say to each other, and to all, does not push out what is kept for somebody who is away, nor what the server says.
func TestFloodsOfTalk(t *testing.T) {
	t.Parallel()
	l := New(64)
	start := l.Position()
	say(t, l, Only("ann").By("ben"), "for ann")
	say(t, l, Audience{}, "news")
	for i := range 2000 {
		author := fmt.Sprint("flooder", i%5)
		say(t, l, Only(fmt.Sprint("flooder", (i+1)%5)).By(author), strings.Repeat("x", 3000))
		say(t, l, Only("ben").By("ben"), "x") // also where the author floods others
	}
	entries, ok := l.Since(start, Participant("ann"))
	if diff := cmp.Diff([]string{"for ann", "news"}, texts(t, entries)); !ok || diff != "" {
		t.Fatalf("ok %v: %s", ok, diff)
	}
	if _, ok := l.Since(start, Participant("flooder0")); ok {
		t.Error("who was flooded lost something, and is not told")
	}
	if n, bytes := l.talk.len(), l.talk.bytes; n > 32 || bytes > 32*bytesPerEntry {
		t.Errorf("%d entries of talk are kept, %d bytes", n, bytes)
	}
	for range 2000 { // in her own inbox the flooder gives way
		say(t, l, Only("ann").By("flooder0"), "x")
		say(t, l, Participants().By("flooder1"), "x")
	}
	taken := texts(t, l.Take(start, "note", "ann"))
	if len(taken) == 0 || taken[0] != "for ann" {
		t.Errorf("taken: %.80q", taken)
	}
	if again := l.Take(start, "note", "ann"); len(again) != 0 {
		t.Errorf("%d are taken twice", len(again))
	}
	for k, s := range l.shares {
		if s.entries <= 0 || s.bytes <= 0 {
			t.Errorf("%+v: %+v", k, s)
		}
	}
}

// Of what replaces each other a late reader gets the newest; a reader that follows misses none.
func TestNewestOfASubject(t *testing.T) {
	t.Parallel()
	l := New(64)
	start := l.Position()
	c, err := l.Follow(start, Watcher())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	about := Audience{}.About("ann")
	say(t, l, about, "1")
	say(t, l, Audience{}, "other")
	if got, err := c.Next(nil); err != nil || len(got) != 2 {
		t.Fatalf("%d, %v", len(got), err)
	}
	for i := range 500 {
		say(t, l, about, fmt.Sprint(i))
	}
	got, err := c.Next(nil)
	if diff := cmp.Diff([]string{"499"}, texts(t, got)); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	late, ok := l.Since(start, Watcher())
	if diff := cmp.Diff([]string{"other", "499"}, texts(t, late)); !ok || diff != "" {
		t.Errorf("ok %v: %s", ok, diff)
	}
	for range 100 {
		say(t, l, Audience{}, "x")
	}
	if len(l.newest) != 0 {
		t.Errorf("an evicted entry is remembered: %v", l.newest)
	}
}

func TestLostIsBounded(t *testing.T) {
	t.Parallel()
	l := lost{only: map[string]uint64{}}
	for i := range 3 * maxLost {
		l.note(&Entry{Position: Position{Seq: uint64(i + 1)}, Audience: Only(fmt.Sprint(i))})
	}
	if len(l.only) > maxLost {
		t.Errorf("%d are remembered", len(l.only))
	}
	if l.of(Participant("0")) == 0 || l.of(Watcher()) != 0 {
		t.Errorf("forgot that something was lost: %+v", l.of(Participant("0")))
	}
}
