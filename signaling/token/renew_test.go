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
	if got := none.Renew(Claims{Room: "r", Expires: noon}, "r", "ann", noon); got != (Renewed{}) {
		t.Error("a token of no verifier")
	}
	for _, v := range []*Verifier{open, none} {
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
	if admitted := strict.Admit(first, "r", "ann", noon); admitted.TTL != 30*time.Minute {
		t.Errorf("who was let in may stay for %v", admitted.TTL)
	}
	if got := strict.Renew(first, "r", "ann", noon.Add(30*time.Minute)); got != (Renewed{}) {
		t.Error("renewed when it had ended")
	}
	if _, err := New(Config{Secrets: [][]byte{secret}, Grace: -1}); err == nil {
		t.Error("a grace below 0 is taken")
	}
}

// Who came without a token comes back as the same, and as one who was in; also where nothing outlives a token.
func TestRenewAnonymous(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{"no secret": {}, "a secret": {Secrets: [][]byte{secret}, Anyone: true, Enforce: true}} {
		v, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		claims, err := v.Verify("", "r", noon)
		if err != nil || !claims.Anonymous || claims.WasIn() {
			t.Fatalf("%s: %+v, %v", name, claims, err)
		}
		if at, _ := v.Ends(claims); !at.IsZero() {
			t.Errorf("%s: it ends at %v", name, at)
		}
		renewed := v.Renew(claims, "r", "ann", noon)
		if claims, err = v.Verify(renewed.Compact, "r", noon); err != nil || !claims.Anonymous || !claims.WasIn() || claims.Identity != "ann" {
			t.Errorf("%s: %+v, %v", name, claims, err)
		}
		later := noon.Add(DefaultTTL - time.Minute)
		if claims, err = v.Verify(v.Renew(claims, "r", "ann", later).Compact, "r", noon.Add(DefaultTTL)); err != nil || claims.Identity != "ann" {
			t.Errorf("%s, again: %+v, %v", name, claims, err)
		}
	}
}

// A token that must knock does not any more once its holder was let in, and who was let in was not in yet.
func TestAdmit(t *testing.T) {
	t.Parallel()
	v := policy(t, Config{})
	knocking := Claims{Room: "r", Identity: "bob", Can: []Permission{Publish}, Knock: true, Guest: true, Invitation: "i", Expires: noon.Add(time.Minute)}
	for name, made := range map[string]struct {
		renewed Renewed
		wasIn   bool
	}{"admitted": {v.Admit(knocking, "r", "bob", noon), false}, "renewed": {v.Renew(knocking, "r", "bob", noon), true}} {
		c, err := v.Verify(made.renewed.Compact, "r", noon)
		if err != nil || c.Knock || !c.Guest || c.Invitation != "i" || c.WasIn() != made.wasIn {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

// Moderators invite where the server says so; a token that is not good counts as none where there is no secret, and nowhere else.
func TestPolicies(t *testing.T) {
	t.Parallel()
	compact, err := Sign(secret, Claims{Room: "r", Can: []Permission{Moderate}, Expires: noon})
	if err != nil {
		t.Fatal(err)
	}
	for _, inviting := range []bool{true, false} {
		if c, err := policy(t, Config{ModeratorsInvite: inviting}).Verify(compact, "r", noon); err != nil || c.May(Invite) != inviting {
			t.Errorf("%+v, %v", c, err)
		}
	}
	if c, err := policy(t, Config{Anyone: true, Open: []Permission{Watch}}).Verify("", "r", noon); err != nil || !c.Anonymous || c.May(Join) {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := policy(t, Config{Anyone: true}).Verify(compact, "other", noon); !errors.Is(err, ErrRoom) {
		t.Error(err)
	}
	open, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := open.Verify(compact, "r", noon); err != nil || !c.Anonymous {
		t.Errorf("%+v, %v", c, err)
	}
}
