package hosts

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	here = netip.MustParsePrefix("198.51.100.7/32")
	key  = bytes.Repeat([]byte{7}, 32)
)

const phrase = "correct horse battery"

// quick is a hash that takes no time.
func quick(passphrase string) string {
	salt := []byte("salt salt")
	return hashed{1, salt, derive(passphrase, salt, 1)}.String()
}

func hosts(t *testing.T, cfg Config) *Hosts {
	t.Helper()
	if cfg.Key == nil {
		cfg.Key = key
	}
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHash(t *testing.T) {
	t.Parallel()
	a, err := Hash(phrase)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Hash(phrase)
	if err != nil || a == b || strings.ContainsAny(a, "$ \\'\"") {
		t.Errorf("%q, %q, %v", a, b, err)
	}
	h, err := parse(a)
	if err != nil || !h.fits(phrase) || h.fits(phrase+" ") || h.iterations != iterations {
		t.Errorf("%+v, %v", h, err)
	}
	for _, bad := range []string{"short", strings.Repeat("x", MaxPassphrase+1)} {
		if _, err := Hash(bad); err == nil {
			t.Errorf("%d bytes are taken", len(bad))
		}
	}
	for _, bad := range []string{"", phrase, "pbkdf2-sha256", "pbkdf2-sha256.0.c2FsdHNhbHQ.x", a + ".x", "bcrypt" + a, strings.Replace(a, "600000", "99999999999", 1)} {
		if Valid(bad) == nil {
			t.Errorf("%q is a hash", bad)
		}
		if _, err := New(Config{Key: key, Passphrase: bad}); (err == nil) != (bad == "") {
			t.Errorf("New with %q: %v", bad, err)
		}
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	h := hosts(t, Config{Passphrase: quick(phrase)})
	who, session, err := h.SignIn(context.Background(), phrase, "Ann", here, noon)
	if err != nil || who.Name != "Ann" || !strings.HasPrefix(who.Identity, "host-") {
		t.Fatalf("%+v, %v", who, err)
	}
	for at, want := range map[time.Duration]bool{0: true, DefaultSession - time.Second: true, DefaultSession: false} {
		if got, _, ok := h.Check(session, noon.Add(at)); ok != want || ok && got != who {
			t.Errorf("after %v: %+v, %v", at, got, ok)
		}
	}
	if _, _, err := h.SignIn(context.Background(), "wrong", "", here, noon); !errors.Is(err, ErrWrong) {
		t.Error(err)
	}
	if _, _, err := hosts(t, Config{}).SignIn(context.Background(), "", "", here, noon); !errors.Is(err, ErrOff) {
		t.Error(err)
	}
	other, _, err := h.SignIn(context.Background(), phrase, "Ann", here, noon)
	if err != nil || other.Identity == who.Identity {
		t.Error("two sign-ins are one identity")
	}
}

// A session ends with another key, another passphrase, or none, and is not what anybody can make up.
func TestSessionIsBound(t *testing.T) {
	t.Parallel()
	h := hosts(t, Config{Passphrase: quick(phrase), Link: true, OIDC: "issuer a"})
	_, session, err := h.SignIn(context.Background(), phrase, "Ann", here, noon)
	if err != nil {
		t.Fatal(err)
	}
	vouched := h.Vouch("ann@example.org", "Ann", noon)
	for name, cfg := range map[string]Config{
		"another key":        {Key: bytes.Repeat([]byte{8}, 32), Passphrase: quick(phrase), OIDC: "issuer a"},
		"another passphrase": {Passphrase: quick("another phrase"), OIDC: "issuer b"},
		"none":               {},
	} {
		other := hosts(t, cfg)
		for _, s := range []string{session, vouched} {
			if _, _, ok := other.Check(s, noon); ok {
				t.Errorf("%s: it is still good", name)
			}
		}
	}
	text, sum, _ := strings.Cut(session, ".")
	for _, forged := range []string{"", ".", text, text + ".", "." + sum, text + "." + sum[1:], "x" + session, session + "x", strings.Repeat("a", 4000)} {
		if _, _, ok := h.Check(forged, noon); ok {
			t.Errorf("%q is good", forged)
		}
	}
	if who, _, ok := h.Check(vouched, noon); !ok || who.Identity != "ann@example.org" {
		t.Errorf("%+v, %v", who, ok)
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	h := hosts(t, Config{Link: true})
	if _, _, err := h.Redeem("", "", here, noon); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
	first := h.NewLink(noon)
	key := h.NewLink(noon)
	if _, _, err := h.Redeem(first, "", here, noon); !errors.Is(err, ErrKey) {
		t.Error("the one before is still good")
	}
	if _, _, err := hosts(t, Config{Link: true}).Redeem(key, "", here, noon); !errors.Is(err, ErrKey) {
		t.Error("another start takes it")
	}
	if _, session, err := h.Redeem(key, "Ann", here, noon); err != nil {
		t.Error(err)
	} else if _, _, ok := h.Check(session, noon); !ok {
		t.Error("its session is not good")
	}
	if _, _, err := h.Redeem(key, "", here, noon); !errors.Is(err, ErrKey) {
		t.Error("it is good twice")
	}
	late := h.NewLink(noon)
	if _, _, err := h.Redeem(late, "", netip.Prefix{}, noon.Add(24*time.Hour)); !errors.Is(err, ErrKey) {
		t.Error("it is good after a day")
	}
}

// Wrong tries make an address wait longer and longer, and no other.
func TestTriesAreSlowed(t *testing.T) {
	t.Parallel()
	h := hosts(t, Config{Passphrase: quick(phrase)})
	try := func(from netip.Prefix, passphrase string, at time.Time) (wait time.Duration) {
		_, _, err := h.SignIn(context.Background(), passphrase, "", from, at)
		if many, ok := errors.AsType[*TooMany](err); ok {
			return many.Wait
		}
		return 0
	}
	now := noon
	for range 3 {
		try(here, "wrong", now)
	}
	if try(here, phrase, now) != time.Second || try(netip.MustParsePrefix("203.0.113.1/32"), phrase, now) != 0 {
		t.Error("the fourth try does not wait, or another address does")
	}
	now = now.Add(time.Second)
	try(here, "wrong", now)
	if wait := try(here, phrase, now); wait != 2*time.Second {
		t.Errorf("it does not double: %v", wait)
	}
	for range 20 {
		now = now.Add(longestWait)
		try(here, "wrong", now)
	}
	if wait := try(here, phrase, now); wait != longestWait {
		t.Errorf("it grows to %v", wait)
	}
	if s := h.Stats(); s.Wrong == 0 || s.Slowed == 0 || s.SignedIn["passphrase"] == 0 {
		t.Errorf("%+v", s)
	}
}

// Many addresses together are slowed, too, and few of them are remembered.
func TestTriesOfAll(t *testing.T) {
	t.Parallel()
	h := hosts(t, Config{Passphrase: quick(phrase)})
	slowed := 0
	for i := range 10_000 {
		from := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
		var many *TooMany
		if _, _, err := h.SignIn(context.Background(), "wrong", "", from, noon.Add(time.Duration(i)*time.Millisecond)); errors.As(err, &many) {
			slowed++
		}
	}
	if slowed < 9900 {
		t.Errorf("only %d were slowed", slowed)
	}
	for i := range 2 * maxAddresses {
		h.tries.failed(netip.PrefixFrom(netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}), 32), noon)
	}
	if n := len(h.tries.by); n > maxAddresses {
		t.Errorf("%d addresses are remembered", n)
	}
}

// One passphrase is hashed at a time, and of those who wait only few.
func TestFloodIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := hosts(t, Config{Passphrase: quick(phrase)})
		h.hashing <- struct{}{}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var waiting sync.WaitGroup
		for range queue {
			waiting.Go(func() {
				if _, _, err := h.SignIn(ctx, phrase, "", here, noon); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		var many *TooMany
		if _, _, err := h.SignIn(ctx, phrase, "", here, noon); !errors.As(err, &many) {
			t.Error(err)
		}
		cancel()
		waiting.Wait()
	})
}

func FuzzCheck(f *testing.F) {
	h, err := New(Config{Key: key, Passphrase: quick(phrase)})
	if err != nil {
		f.Fatal(err)
	}
	_, session, _ := h.SignIn(context.Background(), phrase, "Ann", here, noon)
	f.Add(session)
	f.Add("e30.x")
	f.Fuzz(func(t *testing.T, s string) {
		if who, _, ok := h.Check(s, noon); ok {
			if text, _, _ := strings.Cut(s, "."); s != text+"."+base64.RawURLEncoding.EncodeToString(h.sign(text)) {
				t.Errorf("%q is %+v", s, who)
			}
		}
	})
}

func FuzzHash(f *testing.F) {
	f.Add(quick(phrase))
	f.Add("pbkdf2-sha256.1.YWFhYWFhYWE.x")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parse(s)
		if err != nil {
			return
		}
		if again, err := parse(h.String()); err != nil || again.String() != h.String() {
			t.Errorf("%q: %v", s, err)
		}
	})
}
