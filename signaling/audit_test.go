package signaling

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/parley/parley/internal/audit"
	"github.com/parley/parley/signaling/token"
)

// journal keeps what a logger writes.
type journal struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.all.Write(b)
}

// audited are the lines of the audit log.
func (j *journal) audited(t *testing.T) (lines []map[string]any) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range bytes.Lines(j.all.Bytes()) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		if m["msg"] == "audit" {
			lines = append(lines, m)
		}
	}
	return lines
}

// Whoever joins, removes, moderates or is refused is in the log: who, where, from which address, and why not.
func TestAudit(t *testing.T) {
	for _, addresses := range []bool{true, false} {
		var j journal
		written := func(cfg *Config) {
			withSecret(cfg)
			cfg.Log = slog.New(slog.NewJSONHandler(&j, nil))
			cfg.Audit = audit.New(cfg.Log, addresses)
		}
		t.Run("", func(t *testing.T) {
			bubble(t, written, func(t *testing.T, r *rig) {
				dial := func(room, from string) *client {
					c := &client{t: t, rig: r, room: room, from: netip.MustParseAddr(from)}
					c.connect("")
					return c
				}
				host, eve := dial("a", "192.0.2.1"), dial("a", "2001:db8::2")
				host.join(r.joinAs("host", token.Moderate))
				eve.join(r.joinAs("eve", token.Message))
				eve.refused(codeForbidden, "moderate", fields{"action": "lock"})
				eve.refused(codeNoParticipant, "signal", fields{"to": "nobody", "data": 1}) // a mistake, nothing to answer for
				host.must("moderate", fields{"action": "lock", "participant": "a long story"})
				host.must("moderate", fields{"action": "remove", "participant": eve.me})
				dial("a", "192.0.2.3").refused(codeBanned, "join", r.joinAs("eve", token.Message))
				dial("a", "192.0.2.4").refused(codeRoomLocked, "join", r.joinAs("bob", token.Message))
				dial("b", "192.0.2.5").refused(codeForbidden, "join", fields{"token": pass(t, "b", token.Watch)})
				dial("a", "192.0.2.6").refused(codeUnauthorized, "join", fields{"token": "x"})
				dial("no/room", "192.0.2.7").refused(codeBadRoom, "join", nil)

				want := [][]any{ // act, identity, room, address, and what is of the act alone
					{"join", "host", "a", "192.0.2.1", nil, nil},
					{"join", "eve", "a", "2001:db8::2", nil, nil},
					{"refuse", "eve", "a", "2001:db8::2", "moderate", "forbidden"},
					{"moderate", "host", "a", "192.0.2.1", "lock", nil},
					{"remove", "eve", "a", "2001:db8::2", "host", true},
					{"refuse", "eve", "a", "192.0.2.3", "join", "banned"},
					{"refuse", "bob", "a", "192.0.2.4", "join", "room_locked"},
					{"refuse", "ann@example.org", "b", "192.0.2.5", "join", "forbidden"},
					{"refuse", nil, "a", "192.0.2.6", "join", "unauthorized"},
				}
				got := j.audited(t)
				if len(got) != len(want) {
					t.Fatalf("%d lines: %v", len(got), got)
				}
				for i, m := range got {
					line := []any{m["act"], m["identity"], m["room"], m["address"]}
					switch m["act"] {
					case "remove":
						line = append(line, m["by"], m["banned"])
					case "moderate":
						line = append(line, m["action"], m["on"])
					default:
						line = append(line, m["request"], m["code"])
					}
					if !addresses {
						want[i][3] = nil
					}
					if !slices.Equal(line, want[i]) {
						t.Errorf("line %d: %v, want %v", i, line, want[i])
					}
				}
				if got[0]["participant"] != host.me || got[4]["participant"] != eve.me || got[4]["by_participant"] != host.me {
					t.Errorf("%v", got)
				}
			})
		})
	}
}
