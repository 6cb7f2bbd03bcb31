package signaling

import (
	"strings"
	"testing"
	"time"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling/token"
)

// passStrings signs a token for room a.
func passStrings(t *testing.T, can ...string) string {
	t.Helper()
	var list []token.Permission
	for _, c := range can {
		list = append(list, token.Permission(c))
	}
	return pass(t, "a", list...)
}

func TestChat(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben, cem := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0), r.joined("a", "Cem", 0)
		cem.events()
		ok := ann.must("chat", fields{"text": "hello <all>"})
		for _, c := range []*client{ann, ben, cem} {
			e := c.event("message")
			if e["from"] != ann.me || e["name"] != "Ann" || e["text"] != "hello <all>" || e["to"] != nil || e["position"] != ok["position"] {
				t.Errorf("%v", e)
			}
			if at, err := time.Parse(time.RFC3339, e["at"].(string)); err != nil || time.Since(at) > time.Second {
				t.Errorf("at %v", e["at"])
			}
		}
		ann.must("chat", fields{"text": "psst", "to": ben.me})
		if e := ben.event("message"); e["to"] != ben.me || e["text"] != "psst" {
			t.Errorf("%v", e)
		}
		ann.event("message")
		if got := cem.events(); len(got) != 0 {
			t.Errorf("Cem read along: %v", got)
		}
		ann.must("chat", fields{"text": "a note to myself", "to": ann.me})
		ann.event("message")
		ann.refused(codeNoParticipant, "chat", fields{"text": "x", "to": "nobody"})
		ann.refused(codeBadMessage, "chat", nil)
		ann.refused(codeBadMessage, "chat", fields{"text": ""})
		ann.refused(codeTextTooLong, "chat", fields{"text": strings.Repeat("x", 4097)})
		ann.must("chat", fields{"text": strings.Repeat("x", 4096)})
	})
}

// The history holds the newest messages, and goes with the last participant.
func TestHistory(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann := r.joined("a", "Ann", 0)
		for i := range 110 {
			ann.must("chat", fields{"text": strings.Repeat("x", i+1)})
			time.Sleep(50 * time.Millisecond)
		}
		ben := r.joined("a", "Ben", 0)
		messages := ben.welcome["messages"].([]any)
		if len(messages) != 100 || len(messages[0].(map[string]any)["text"].(string)) != 11 || messages[0].(map[string]any)["type"] != "message" {
			t.Errorf("%d messages, the first %v", len(messages), messages[0])
		}
		ann.closePage()
		ben.closePage()
		if got := r.joined("a", "Cem", 0).welcome["messages"].([]any); len(got) != 0 {
			t.Errorf("%d messages in a new meeting", len(got))
		}
	})
}

func TestSignal(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben, cem := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0), r.joined("a", "Cem", 0)
		cem.events()
		ann.must("signal", fields{"to": ben.me, "data": fields{"sdp": "v=0", "n": []int{1, 2}}})
		if e := ben.event("signal"); e["from"] != ann.me || compact(t, e["data"]) != `{"n":[1,2],"sdp":"v=0"}` {
			t.Errorf("%v", e)
		}
		ann.must("signal", fields{"to": ben.me, "data": nil})
		if got := cem.events(); len(got) != 0 {
			t.Errorf("Cem got %v", got)
		}
		ann.refused(codeNoParticipant, "signal", fields{"to": "nobody", "data": 1})
		ann.refused(codeBadMessage, "signal", fields{"to": ben.me})
		ann.refused(codeBadMessage, "signal", fields{"data": 1})
		ann.refused(codeTextTooLong, "signal", fields{"to": ben.me, "data": strings.Repeat("x", 16<<10)})
	})
}

func TestUpdate(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0)
		ann.must("update", fields{"metadata": fields{"hand": true}})
		if p := ben.event("updated")["participant"].(map[string]any); p["name"] != "Ann" || p["metadata"].(map[string]any)["hand"] != true {
			t.Errorf("%v", p)
		}
		ann.must("update", fields{"name": "Anna"})
		if p := ben.event("updated")["participant"].(map[string]any); p["name"] != "Anna" || p["metadata"].(map[string]any)["hand"] != true {
			t.Errorf("%v", p)
		}
		ann.must("update", fields{"name": " Anna ", "metadata": fields{"hand": true}})
		if got := ben.events(); len(got) != 0 {
			t.Errorf("nothing changed, but %v", got)
		}
		ann.refused(codeBadMessage, "update", nil)
		ann.refused(codeBadMessage, "update", fields{"metadata": []int{}})
		ann.refused(codeBadMessage, "update", fields{"name": 7})
		ann.refused(codeBadName, "update", fields{"name": ""})
		ann.refused(codeNameTooLong, "update", fields{"name": strings.Repeat("x", 65)})
		ann.refused(codeMetadataTooLong, "update", fields{"metadata": fields{"x": strings.Repeat("x", 4096)}})
		ann.refused(codeBadName, "update", fields{"name": "\x00", "metadata": fields{"hand": false}})
		if got := ben.events(); len(got) != 0 {
			t.Errorf("half an update: %v", got)
		}
	})
}

