package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley/parley/sfu"
)

func TestPublish(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1)
		ann.events()
		source := ann.must("publish", fields{"kind": "camera"})["source"]
		if diff := cmp.Diff(map[string]any{"id": ann.me + ".camera", "kind": "camera", "muted": false}, source); diff != "" {
			t.Error(diff)
		}
		if e := ben.event("published"); e["participant"] != ann.me || !cmp.Equal(e["source"], source) {
			t.Errorf("%v", e)
		}
		ann.must("publish", fields{"kind": "camera"}) // again: nothing new
		if got := ben.events(); len(got) != 0 {
			t.Errorf("%v", got)
		}
		ann.must("publish", fields{"kind": "camera", "muted": true})
		ben.event("updated")
		ann.must("unpublish", fields{"kind": "camera"})
		if e := ben.event("unpublished"); e["participant"] != ann.me || e["source"] != ann.me+".camera" {
			t.Errorf("%v", e)
		}
		if n := len(r.media.peer(ann.me).published); n != 0 {
			t.Errorf("%d published", n)
		}
		ann.refused(codeNoSource, "unpublish", fields{"kind": "camera"})
		ann.refused(codeBadMessage, "publish", fields{"kind": "smell"})
		ann.refused(codeBadMessage, "unpublish", nil)

		none := r.joined("a", "Cem", 0)
		none.refused(codeNoMedia, "publish", fields{"kind": "camera"})
		none.refused(codeNoMedia, "negotiate", fields{"media": offer(1)})
		none.refused(codeNoMedia, "subscribe", fields{"tiles": []fields{}})
		few := r.dial("a")
		few.join(fields{"media": fields{"sdp": "v=0", "send": []fields{{"mid": "0", "kind": "camera"}}}})
		few.refused(codeNoMedia, "publish", fields{"kind": "microphone"})
	})
}

func TestPublicationLimit(t *testing.T) {
	two := func(cfg *Config) { cfg.Limits.Publications = 2 }
	bubble(t, two, func(t *testing.T, r *rig) {
		ann := r.joined("a", "Ann", 1)
		ann.must("publish", fields{"kind": "camera"})
		ann.must("publish", fields{"kind": "microphone"})
		ann.refused(codeTooManyTracks, "publish", fields{"kind": "screen"})
		ann.must("publish", fields{"kind": "camera"})
		ann.must("unpublish", fields{"kind": "camera"})
		ann.must("publish", fields{"kind": "screen"})
	})
}

func TestMute(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1)
		ann.must("publish", fields{"kind": "microphone", "muted": true})
		peer := r.media.peer(ann.me)
		if !peer.isMuted(sfu.Microphone) {
			t.Error("not muted in the media")
		}
		ben.events()
		ann.must("mute", fields{"kind": "microphone", "muted": false})
		if peer.isMuted(sfu.Microphone) {
			t.Error("still muted in the media")
		}
		e := ben.event("updated")["participant"].(map[string]any)["sources"].([]any)[0].(map[string]any)
		if e["muted"] != false {
			t.Errorf("%v", e)
		}
		ann.must("mute", fields{"kind": "microphone", "muted": false})
		if got := ben.events("updated"); len(got) != 0 {
			t.Errorf("nothing changed, but %v", got)
		}
		ann.refused(codeNoSource, "mute", fields{"kind": "camera", "muted": true})
		ann.refused(codeBadMessage, "mute", fields{"kind": "microphone"})
		ann.refused(codeBadMessage, "mute", fields{"kind": "microphone", "muted": "yes"})
	})
}

func TestUsedLayers(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann := r.joined("a", "Ann", 1)
		ann.must("layers", fields{"kind": "camera", "used": []string{"q", "h"}})
		if got := r.media.peer(ann.me).used[sfu.Camera]; !slices.Equal(got, []string{"q", "h"}) {
			t.Errorf("the media was told %v", got)
		}
		ann.refused(codeBadMessage, "layers", fields{"kind": "camera", "used": []string{}})
		ann.refused(codeBadMessage, "layers", fields{"kind": "microphone", "used": []string{"q"}})
		ann.refused(codeBadMessage, "layers", fields{"kind": "camera", "used": "q"})
	})
}

