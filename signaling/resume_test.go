package signaling

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling/internal/eventlog"
)

func TestResumeReplays(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1)
		ben.must("chat", fields{"text": "before"})
		ann.events()
		at := ann.position()
		ann.cut()
		ben.must("chat", fields{"text": "one"})
		ben.must("chat", fields{"text": "two", "to": ann.me})
		ben.must("signal", fields{"to": ann.me, "data": "three"})
		cem := r.joined("a", "Cem", 0)
		ben.must("signal", fields{"to": cem.me, "data": "not for Ann"})

		reply := ann.resume(at)
		if reply["type"] != "resumed" || reply["position"] != at || reply["room"] != nil {
			t.Fatalf("resumed: %v", reply)
		}
		if reply["ice_ttl"] != 3600.0 {
			t.Errorf("no fresh ICE servers: %v", reply)
		}
		var got []string
		for _, e := range ann.events() {
			switch e["type"] {
			case "message":
				got = append(got, e["text"].(string))
			case "signal":
				got = append(got, e["data"].(string))
			default:
				got = append(got, e["type"].(string))
			}
		}
		if s := strings.Join(got, " "); s != "one two three joined" {
			t.Errorf("replayed %q", s)
		}
		if r.media.open() != 2 {
			t.Error("the media did not live on")
		}
		if s := r.srv.Stats(); s.Resumed != 1 || s.Detached != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestResumeFromGonePosition(t *testing.T) {
	small := func(cfg *Config) { cfg.Limits = Limits{LogEntries: 16, History: 5} }
	bubble(t, small, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1)
		ben.must("publish", fields{"kind": "microphone"})
		ann.events()
		before := ann.position()
		ann.cut()
		ben.must("chat", fields{"text": "private", "to": ann.me})
		for i := range 20 {
			ben.must("chat", fields{"text": fmt.Sprint(i)})
		}
		for name, position := range map[string]string{
			"evicted": before, "none": "", "no position": "hello", "another epoch": "x.1",
			"the future": before[:strings.IndexByte(before, '.')] + ".9999",
		} {
			reply := ann.resume(position)
			room, ok := reply["room"].(map[string]any)
			if !ok || reply["position"] != room["position"] || len(room["participants"].([]any)) != 2 {
				t.Fatalf("%s: %v", name, reply)
			}
			if messages := reply["messages"].([]any); len(messages) != 5 || messages[4].(map[string]any)["text"] != "19" {
				t.Errorf("%s: messages %v", name, messages)
			}
			slots := reply["slots"].([]any)
			if len(slots) != 1 || slots[0].(map[string]any)["audio"] != ben.me+".microphone" {
				t.Errorf("%s: slots %v", name, slots)
			}
			if events := ann.events(); len(events) != 0 {
				t.Errorf("%s: also %v", name, events)
			}
			ben.must("chat", fields{"text": "live"})
			ann.event("message")
			ben.must("chat", fields{"text": "19"})
			ann.cut()
		}
	})
}

// The history that replaces all state holds the session's own private messages, and nobody else's.
func TestResumePrivateHistory(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben, cem := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0), r.joined("a", "Cem", 0)
		ann.must("chat", fields{"text": "all 1"})
		ben.must("chat", fields{"text": "to Ann", "to": ann.me})
		ann.must("chat", fields{"text": "to Ben", "to": ben.me})
		cem.must("chat", fields{"text": "all 2"})
		texts := func(reply map[string]any) string {
			var s []string
			for _, m := range reply["messages"].([]any) {
				s = append(s, m.(map[string]any)["text"].(string))
			}
			return strings.Join(s, ", ")
		}
		for _, c := range []*client{ann, ben, cem} {
			c.cut()
			got := texts(c.resume(""))
			want := "all 1, to Ann, to Ben, all 2"
			if c == cem {
				want = "all 1, all 2"
			}
			if got != want {
				t.Errorf("history %q, want %q", got, want)
			}
		}
		if got := texts(r.joined("a", "Dan", 0).welcome); got != "all 1, all 2" {
			t.Errorf("a newcomer's history: %q", got)
		}
	})
}

