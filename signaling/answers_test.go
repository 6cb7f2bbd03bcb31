package signaling

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	var a answers
	held := func() (n, bytes int) {
		for _, e := range a.ring {
			if e.reply != nil {
				n, bytes = n+1, bytes+len(e.reply)
			}
		}
		return n, bytes
	}
	for id := uint64(1); id <= 200; id++ {
		a.add(id, []byte("ok"))
	}
	if n, _ := held(); n != rememberedAnswers {
		t.Errorf("%d small answers are held", n)
	}
	for id := uint64(201); id <= 400; id++ {
		a.add(id, make([]byte, 20<<10))
		if reply, known := a.find(id); !known || len(reply) != 20<<10 {
			t.Fatalf("the newest is forgotten: %d", id)
		}
		if n, bytes := held(); bytes > rememberedBytes || bytes != a.bytes {
			t.Fatalf("%d answers hold %d bytes, counted %d", n, bytes, a.bytes)
		}
	}
	if n, _ := held(); n != rememberedBytes/(20<<10) {
		t.Errorf("%d large answers are held", n)
	}
	if reply, known := a.find(350); !known || reply != nil {
		t.Errorf("a forgotten answer: %d bytes, known %v", len(reply), known)
	}
	a.add(401, make([]byte, 2*rememberedBytes)) // larger than all, and still repeated
	if n, _ := held(); n != 1 {
		t.Errorf("%d are held beside the largest", n)
	}
}

// TestErrorTextIsBounded guards that what a client sends is not quoted back at its full length: errors are remembered.
func TestErrorTextIsBounded(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann := r.joined("a", "Ann", 1)
		ann.refused(codeBadOffer, "negotiate", fields{"media": fields{"sdp": "no " + strings.Repeat("\x00", 30<<10)}})
		reply, _ := encodeError(nil, refuse(codeBadOffer, "quoted: %q", strings.Repeat("\x00", 30<<10)), "")
		if len(reply) > 1<<10 || !bytes.Contains(reply, []byte("quoted")) {
			t.Errorf("%d bytes: %.80s", len(reply), reply)
		}
	})
}

// TestLongMessagesCountMore guards the server's time: what an offer costs grows with its length.
func TestLongMessagesCountMore(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann := r.joined("a", "Ann", 1)
		sdp := "v=0" + strings.Repeat("x", 200<<10)
		n := 0
		for ann.ask("negotiate", fields{"media": fields{"sdp": sdp}})["type"] == "negotiated" {
			n++
		}
		if n < 1 || n > 5 {
			t.Errorf("%d offers of 200 KiB at once", n)
		}
		if !ann.isOpen() {
			t.Error("closed at once")
		}
	})
	few := Limits{MessageBurst: 2}
	if got := few.cost(256 << 10); got != 2 {
		t.Errorf("an offer counts as %d, which no client may ever send", got)
	}
	if got := (Limits{MessageBurst: 90}).cost(4 << 10); got != 1 {
		t.Errorf("a chat message counts as %d", got)
	}
}

// TestLogHoldsNoStrangeText guards that what nobody checked is not logged.
func TestLogHoldsNoStrangeText(t *testing.T) {
	var lines bytes.Buffer
	quiet := func(cfg *Config) { cfg.Log = slog.New(slog.NewTextHandler(&lines, nil)) }
	bubble(t, quiet, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 0), r.joined("a", "Ben", 0)
		ann.must("moderate", fields{"action": "lock", "participant": strings.Repeat("strange", 1000)})
		ann.must("moderate", fields{"action": "remove", "participant": ben.me})
		r.shutdown()
		if got := lines.String(); strings.Contains(got, "strange") || !strings.Contains(got, "participant="+ben.me) {
			t.Errorf("log: %.2000s", got)
		}
	})
}