// slotMap is the newest slots event, as "participant:video,audio" for each slot.
func (c *client) slotMap() string {
	c.t.Helper()
	events := c.events("slots")
	if len(events) == 0 {
		return "unchanged"
	}
	var s []string
	for i, raw := range events[len(events)-1]["slots"].([]any) {
		slot := raw.(map[string]any)
		if slot["slot"] != float64(i) {
			c.t.Errorf("slot %d says %v", i, slot)
		}
		if slot["participant"] == nil {
			s = append(s, "-")
			continue
		}
		text := c.rig.name(slot["participant"].(string)) + ":"
		for _, half := range []string{"video", "audio"} {
			if id, ok := slot[half].(string); ok {
				_, kind, _ := strings.Cut(id, ".")
				text += kind[:1]
			}
		}
		s = append(s, text)
	}
	return strings.Join(s, " ")
}

// name is the name of a participant of any room.
func (r *rig) name(id string) string {
	r.srv.mu.Lock()
	defer r.srv.mu.Unlock()
	for _, room := range r.srv.rooms {
		room.mu.Lock()
		s := room.sessions[id]
		room.mu.Unlock()
		if s != nil {
			return s.name
		}
	}
	return "?"
}

func tiles(list ...any) fields {
	var all []fields
	for i := 0; i < len(list); i += 2 {
		c, size := list[i].(*client), list[i+1].(int)
		all = append(all, fields{"participant": c.me, "stream": "camera", "width": size, "height": size})
	}
	return fields{"tiles": all}
}

func TestSlots(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben, cem := r.joined("a", "Ann", 2), r.joined("a", "Ben", 1), r.joined("a", "Cem", 1)
		want := func(s string) {
			t.Helper()
			if got := ann.slotMap(); got != s {
				t.Errorf("slots %q, want %q", got, s)
			}
		}
		ann.must("subscribe", tiles(ben, 640, ben, 320, ann, 640))
		want("unchanged") // nothing is published
		ben.must("publish", fields{"kind": "microphone"})
		want("Ben:m -")
		ben.must("publish", fields{"kind": "camera"})
		want("Ben:cm -")
		view := r.media.peer(ann.me).shows()
		if len(view) != 1 || view[0].Slot != 0 || view[0].Width != 640 || view[0].Video == nil || view[0].Audio == nil {
			t.Errorf("is shown %+v", view)
		}
		cem.must("publish", fields{"kind": "microphone"}) // not listed: heard in the slot left over
		want("Ben:cm Cem:m")
		cem.must("publish", fields{"kind": "camera"})
		want("unchanged")
		ann.must("subscribe", tiles(cem, 320, ben, 0))
		want("Ben:m Cem:cm")
		ann.must("subscribe", tiles(cem, 160, ben, 0))
		want("unchanged")
		if view := r.media.peer(ann.me).shows(); view[1].Width != 160 {
			t.Errorf("the size did not follow: %+v", view)
		}
		ben.must("mute", fields{"kind": "microphone", "muted": true})
		want("unchanged") // listed: keeps its slot
		ann.must("subscribe", tiles(cem, 160))
		want("- Cem:cm") // not listed and muted: gone
		cem.closePage()
		want("- -")
		if view := r.media.peer(ann.me).shows(); len(view) != 0 {
			t.Errorf("is shown %+v", view)
		}
		if got := ben.events("slots"); len(got) != 2 { // he heard Cem, and no more
			t.Errorf("Ben's slots: %v", got)
		}

		ann.refused(codeBadMessage, "subscribe", nil)
		ann.refused(codeBadMessage, "subscribe", fields{"tiles": []fields{{"participant": "x", "stream": "smell"}}})
		ann.refused(codeBadMessage, "subscribe", fields{"tiles": []fields{{"participant": "x", "stream": "camera", "width": -1}}})
		ann.refused(codeBadMessage, "subscribe", fields{"tiles": make([]fields, 101)})
		ann.must("subscribe", fields{"tiles": []fields{{"participant": "nobody", "stream": "screen", "width": 1, "height": 1}}})
	})
}

