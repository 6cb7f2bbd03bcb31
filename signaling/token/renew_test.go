package token

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func policy(t *testing.T, cfg Config) *Verifier {
	t.Helper()
	cfg.Secrets = [][]byte{secret, []byte("the secret before that one")}
	v, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A renewed token says what the first said, of one room and one identity, for a while; and so do its own renewals.
func TestRenew(t *testing.T) {
	t.Parallel()
	v := policy(t, Config{})
	first := Claims{
		Room: AnyRoom, Name: "Ann", Can: []Permission{Publish, Watch}, Metadata: json.RawMessage(`{"a":1}`), Fixed: true,
		Expires: noon.Add(25 * time.Second), NotBefore: noon.Add(-time.Hour),
	}
	now, claims := noon, first
	for range 20 { // over three hours after the first has ended
		renewed := v.Renew(claims, "standup", "ann", now)
		if renewed.TTL != DefaultTTL || renewed.Last {
			t.Fatalf("%+v", renewed)
		}
		compact := renewed.Compact
		now = now.Add(renewed.TTL - time.Second)
		var err error
		if claims, err = v.Verify(compact, "standup", now); err != nil {
			t.Fatal(err)
		}
		want := first
		want.Room, want.Identity, want.NotBefore, want.First = "standup", "ann", time.Time{}, first.Expires
		want.Expires = now.Add(time.Second)
		if diff := cmp.Diff(want, claims); diff != "" {
			t.Fatal(diff)
		}
		if _, err := v.Verify(compact, "another", now); !errors.Is(err, ErrRoom) {
			t.Errorf("another room: %v", err)
		}
		if _, err := v.Verify(compact, "standup", now.Add(time.Minute)); !errors.Is(err, ErrExpired) {
			t.Errorf("later: %v", err)
		}
	}
}

func TestRenewHasNone(t *testing.T) {
	t.Parallel()
	open, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	var none *Verifier
	for _, v := range []*Verifier{open, none} {
		if got := v.Renew(Claims{Room: "r", Expires: noon}, "r", "ann", noon); got != (Renewed{}) {
			t.Error("a token where none is needed")
		}
		if at, _ := v.Ends(Claims{}); !at.IsZero() {
			t.Error("a session without a token ends with it")
		}
	}
	long := Claims{Room: "r", Expires: noon, Metadata: json.RawMessage(`"` + strings.Repeat("x", MaxBytes) + `"`)}
	long.Metadata = json.RawMessage(`{"x":` + string(long.Metadata) + `}`)
	if got := policy(t, Config{}).Renew(long, "r", "ann", noon); got != (Renewed{}) {
		t.Error("a token that would be refused for its length")
	}
}

// Where tokens are enforced, no renewal outlives the first one, not one that was made before they were.
func TestEnforced(t *testing.T) {
	t.Parallel()
	lax, strict := policy(t, Config{TTL: time.Hour}), policy(t, Config{TTL: time.Hour, Enforce: true, Grace: 2 * time.Minute})
	first := Claims{Room: "r", Identity: "ann", Can: []Permission{Join}, Expires: noon.Add(30 * time.Minute)}
	renewed := strict.Renew(first, "r", "ann", noon)
	if renewed.TTL != 30*time.Minute || !renewed.Last {
		t.Errorf("%+v", renewed)
	}
	compact, before := renewed.Compact, lax.Renew(first, "r", "ann", noon).Compact
	for at, want := range map[time.Duration]error{0: nil, 30 * time.Minute: nil, 30*time.Minute + DefaultLeeway: ErrExpired, 45 * time.Minute: ErrExpired} {
		for name, c := range map[string]string{"its own": compact, "of before": before} {
			if _, err := strict.Verify(c, "r", noon.Add(at)); !errors.Is(err, want) {
				t.Errorf("%s, after %v: %v, want %v", name, at, err, want)
			}
		}
	}
	claims, err := strict.Verify(compact, "r", noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Claims{first, claims} {
		if at, notice := strict.Ends(c); !at.Equal(noon.Add(32*time.Minute)) || notice != 2*time.Minute {
			t.Errorf("ends at %v, told %v before", at, notice)
		}
	}
	if at, _ := lax.Ends(first); !at.IsZero() {
		t.Errorf("ends at %v", at)
	}
	if got := strict.Renew(first, "r", "ann", noon.Add(30*time.Minute)); got != (Renewed{}) {
		t.Error("renewed when it had ended")
	}
	if _, err := New(Config{Secrets: [][]byte{secret}, Grace: -1}); err == nil {
		t.Error("a grace below 0 is taken")
	}
}