func TestModerateMute(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1)
		ben.must("publish", fields{"kind": "microphone"})
		ben.must("publish", fields{"kind": "camera"})
		ben.events()
		ann.events()
		ann.must("moderate", fields{"action": "mute", "participant": ben.me, "kind": "microphone"})
		if e := ben.event("muted"); e["kind"] != "microphone" || e["by"] != ann.me {
			t.Errorf("%v", e)
		}
		if got := ann.events(); len(got) != 2 || got[0]["type"] != "updated" || got[1]["type"] != "slots" {
			t.Errorf("Ann was told %v", got)
		}
		peer := r.media.peer(ben.me)
		if !peer.isMuted(sfu.Microphone) || peer.isMuted(sfu.Camera) {
			t.Error("the media does not know")
		}
		ann.must("moderate", fields{"action": "mute", "participant": ben.me})
		if e := ben.event("muted"); e["kind"] != "camera" {
			t.Errorf("%v", e)
		}
		ben.must("mute", fields{"kind": "microphone", "muted": false}) // may unmute himself
		if peer.isMuted(sfu.Microphone) {
			t.Error("still muted")
		}
		ann.refused(codeNoSource, "moderate", fields{"action": "mute", "participant": ben.me, "kind": "screen"})
		ann.refused(codeNoParticipant, "moderate", fields{"action": "mute", "participant": "nobody"})
		ann.refused(codeBadMessage, "moderate", fields{"action": "mute"})
		ann.refused(codeBadMessage, "moderate", fields{"action": "mute", "participant": ben.me, "kind": "smell"})
		ann.refused(codeBadMessage, "moderate", fields{"action": "dance"})
	})
}

func TestModerateRemove(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben, cem := r.joined("a", "Ann", 0), r.joined("a", "Ben", 1), r.joined("a", "Cem", 0)
		cem.events()
		ann.must("moderate", fields{"action": "remove", "participant": ben.me})
		ben.closedWith(closeRemoved)
		if e := cem.event("left"); e["participant"] != ben.me || e["reason"] != "removed" {
			t.Errorf("%v", e)
		}
		if reply := ben.resume("x"); reply["code"] != string(codeSessionGone) {
			t.Errorf("%v", reply)
		}
		ann.refused(codeNoParticipant, "moderate", fields{"action": "remove", "participant": ben.me})
		ann.must("moderate", fields{"action": "remove", "participant": ann.me}) // answered, then closed
		ann.closedWith(closeRemoved)
	})
}

func TestModerateLock(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		ann := r.dial("a")
		ann.join(fields{"token": passStrings(t, "moderate")})
		ann.must("moderate", fields{"action": "lock"})
		if e := ann.event("room"); e["locked"] != true {
			t.Errorf("%v", e)
		}
		ann.must("moderate", fields{"action": "lock"})
		if got := ann.events(); len(got) != 0 {
			t.Errorf("locked twice: %v", got)
		}
		out := r.dial("a")
		out.refused(codeRoomLocked, "join", r.joinAs("stranger", token.Publish))
		out.closedWith(closeRoomLocked)
		mod := r.dial("a")
		mod.join(fields{"token": passStrings(t, "moderate")})
		if mod.welcome["room"].(map[string]any)["locked"] != true {
			t.Error("the snapshot says open")
		}
		at := ann.position()
		ann.cut()
		if reply := ann.resume(at); reply["type"] != "resumed" {
			t.Errorf("a locked room kept out who was in: %v", reply)
		}
		mod.must("moderate", fields{"action": "unlock"})
		in := r.dial("a")
		in.join(fields{"token": passStrings(t, "publish")})
		mod.must("moderate", fields{"action": "lock"})
		for _, c := range []*client{ann, mod, in} {
			c.closePage()
		}
		r.dial("a").join(fields{"token": passStrings(t, "publish")}) // empty rooms are open
	})
}

func TestModerateEnd(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben, cem := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1), r.joined("a", "Cem", 1)
		watch, err := r.srv.Feed("a")
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Release()
		cem.cut()
		ann.must("moderate", fields{"action": "end"})
		ann.closedWith(closeRoomEnded)
		ben.closedWith(closeRoomEnded)
		if n := len(r.snapshot("a").Participants); n != 0 {
			t.Errorf("%d are still there", n)
		}
		if r.media.open() != 0 {
			t.Error("media is still open")
		}
		if reply := cem.resume("x"); reply["code"] != string(codeSessionGone) {
			t.Errorf("%v", reply)
		}
		r.joined("a", "Ann", 0)
	})
}