// A position from before the join would show what was not for this session.
func TestResumeFromBeforeJoin(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann := r.joined("a", "Ann", 0)
		start := ann.position()
		ann.must("chat", fields{"text": "secret"})
		ben := r.joined("a", "Ben", 0)
		ben.cut()
		reply := ben.resume(start)
		if reply["room"] == nil {
			t.Errorf("went on from before the join: %v", reply)
		}
		if got := ben.events(); len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
}

func TestResumeRefused(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0)
		at := ann.position()
		for name, f := range map[string]fields{
			"wrong secret":    {"session": ann.me, "secret": "x", "position": at},
			"another's":       {"session": ann.me, "secret": ben.secret, "position": at},
			"unknown session": {"session": "x", "secret": ann.secret, "position": at},
		} {
			c := r.dial("a")
			c.refused(codeSessionGone, "resume", f)
			c.join(fields{"name": name}) // anew, on the same socket
			c.closePage()
		}
		other := r.dial("b")
		other.refused(codeSessionGone, "resume", fields{"session": ann.me, "secret": ann.secret, "position": at})
		ann.must("chat", fields{"text": "unharmed"})
		ann.closePage()
		if reply := ann.resume(at); reply["code"] != string(codeSessionGone) {
			t.Errorf("resumed a session that had left: %v", reply)
		}
		if got := r.srv.Stats().ResumesGone; got != 5 {
			t.Errorf("%d resumes failed", got)
		}
	})
}

func TestResumeReplaces(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0)
		ben.events()
		old := *ann
		ann.resume(ann.position())
		old.closedWith(closeReplaced)
		ann.must("chat", fields{"text": "from the new one"})
		old.link.Receive([]byte(`{"type":"leave"}`))
		synctest.Wait()
		if got := ben.events(); len(got) != 1 || got[0]["type"] != "message" {
			t.Errorf("Ben was told %v", got)
		}
	})
}

// The old connection's page is closed in the moment between the takeover and its end: the session lives on.
func TestOldPageClosesDuringTakeover(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann := r.joined("a", "Ann", 0)
		old := *ann
		s := r.srv.find("a", ann.me, ann.secret)
		ann.connect("")
		if prev, ok := ann.link.takeOver(s, old.position(), &resumedReply{}); !ok || prev != old.link {
			t.Fatal("not taken over")
		}
		old.closePage()
		if n := len(r.snapshot("a").Participants); n != 1 {
			t.Fatalf("%d participants", n)
		}
		ann.must("chat", fields{"text": "still here"})
	})
}

// A session's answers survive the connection: a repeated request is answered, not served again.
func TestRepeatedRequest(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 0)
		first := ann.must("chat", fields{"text": "once"})
		refusal := ann.ask("chat", fields{"text": "x", "to": "nobody"})
		at := ann.position()
		ann.cut()
		ann.resume(at)
		ann.send(fields{"type": "chat", "id": 2, "text": "once"})
		if again := ann.reply(2); again["position"] != first["position"] {
			t.Errorf("first %v, then %v", first, again)
		}
		ann.send(fields{"type": "chat", "id": 3, "text": "x", "to": "nobody"})
		if again := ann.reply(3); again["message"] != refusal["message"] || again["code"] != refusal["code"] {
			t.Errorf("first %v, then %v", refusal, again)
		}
		if got := ben.events("message"); len(got) != 1 {
			t.Errorf("Ben got %v", got)
		}
		// The resume's own id, 4, does not count: an older request that never arrived is served.
		ann.send(fields{"type": "chat", "id": 4, "text": "two"})
		if got := ben.events("message"); len(got) != 1 || got[0]["text"] != "two" {
			t.Errorf("Ben got %v", got)
		}
		ann.id = 10
		for range 70 {
			ann.must("update", fields{"name": "Ann"})
			time.Sleep(100 * time.Millisecond)
		}
		ann.cut()
		ann.resume(ann.position())
		ann.send(fields{"type": "chat", "id": 2, "text": "once"})
		if old := ann.reply(2); old["code"] != string(codeBadMessage) {
			t.Errorf("after 70 others: %v", old)
		}
		if got := ben.events("message"); len(got) != 0 {
			t.Errorf("Ben got %v", got)
		}
		if got := r.srv.Stats().Repeated; got != 2 {
			t.Errorf("%d repeated", got)
		}
	})
}

