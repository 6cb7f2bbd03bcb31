package signaling

import (
	"fmt"
	"testing"
	"time"
)

// When a client can be reached is decided by these signs alone.
func TestSigns(t *testing.T) {
	t.Parallel()
	timing := Timing{}.withDefaults()
	const never, s = -1, time.Second
	for name, c := range map[string]struct {
		signs
		gone bool
	}{
		"talks":                              {signs{message: 1 * s, media: 0, cut: never, regular: true, pings: 3}, false},
		"a ping is due":                      {signs{message: 4 * s, media: never, cut: never, regular: true, pings: 3}, false},
		"a ping is late":                     {signs{message: 5 * s, media: never, cut: never, regular: true, pings: 3}, false},
		"vanished":                           {signs{message: 6 * s, media: never, cut: never, regular: true, pings: 3}, true},
		"vanished, media and all":            {signs{message: 6 * s, media: 6 * s, cut: never, regular: true, pings: 3}, true},
		"its page hangs, its media flows":    {signs{message: 9 * s, media: 0, cut: never, regular: true, pings: 3}, false},
		"pings slowly":                       {signs{message: 8 * s, media: never, cut: never, pings: 3}, false},
		"has not pinged yet":                 {signs{message: 8 * s, media: never, cut: never}, false},
		"has not pinged, and its media ends": {signs{message: 8 * s, media: 6 * s, cut: never}, true},
		"still silent":                       {signs{away: true, message: 9 * s, media: never, cut: never}, true},
		"speaks again":                       {signs{away: true, message: 0, media: never, cut: never}, false},
		"media comes again":                  {signs{away: true, message: 9 * s, media: 0, cut: never}, false},
		"cut off just now":                   {signs{message: 0, media: never, cut: s / 2}, false},
		"cut off":                            {signs{message: 1 * s, media: never, cut: 1 * s}, true},
		"cut off, its media flows":           {signs{message: 9 * s, media: s / 2, cut: 9 * s}, false},
		"cut off, and a late packet":         {signs{away: true, message: 9 * s, media: 0, cut: 9 * s}, true},
	} {
		if got := c.signs.gone(timing); got != c.gone {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A client that vanishes without a word is seen to within 6 s, by participants and in snapshots; it is back with its next word.
func TestAway(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 0)
		defer ben.keepAlive()()
		stop := ann.keepAlive()
		time.Sleep(20 * time.Second)
		stop()
		ann.send(`{"type":"ping"}`)
		ben.events()
		vanished := time.Now()
		time.Sleep(5400 * time.Millisecond)
		if got := ben.events("updated"); len(got) != 0 {
			t.Fatalf("too early: %v", got)
		}
		time.Sleep(600 * time.Millisecond)
		p := ben.event("updated")["participant"].(map[string]any)
		if p["id"] != ann.me || p["away"] != true || p["away_since"] != vanished.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano) {
			t.Errorf("%v; vanished at %v", p, vanished.UTC())
		}
		if got := r.snapshot("a").Participants; !got[0].Away || got[0].AwaySince == nil || got[1].Away {
			t.Errorf("%+v", got)
		}
		if got := r.srv.Stats().Away; got != 1 {
			t.Errorf("%d away", got)
		}
		ann.send(`{"type":"ping"}`)
		time.Sleep(300 * time.Millisecond)
		if p := ben.event("updated")["participant"].(map[string]any); p["away"] != nil || p["away_since"] != nil {
			t.Errorf("%v", p)
		}
	})
}

// A broken connection is given a second; the resume ends it. Media that flows on shows that nobody is gone.
func TestAwayAfterACut(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 0)
		defer ben.keepAlive()()
		ben.events()
		at := ann.position()
		ann.cut()
		time.Sleep(900 * time.Millisecond)
		ann.resume(at)
		time.Sleep(2 * time.Second)
		if got := ben.events("updated"); len(got) != 0 {
			t.Errorf("flickers: %v", got)
		}
		at = ann.position()
		ann.cut()
		time.Sleep(1300 * time.Millisecond)
		ben.event("updated")
		ann.resume(at)
		if p := ben.event("updated")["participant"].(map[string]any); p["away"] != nil {
			t.Errorf("%v", p)
		}
		ann.cut()
		for range 40 {
			r.media.peer(ann.me).hear()
			time.Sleep(100 * time.Millisecond)
		}
		if got := ben.events("updated"); len(got) != 0 {
			t.Errorf("who is heard is called away: %v", got)
		}
		time.Sleep(1500 * time.Millisecond)
		ben.event("updated")
	})
}

// Clients that ping at another pace, or not at all for a while, do not flicker.
func TestSlowPingersDoNotFlicker(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ben := r.joined("a", "Ben", 0)
		defer ben.keepAlive()()
		for _, pace := range []time.Duration{time.Second, 4500 * time.Millisecond, 6 * time.Second, 9 * time.Second} {
			c := r.joined("a", fmt.Sprint(pace), 0)
			ben.events()
			for range 6 {
				time.Sleep(pace)
				c.send(`{"type":"ping"}`)
			}
			if got := ben.events("updated"); len(got) != 0 {
				t.Errorf("every %v: %v", pace, got)
			}
			c.closePage()
		}
	})
}
