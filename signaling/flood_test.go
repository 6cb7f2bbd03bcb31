package signaling

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

// Signals and chat of others do not take from who is away what was for her: not even where a snapshot is all that is left of the rest.
func TestFloodsLeaveOthersSignals(t *testing.T) {
	fast := func(cfg *Config) {
		cfg.Limits = Limits{MessagesPerSecond: 1 << 20, MessageBurst: 1 << 20, LogEntries: 64}
	}
	bubble(t, fast, func(t *testing.T, r *rig) {
		ann, ben, eve := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0), r.joined("a", "Eve", 0)
		at := ann.position()
		ann.cut()
		ben.must("signal", fields{"to": ann.me, "data": "for ann"})
		for range 100 {
			eve.say("signal", fields{"to": ben.me, "data": strings.Repeat("x", 10_000)})
			ben.say("signal", fields{"to": eve.me, "data": strings.Repeat("x", 10_000)})
		}
		reply := ann.resume(at)
		if reply["type"] != "resumed" || reply["room"] != nil {
			t.Fatalf("%v", reply)
		}
		if got := ann.event("signal"); got["data"] != "for ann" {
			t.Errorf("%v", got)
		}
		for range 2 { // the second time as if the first answer had been lost
			ann.cut()
			ben.say("signal", fields{"to": ann.me, "data": "again"})
			for range 100 {
				eve.say("chat", fields{"text": strings.Repeat("y", 1000)})
			}
			if reply := ann.resume(at); reply["room"] == nil {
				t.Fatalf("the test is too mild: %v", reply)
			}
			for _, e := range ann.events("signal") {
				if e["from"] != ben.me {
					t.Errorf("%v", e)
				}
			}
		}
		n := 0
		for _, m := range ann.all() {
			if m["type"] == "signal" && m["data"] == "again" {
				n++
			}
		}
		if n != 2 {
			t.Errorf("%d of 2 signals", n)
		}
	})
}

// say sends a request and does not look for its answer.
func (c *client) say(typ string, f fields) {
	c.t.Helper()
	c.id++
	msg := fields{"type": typ, "id": c.id}
	maps.Copy(msg, f)
	c.send(msg)
}

// Of one who changes all the time everybody hears at a bounded pace, the newest last.
func TestUpdatesAreCoalesced(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0)
		defer ben.keepAlive()()
		ben.events()
		for i := range 100 {
			ann.must("update", fields{"name": fmt.Sprint("Ann ", i)})
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		got := ben.events("updated")
		if len(got) < updateBurst+4 || len(got) > updateBurst+7 {
			t.Errorf("%d events for 100 changes in 5 s", len(got))
		}
		if p := got[len(got)-1]["participant"].(map[string]any); p["name"] != "Ann 99" {
			t.Errorf("the last is %v", p["name"])
		}
	})
}