// The connection is cut while a request is served. The same request, over the new connection, waits for the answer.
func TestRepeatedWhileServed(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann := r.joined("a", "Ann", 1)
		calls, gate := 0, make(chan struct{})
		r.media.negotiate = func(context.Context, string, sfu.Offer) (string, error) {
			calls++
			<-gate
			return "v=0 restarted", nil
		}
		restart := fields{"type": "negotiate", "id": 5, "media": offer(4)}
		old := ann.link
		go old.Receive([]byte(compact(t, restart)))
		synctest.Wait()
		ann.cut()
		ann.resume(ann.position())
		go ann.link.Receive([]byte(compact(t, restart)))
		synctest.Wait()
		if ann.reply(5) != nil {
			t.Fatal("answered before there was an answer")
		}
		close(gate)
		synctest.Wait()
		if got := ann.reply(5); got["type"] != "negotiated" || got["media"].(map[string]any)["sdp"] != "v=0 restarted" || calls != 1 {
			t.Errorf("%v after %d calls", got, calls)
		}
	})
}

func TestExpiry(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 0)
		ann.events()
		stop := ben.keepAlive()
		defer stop()
		ann.cut()
		time.Sleep(29 * time.Second)
		if got := ben.events("left"); len(got) != 0 {
			t.Fatalf("left after 29 s: %v", got)
		}
		time.Sleep(1100 * time.Millisecond)
		if e := ben.event("left"); e["participant"] != ann.me || e["reason"] != "timeout" {
			t.Errorf("%v", e)
		}
		if r.media.open() != 0 {
			t.Error("the media was not closed")
		}
		if reply := ann.resume("x"); reply["code"] != string(codeSessionGone) {
			t.Errorf("%v", reply)
		}
	})
}

// keepAlive pings until it is stopped.
func (c *client) keepAlive() (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(4 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				c.link.Receive([]byte(`{"type":"ping"}`))
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// A half-open socket: nothing comes any more, and nothing says so. The client is out within 40 s.
func TestSilence(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0)
		stop := ben.keepAlive()
		defer stop()
		time.Sleep(9900 * time.Millisecond)
		if !ann.isOpen() {
			t.Fatal("closed early")
		}
		time.Sleep(200 * time.Millisecond)
		ann.closedWith(closeTimeout)
		if got := ben.events("left"); len(got) != 0 {
			t.Errorf("left at once: %v", got)
		}
		if got := r.srv.Stats().Detached; got != 1 {
			t.Errorf("%d detached", got)
		}
		time.Sleep(20 * time.Second)
		ben.event("left")
		if !ben.isOpen() {
			t.Error("who pings was closed")
		}
	})
}

// A pong names the newest event that the client was sent.
func TestPongPosition(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann := r.joined("a", "Ann", 0)
		pong := func() any {
			ann.send(`{"type":"ping"}`)
			all := ann.all()
			return all[len(all)-1]["position"]
		}
		if got := pong(); got != ann.position() {
			t.Errorf("after the join: %v, not %v", got, ann.position())
		}
		ben, cem := r.joined("a", "Ben", 0), r.joined("a", "Cem", 0)
		ben.must("signal", fields{"to": cem.me, "data": 1})
		if got := pong(); got != ann.position() {
			t.Errorf("%v, not %v", got, ann.position())
		}
	})
}

// A client that does not read is closed as too slow, holds up nobody, and gets everything when it comes back.
func TestTooSlow(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0)
		ann.events()
		at := ann.position()
		release := ann.pipe.stall()
		for i := range 10 {
			ben.must("chat", fields{"text": fmt.Sprint(i)})
		}
		if got := len(ben.events("message")); got != 10 {
			t.Errorf("Ben got %d messages", got)
		}
		time.Sleep(6 * time.Second)
		ann.closedWith(closeTooSlow)
		release()
		ann.resume(at)
		if got := len(ann.events("message")); got != 10 {
			t.Errorf("Ann got %d messages", got)
		}
	})
}