// A source that was closed and opened anew has the same id, but the media node must be shown the new one.
func TestRepublishedSourceIsShown(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1)
		ben.must("publish", fields{"kind": "camera"})
		ann.must("subscribe", tiles(ben, 640))
		ben.must("unpublish", fields{"kind": "camera"})
		ben.must("publish", fields{"kind": "camera"})
		view := r.media.peer(ann.me).shows()
		if len(view) != 1 || view[0].Video != r.media.peer(ben.me).published[sfu.Camera] {
			t.Error("is shown the old source")
		}
	})
}

func TestSpeaking(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben, cem := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1), r.joined("a", "Cem", 1)
		for _, c := range []*client{ann, ben, cem} {
			c.must("publish", fields{"kind": "microphone"})
		}
		watch, err := r.srv.Feed("a")
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Release()
		cem.events()
		told := func(want ...*client) {
			t.Helper()
			time.Sleep(300 * time.Millisecond)
			var got []string
			for _, id := range cem.event("speaking")["participants"].([]any) {
				got = append(got, r.name(id.(string)))
			}
			var names []string
			for _, c := range want {
				names = append(names, r.name(c.me))
			}
			if !slices.Equal(got, names) {
				t.Errorf("speaking: %v, want %v", got, names)
			}
		}
		r.media.speak(ben.me, ann.me)
		told(ben, ann)
		time.Sleep(2 * time.Second)
		if got := cem.events("speaking"); len(got) != 0 {
			t.Errorf("nothing changed, but %v", got)
		}
		r.media.speak(ann.me, "nobody", ben.me)
		told(ann, ben)
		ann.must("mute", fields{"kind": "microphone", "muted": true})
		told(ben)
		ben.must("unpublish", fields{"kind": "microphone"})
		told()
		ann.must("mute", fields{"kind": "microphone", "muted": false})
		told(ann)
		// The last open microphone goes: nobody speaks, at once, and the room stops listening.
		ann.must("unpublish", fields{"kind": "microphone"})
		cem.must("unpublish", fields{"kind": "microphone"})
		if got := cem.event("speaking")["participants"].([]any); len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
}

// With one slot for two unlisted voices, the slot goes to who speaks, and stays there.
func TestLoudestIsHeard(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben, cem := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1), r.joined("a", "Cem", 1)
		ben.must("publish", fields{"kind": "microphone"})
		cem.must("publish", fields{"kind": "microphone"})
		heard := func(want string) {
			t.Helper()
			time.Sleep(300 * time.Millisecond)
			if got := ann.slotMap(); got != want {
				t.Errorf("hears %q, want %q", got, want)
			}
		}
		heard("Ben:m")
		r.media.speak(cem.me)
		heard("Cem:m")
		r.media.speak(ben.me, cem.me)
		heard("unchanged") // one place louder is not enough
		r.media.speak(ben.me)
		heard("Ben:m")
		r.media.speak()
		heard("unchanged")
	})
}

func TestNegotiate(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben, cem := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1), r.joined("a", "Cem", 1)
		ben.must("publish", fields{"kind": "camera"})
		cem.must("publish", fields{"kind": "camera"})
		ann.must("subscribe", tiles(ben, 100, cem, 100))
		if got := ann.slotMap(); got != "Ben:c" {
			t.Errorf("one slot: %q", got)
		}
		reply := ann.must("negotiate", fields{"media": offer(4)})
		if reply["type"] != "negotiated" || reply["media"].(map[string]any)["sdp"] != "v=0 answer" || reply["ice_ttl"] != 3600.0 {
			t.Errorf("%v", reply)
		}
		if got := ann.slotMap(); got != "Ben:c Cem:c - -" {
			t.Errorf("four slots: %q", got)
		}
		ann.must("negotiate", fields{"media": offer(4)}) // an ICE restart
		if got := ann.slotMap(); got != "unchanged" {
			t.Errorf("after a restart: %q", got)
		}
		ann.refused(codeBadMessage, "negotiate", nil)
		ann.refused(codeBadOffer, "negotiate", fields{"media": fields{"sdp": "hello"}})
		r.media.negotiate = func(ctx context.Context, _ string, _ sfu.Offer) (string, error) { return "", sfu.ErrClosed }
		ann.refused(codeNoMedia, "negotiate", fields{"media": offer(4)})
		r.media.negotiate = func(ctx context.Context, _ string, _ sfu.Offer) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}
		ann.refused(codeInternal, "negotiate", fields{"media": offer(4)})
		if !ann.isOpen() {
			t.Error("closed")
		}
	})
}

