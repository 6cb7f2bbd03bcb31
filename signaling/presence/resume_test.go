package presence_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley/parley/signaling/presence"
	"github.com/parley/parley/signaling/presence/internal/fakeroom"
	"github.com/parley/parley/signaling/token"
)

// watcher follows a room through a cutter, by one way, and comes back by its position each time it is cut.
type watcher struct {
	view
	url  string
	pass string
	err  error // what must not happen
}

// bySSE follows until the view has caught up with done, or ctx ends.
func (w *watcher) bySSE(ctx context.Context, client *http.Client, done func(view) bool) {
	for ctx.Err() == nil && w.err == nil && !done(w.view) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url, nil)
		if err != nil {
			w.err = err
			return
		}
		req.Header.Set("Accept", "text/event-stream")
		if w.last != "" {
			req.Header.Set("Last-Event-ID", w.last)
		}
		req.Header.Set("Authorization", "Bearer "+w.pass)
		resp, err := client.Do(req)
		if err != nil {
			continue // cut
		}
		s := newSSE(resp)
		for w.err == nil && !done(w.view) {
			e, err := s.next()
			if err != nil {
				break // cut
			}
			w.err = w.apply(e.name, e.id, e.data)
		}
		resp.Body.Close()
	}
}

// byPoll does the same by long-poll.
func (w *watcher) byPoll(ctx context.Context, client *http.Client, done func(view) bool) {
	for ctx.Err() == nil && w.err == nil && !done(w.view) {
		url := w.url + "?wait=200ms"
		if w.last != "" {
			url += "&after=" + w.last
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			w.err = err
			return
		}
		req.Header.Set("Authorization", "Bearer "+w.pass)
		resp, err := client.Do(req)
		if err != nil {
			continue // cut
		}
		var answer struct {
			Position string
			Snapshot json.RawMessage
			Events   []json.RawMessage
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		resp.Body.Close()
		if err != nil {
			continue // cut
		}
		if answer.Snapshot != nil {
			w.err = w.apply("snapshot", answer.Position, string(answer.Snapshot))
		}
		for _, e := range answer.Events {
			var head wire
			if err := json.Unmarshal(e, &head); err != nil {
				w.err = err
				return
			}
			if w.err == nil {
				w.err = w.apply(head.Type, head.Position, string(e))
			}
		}
		if w.err == nil && w.last != answer.Position {
			w.err = fmt.Errorf("position %s behind events up to %s", answer.Position, w.last)
		}
	}
}

// Everybody's list is right at the end, whatever was cut, evicted or started anew on the way; and view.apply fails on
// the first event that comes twice or is missing.
func TestResumeAcrossCuts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		capacity int
		restarts bool
		resets   bool // some must have had more than one snapshot
	}{
		{"roomy log", 10_000, false, false},
		{"small log", 8, false, true},
		{"new epochs", 10_000, true, true},
		{"both", 16, true, true},
	} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%s, seed %d", c.name, seed), func(t *testing.T) {
				t.Parallel()
				cfg := guarded(t)
				cfg.Timing = presence.Timing{Stream: 400 * time.Millisecond}
				g := newRig(t, cfg, c.capacity)
				cutter := newCutter(t, g.http.URL)
				room := g.rooms.Room("r")
				rnd := rand.New(rand.NewPCG(seed, 7))
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				caughtUp := func(v view) bool { return slices.Contains(v.people, "the end") }
				var all sync.WaitGroup
				watchers := make([]watcher, 8)
				for i := range watchers {
					w := &watchers[i]
					w.url = cutter.url() + "/v1/rooms/r/events"
					w.pass, w.moderates = sign(t, "r", time.Hour, token.Watch), false
					if i%4 > 1 {
						w.pass, w.moderates = sign(t, "r", time.Hour, token.Watch, token.Moderate), true
					}
					client := &http.Client{Transport: &http.Transport{}}
					all.Go(func() {
						defer client.CloseIdleConnections()
						if i%2 == 0 {
							w.bySSE(ctx, client, caughtUp)
						} else {
							w.byPoll(ctx, client, caughtUp)
						}
					})
				}
				happen(ctx, rnd, room, cutter, c.restarts)
				room.Join("the end")
				all.Wait()
				truth := room.Names()
				resets := 0
				for i, w := range watchers {
					if w.moderates && !slices.Equal(w.waiting, room.Waiting()) {
						t.Errorf("watcher %d: %v wait, %v", i, w.waiting, room.Waiting())
					}
					if diff := cmp.Diff(truth, w.people); w.err != nil || diff != "" {
						t.Errorf("watcher %d: %v, %s", i, w.err, diff)
					}
					resets += w.snapshots - 1
				}
				if c.resets == (resets == 0) {
					t.Errorf("%d snapshots beyond the first", resets)
				}
				waitFor(t, "feeds to be released", func() bool { return room.Feeds() == 0 })
			})
		}
	}
}

// happen lets people come and go for about a second, in bursts, and cuts everybody's connection now and then.
func happen(ctx context.Context, rnd *rand.Rand, room *fakeroom.Room, cutter *cutter, restarts bool) {
	pause := time.NewTicker(4 * time.Millisecond)
	defer pause.Stop()
	next := 0
	for range 200 {
		for range rnd.IntN(4) {
			if names := room.Names(); len(names) > 0 && rnd.IntN(2) == 0 {
				room.Leave(names[rnd.IntN(len(names))])
			} else {
				room.Join(fmt.Sprintf("p%d", next))
				next++
			}
			switch rnd.IntN(6) {
			case 0, 1:
				room.Whisper("psst")
			case 2:
				room.Knock(fmt.Sprintf("k%d-%d", next, rnd.Uint32()))
			case 3:
				room.Decline()
			}
		}
		if rnd.IntN(20) == 0 {
			cutter.cut()
		}
		if restarts && rnd.IntN(40) == 0 {
			room.Restart()
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}

// A watcher may change from one way to the other at any position.
func TestChangeOfWay(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{}, 0)
	room := g.rooms.Room("r")
	room.Join("ann")
	v := view{moderates: true} // where there are no tokens everybody may
	resp, body := g.get("/v1/rooms/r")
	if err := v.apply("snapshot", strings.TrimSuffix(strings.Trim(resp.Header.Get("ETag"), `"`), ".m"), body); err != nil {
		t.Fatal(err)
	}
	room.Join("bob")
	room.Whisper("psst")
	ctx, cancel := context.WithCancel(t.Context())
	s := g.stream(ctx, "/v1/rooms/r/events?after="+v.last)
	e := s.mustNext(t, "joined")
	if err := v.apply(e.name, e.id, e.data); err != nil {
		t.Fatal(err)
	}
	cancel()
	room.Leave("ann")
	_, body = g.get("/v1/rooms/r/events?after=" + v.last)
	var answer struct{ Events []json.RawMessage }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Events) != 1 {
		t.Fatalf("%s, %v", body, err)
	}
}
