package audit

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func trail(addresses bool) (*Trail, *bytes.Buffer) {
	var b bytes.Buffer
	plain := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}}
	return New(slog.New(slog.NewTextHandler(&b, plain)), addresses), &b
}

func TestLines(t *testing.T) {
	t.Parallel()
	ann := Who{Room: "standup", Identity: "ann@example.org", Participant: "p1", Address: netip.MustParseAddr("192.0.2.7")}
	eve := Who{Room: "standup", Identity: "eve\nmsg=audit", Participant: "p2", Address: netip.MustParseAddr("2001:db8::1")}
	for _, addresses := range []bool{true, false} {
		tr, b := trail(addresses)
		tr.Joined(ann)
		tr.Removed(ann, eve, true)
		tr.Moderated(ann, "lock", "")
		tr.Moderated(ann, "mute", "eve")
		tr.Refused(Who{Room: "standup", Address: eve.Address}, "join", "banned", time.Unix(1, 0))
		want := `msg=audit act=join room=standup identity=ann@example.org participant=p1 address=192.0.2.7
msg=audit act=remove banned=true by=ann@example.org by_participant=p1 room=standup identity="eve\nmsg=audit" participant=p2 address=2001:db8::1
msg=audit act=moderate action=lock room=standup identity=ann@example.org participant=p1 address=192.0.2.7
msg=audit act=moderate action=mute on=eve room=standup identity=ann@example.org participant=p1 address=192.0.2.7
msg=audit act=refuse request=join code=banned room=standup address=2001:db8::1
`
		if !addresses {
			want = strings.NewReplacer(" address=192.0.2.7", "", " address=2001:db8::1", "").Replace(want)
		}
		if b.String() != want {
			t.Errorf("addresses %v:\n%s\nwant\n%s", addresses, b, want)
		}
	}
}

// A stranger who is refused again and again cannot fill the disk, and hides no join.
func TestRefusalsAreBounded(t *testing.T) {
	t.Parallel()
	tr, b := trail(true)
	at := time.Unix(1000, 0)
	for i := range 1000 {
		tr.Refused(Who{}, "join", "unauthorized", at.Add(time.Duration(i)*time.Millisecond/2))
	}
	tr.Joined(Who{Identity: "ann"})
	if n := strings.Count(b.String(), "act=refuse"); n != perSecond || tr.Omitted() != 1000-perSecond {
		t.Errorf("%d lines, %d omitted", n, tr.Omitted())
	}
	if !strings.Contains(b.String(), "act=join identity=ann") {
		t.Error("a join was hidden")
	}
	b.Reset()
	tr.Refused(Who{}, "join", "unauthorized", at.Add(time.Second))
	tr.Refused(Who{}, "join", "unauthorized", at.Add(time.Second))
	if want := fmt.Sprintf("omitted=%d\n", 1000-perSecond); strings.Count(b.String(), "omitted") != 1 || !strings.Contains(b.String(), want) {
		t.Errorf("%s, want %s once", b, want)
	}
	b.Reset()
	tr.Refused(Who{}, "join", "unauthorized", at.Add(-time.Hour)) // the clock was set back
	if b.Len() == 0 {
		t.Error("nothing is written for an hour")
	}
}