// The log has moved on past a client that reads too slowly, though each write came through.
func TestTooSlowForLog(t *testing.T) {
	small := func(cfg *Config) { cfg.Limits.LogEntries = 16 }
	bubble(t, small, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0)
		release := ann.pipe.stall()
		for i := range 40 {
			ben.must("chat", fields{"text": fmt.Sprint(i)})
		}
		release()
		ann.closedWith(closeTooSlow)
		if reply := ann.resume(ann.position()); reply["room"] == nil {
			t.Errorf("%v", reply)
		}
	})
}

// A client that asks and does not read the answers is closed too.
func TestTooSlowForReplies(t *testing.T) {
	fast := func(cfg *Config) { cfg.Limits = Limits{MessagesPerSecond: 10_000, MessageBurst: 10_000} }
	bubble(t, fast, func(t *testing.T, r *rig) {
		ann := r.joined("a", "Ann", 0)
		release := ann.pipe.stall()
		defer release()
		for range outgoingQueue + 10 {
			ann.send(`{"type":"ping"}`)
		}
		time.Sleep(5 * time.Second)
		ann.closedWith(closeTooSlow)
	})
}

// A large backlog is written in parts, so that answers do not wait for all of it.
func TestBacklogInParts(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0)
		at := ann.position()
		ann.cut()
		for range 4 * relayBatch {
			ben.must("chat", fields{"text": "x"})
			time.Sleep(40 * time.Millisecond)
		}
		ann.connect("")
		release := ann.pipe.stall()
		ann.id++
		go ann.link.Receive([]byte(compact(t, fields{"type": "resume", "id": ann.id, "session": ann.me, "secret": ann.secret, "position": at})))
		synctest.Wait()
		ann.link.Receive([]byte(`{"type":"ping"}`))
		release()
		synctest.Wait()
		all := ann.all()
		for i, m := range all {
			if m["type"] == "pong" && i > relayBatch+2 {
				t.Errorf("the pong came after %d messages", i)
			}
		}
		if got := len(ann.events("message")); got != 4*relayBatch {
			t.Errorf("%d of %d events", got, 4*relayBatch)
		}
	})
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	var a answers
	if _, known := a.find(1); known {
		t.Error("knows what never was")
	}
	for id := uint64(2); id <= 200; id += 2 {
		a.add(id, []byte{byte(id)})
	}
	for id, want := range map[uint64]bool{200: true, 74: true, 72: false, 199: false, 1: false} {
		reply, known := a.find(id)
		if !known || (reply != nil) != want || want && reply[0] != byte(id) {
			t.Errorf("%d: %v %v", id, reply, known)
		}
	}
	if _, known := a.find(201); known {
		t.Error("knows the future")
	}
}

func TestReaches(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		r.joined("a", "Ann", 0)
		room := r.srv.lookup("a")
		at, reader := room.events.Position(), eventlog.Participant("x")
		if !room.reaches(at, reader) || room.reaches(eventlog.Position{Epoch: at.Epoch, Seq: at.Seq + 1}, reader) {
			t.Error("the newest is within reach, the next is not")
		}
	})
}

// TestFarewellAfterTheWriter guards a race: of a page that closed, the writer may hear first, by an error, before the reader
// finds the farewell. The participant leaves at once all the same; not so where the session lives on another connection.
func TestFarewellAfterTheWriter(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0)
		ben.events()
		ann.link.shut(closeGone, "")
		ann.link.End(true)
		if e := ben.event("left"); e["participant"] != ann.me || e["reason"] != "left" {
			t.Errorf("%v", e)
		}
		cem := r.joined("a", "Cem", 0)
		ben.events()
		old := cem.link
		if reply := cem.resume(cem.position()); reply["type"] != "resumed" {
			t.Fatalf("%v", reply)
		}
		old.End(true)
		if got := ben.events("left"); len(got) != 0 {
			t.Errorf("a resumed session ended with its old connection: %v", got)
		}
	})
}
