package presence_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parley/parley/signaling/token"
)

// Who may watch and moderate is shown who waits, with a tag of his own that moves with it; others see and are told nothing of it.
func TestSnapshotOfWhoWaits(t *testing.T) {
	t.Parallel()
	g := newRig(t, guarded(t), 0)
	room := g.rooms.Room("r")
	room.Join("ann")
	plain := "Authorization: Bearer " + sign(t, "r", time.Hour, token.Watch)
	moderating := "Authorization: Bearer " + sign(t, "r", time.Hour, token.Watch, token.Moderate)
	other, public := g.get("/v1/rooms/r", plain)
	own, full := g.get("/v1/rooms/r", moderating)
	if strings.Contains(public, "waiting") || !strings.Contains(full, `"waiting":[]`) || other.Header.Get("ETag") == own.Header.Get("ETag") {
		t.Errorf("%s %s, %s %s", other.Header.Get("ETag"), public, own.Header.Get("ETag"), full)
	}
	room.Knock("eve")
	if resp, body := g.get("/v1/rooms/r", plain, "If-None-Match: "+other.Header.Get("ETag")); resp.StatusCode != http.StatusNotModified {
		t.Errorf("others are told: %d %s", resp.StatusCode, body)
	}
	resp, body := g.get("/v1/rooms/r", moderating, "If-None-Match: "+own.Header.Get("ETag"))
	if resp.StatusCode != http.StatusOK || !strings.Contains(body, `"waiting":[{"id":"eve"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if again, _ := g.get("/v1/rooms/r", moderating, "If-None-Match: "+resp.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("%d with the newest tag", again.StatusCode)
	}
	if resp, _ := g.get("/v1/rooms/r", "Authorization: Bearer "+sign(t, "r", time.Hour, token.Moderate)); resp.StatusCode != http.StatusForbidden {
		t.Errorf("%d without the permission to watch", resp.StatusCode)
	}
}

// A poll of one who may moderate ends with a knock; another's goes on waiting, and moves by nothing.
func TestPollForWhoWaits(t *testing.T) {
	t.Parallel()
	g := newRig(t, guarded(t), 0)
	room := g.rooms.Room("r")
	poll := func(after, wait string, can ...token.Permission) (at string, events []json.RawMessage) {
		path := "/v1/rooms/r/events?wait=" + wait
		if after != "" {
			path += "&after=" + after
		}
		_, body := g.get(path, "Authorization: Bearer "+sign(t, "r", time.Hour, can...))
		var answer struct {
			Position string
			Events   []json.RawMessage
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Error(err)
		}
		return answer.Position, answer.Events
	}
	at, _ := poll("", "0s", token.Watch)
	full, _ := poll("", "0s", token.Watch, token.Moderate)
	got := make(chan int, 1)
	go func() {
		_, events := poll(full, "20s", token.Watch, token.Moderate)
		got <- len(events)
	}()
	waitFor(t, "the poll to wait", func() bool { return g.server.Stats().Watchers == 1 })
	room.Knock("eve")
	if n := <-got; n != 1 {
		t.Errorf("%d events", n)
	}
	if next, events := poll(at, "50ms", token.Watch); len(events) != 0 || next != at {
		t.Errorf("another is told %s, and moves from %s to %s", events, at, next)
	}
}
