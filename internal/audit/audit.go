package audit

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

// perSecond is how many refusals a second are written.
const perSecond = 20

// Who is somebody, as far as it is known.
type Who struct {
	Room        string
	Identity    string
	Participant string // id of the session
	Address     netip.Addr
}

// Trail is the log of what was done and refused.
type Trail struct {
	log       *slog.Logger
	addresses bool

	mu      sync.Mutex
	second  time.Time // Guarded by mu: when the present one began.
	written int       // Guarded by mu: refusals in it.
	omitted uint64    // Guarded by mu: refusals not written since one was.
	total   uint64    // Guarded by mu: refusals not written at all.
}

// New makes a trail. Where addresses is false no line has one.
func New(log *slog.Logger, addresses bool) *Trail { return &Trail{log: log, addresses: addresses} }

// Joined notes that somebody took a seat.
func (t *Trail) Joined(who Who) { t.write("join", who) }

// Removed notes that a moderator ended somebody's session; banned: and keeps the identity out.
func (t *Trail) Removed(moderator, who Who, banned bool) {
	t.write("remove", who, slog.Bool("banned", banned), slog.String("by", moderator.Identity), slog.String("by_participant", moderator.Participant))
}

// Moderated notes what else a moderator did; on is whom to, where it is somebody.
func (t *Trail) Moderated(moderator Who, action, on string) {
	attrs := []any{slog.String("action", action)}
	if on != "" {
		attrs = append(attrs, slog.String("on", on))
	}
	t.write("moderate", moderator, attrs...)
}

// Decided notes what a moderator said to somebody who knocked: "admitted" or "declined".
func (t *Trail) Decided(moderator, who Who, outcome string) {
	t.write("knock", who, slog.String("outcome", outcome), slog.String("by", moderator.Identity), slog.String("by_participant", moderator.Participant))
}

// SignedIn notes that a host signed in, and how.
func (t *Trail) SignedIn(who Who, how string) { t.write("sign_in", who, slog.String("how", how)) }

// Refused notes at now that somebody wanted something and did not get it, and the code that he was told.
func (t *Trail) Refused(who Who, what, code string, now time.Time) {
	omitted, ok := t.admit(now)
	if !ok {
		return
	}
	attrs := []any{slog.String("request", what), slog.String("code", code)}
	if omitted > 0 {
		attrs = append(attrs, slog.Uint64("omitted", omitted))
	}
	t.write("refuse", who, attrs...)
}

// Omitted counts the refusals that were not written.
func (t *Trail) Omitted() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.total
}

// admit reports whether another refusal may be written, and how many were not since the last.
func (t *Trail) admit(now time.Time) (omitted uint64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if since := now.Sub(t.second); since >= time.Second || since < 0 {
		t.second, t.written = now, 0
	}
	if t.written >= perSecond {
		t.omitted++
		t.total++
		return 0, false
	}
	t.written++
	omitted, t.omitted = t.omitted, 0
	return omitted, true
}

func (t *Trail) write(act string, who Who, more ...any) {
	attrs := append([]any{slog.String("act", act)}, more...)
	for _, a := range []struct{ key, value string }{
		{"room", who.Room}, {"identity", who.Identity}, {"participant", who.Participant},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, a.value))
		}
	}
	if t.addresses && who.Address.IsValid() {
		attrs = append(attrs, slog.String("address", who.Address.String()))
	}
	t.log.Info("audit", attrs...)
}