func TestData(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		join := func(can ...string) *client {
			c := r.dial("a")
			c.join(fields{"token": passStrings(t, can...), "media": offer(1)})
			return c
		}
		ann, ben, cem, mute := join("message"), join("message"), join("subscribe"), join("subscribe")
		hello := sfu.Data{Topic: "t", Payload: []byte("hi"), Reliable: true}
		from := func(c *client, d sfu.Data) { r.media.peer(c.me).on.OnData(d) }
		got := func(c *client) (from []string) {
			p := r.media.peer(c.me)
			p.mu.Lock()
			defer p.mu.Unlock()
			for _, d := range p.got {
				if d.Topic != "t" || string(d.Payload) != "hi" || !d.Reliable || d.To != nil {
					t.Errorf("%+v", d)
				}
				from = append(from, d.From)
			}
			p.got = nil
			return from
		}
		from(ann, hello)
		for _, c := range []*client{ben, cem, mute} {
			if diff := cmp.Diff([]string{ann.me}, got(c)); diff != "" {
				t.Error(diff)
			}
		}
		if got(ann) != nil {
			t.Error("came back to the sender")
		}
		forged := hello
		forged.To, forged.From = []string{cem.me, "nobody"}, ben.me
		from(ann, forged)
		if diff := cmp.Diff([]string{ann.me}, got(cem)); diff != "" || got(ben) != nil {
			t.Error(diff)
		}
		from(mute, hello) // may not
		r.media.peer(ben.me).slow = true
		from(ann, hello)
		on := r.media.peer(ben.me).on
		ben.closePage()
		on.OnData(hello) // has left
		want := map[string]uint64{"sent": 3 + 1 + 2, "slow": 1, "no_recipient": 1, "forbidden": 1, "not_joined": 1, "failed": 0}
		if diff := cmp.Diff(want, r.srv.Stats().Data); diff != "" {
			t.Error(diff)
		}
		on.OnState(sfu.PeerClosed)
	})
}

// A media node that fails in the middle of a session costs the session nothing else.
func TestShowFails(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann := r.joined("a", "Ann", 1)
		ann.must("publish", fields{"kind": "camera"})
		if err := mediaError(errors.Join(errors.New("x"), sfu.ErrClosed)); !strings.Contains(err.Error(), "no_media") {
			t.Errorf("%v", err)
		}
		r.media.peer(ann.me).closed = true
		ann.refused(codeNoMedia, "publish", fields{"kind": "microphone"})
		ann.must("chat", fields{"text": "still here"})
	})
}

// Slots that media refuses are a mistake of ours, unless the client ended its media connection itself and stayed.
func TestShowFailuresAreOurs(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1)
		ann.must("subscribe", fields{"tiles": []fields{{"participant": ben.me, "stream": "camera", "width": 1, "height": 1}}})
		peer := r.media.peer(ann.me)
		peer.closed = true
		ben.must("publish", fields{"kind": "camera"})
		if n := r.srv.Stats().ShowFailures; n != 0 {
			t.Errorf("%d failures of ours where the client has gone", n)
		}
		peer.closed, peer.refusal = false, errors.New("no")
		ben.must("unpublish", fields{"kind": "camera"})
		if n := r.srv.Stats().ShowFailures; n != 1 {
			t.Errorf("%d failures, want 1", n)
		}
	})
}

func TestNullable(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal([]nullable{"", `a"b`})
	if err != nil || string(raw) != `[null,"a\"b"]` {
		t.Errorf("%s %v", raw, err)
	}
}
