package token

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

var (
	secret = []byte("a secret of more than thirty-two bytes")
	noon   = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
)

func verifier(t testing.TB) *Verifier {
	t.Helper()
	v, err := New(Config{Secrets: [][]byte{secret}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// forge signs any header and payload with any method, as an attacker or a careless issuer would.
func forge(t testing.TB, method jwt.SigningMethod, key any, payload string) string {
	t.Helper()
	var claims jwt.MapClaims
	if err := json.Unmarshal([]byte(payload), &claims); err != nil {
		t.Fatal(err)
	}
	s, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignVerify(t *testing.T) {
	t.Parallel()
	want := Claims{
		Room: "standup", Identity: "ann@example.org", Name: "Ann", Can: []Permission{Publish, Watch},
		Metadata: json.RawMessage(`{"hand":true}`), Expires: noon.Add(time.Hour), NotBefore: noon,
	}
	compact, err := Sign(secret, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := verifier(t).Verify(compact, "standup", noon)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
	if !got.May(Watch) || got.May(Moderate) {
		t.Error("permissions are mixed up")
	}
}

func TestVerifyTimes(t *testing.T) {
	t.Parallel()
	compact, err := Sign(secret, Claims{Room: AnyRoom, Expires: noon, NotBefore: noon.Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Duration]error{
		-time.Hour - DefaultLeeway - time.Second: ErrInvalid,
		-time.Hour - DefaultLeeway:               nil,
		-time.Second:                             nil,
		DefaultLeeway - time.Second:              nil,
		DefaultLeeway + time.Second:              ErrExpired,
		24 * time.Hour:                           ErrExpired,
	} {
		if _, err := verifier(t).Verify(compact, "any", noon.Add(at)); !errors.Is(err, want) {
			t.Errorf("at %v: %v, want %v", at, err, want)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	const good = `{"room":"standup","sub":"ann","can":["watch"],"exp":1795352400}` // 25 hours past noon
	hs256 := jwt.SigningMethodHS256
	valid := forge(t, hs256, secret, good)
	head, rest, _ := strings.Cut(valid, ".")
	body, signature, _ := strings.Cut(rest, ".")
	enc := base64.RawURLEncoding.EncodeToString
	for name, c := range map[string]struct {
		compact string
		want    error
	}{
		"none at all":           {"", ErrMissing},
		"garbage":               {"garbage", ErrInvalid},
		"two parts":             {head + "." + body, ErrInvalid},
		"four parts":            {valid + ".x", ErrInvalid},
		"no signature":          {head + "." + body + ".", ErrInvalid},
		"signature cut":         {valid[:len(valid)-2], ErrInvalid},
		"padding":               {valid + "=", ErrInvalid},
		"payload swapped":       {head + "." + enc([]byte(strings.Replace(good, "standup", "*", 1))) + "." + signature, ErrInvalid},
		"alg none":              {forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good), ErrInvalid},
		"alg none, our mac":     {enc([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + body + "." + signature, ErrInvalid},
		"HS512":                 {forge(t, jwt.SigningMethodHS512, secret, good), ErrInvalid},
		"HS384":                 {forge(t, jwt.SigningMethodHS384, secret, good), ErrInvalid},
		"no alg":                {enc([]byte(`{"typ":"JWT"}`)) + "." + body + "." + signature, ErrInvalid},
		"another secret":        {forge(t, hs256, []byte("another secret"), good), ErrInvalid},
		"no exp":                {forge(t, hs256, secret, `{"room":"standup"}`), ErrInvalid},
		"exp null":              {forge(t, hs256, secret, `{"room":"standup","exp":null}`), ErrInvalid},
		"exp zero":              {forge(t, hs256, secret, `{"room":"standup","exp":0}`), ErrExpired},
		"exp long ago":          {forge(t, hs256, secret, `{"room":"standup","exp":1}`), ErrExpired},
		"expired, wrong secret": {forge(t, hs256, []byte("another secret"), `{"room":"standup","exp":1}`), ErrInvalid},
		"nbf ahead":             {forge(t, hs256, secret, `{"room":"standup","exp":1795352400,"nbf":1795300000}`), ErrInvalid},
		"room .":                {forge(t, hs256, secret, `{"room":".","exp":1795352400}`), ErrInvalid},
		"room ..":               {forge(t, hs256, secret, `{"room":"..","exp":1795352400}`), ErrInvalid},
		"room of no URL":        {forge(t, hs256, secret, `{"room":"stand up","exp":1795352400}`), ErrInvalid},
		"update a string":       {forge(t, hs256, secret, `{"room":"standup","update":"no","exp":1795352400}`), ErrInvalid},
		"no room":               {forge(t, hs256, secret, `{"exp":1795352400}`), ErrInvalid},
		"room a number":         {forge(t, hs256, secret, `{"room":7,"exp":1795352400}`), ErrInvalid},
		"can a string":          {forge(t, hs256, secret, `{"room":"standup","can":"watch","exp":1795352400}`), ErrInvalid},
		"metadata a list":       {forge(t, hs256, secret, `{"room":"standup","metadata":[],"exp":1795352400}`), ErrInvalid},
		"another room":          {forge(t, hs256, secret, `{"room":"Standup","exp":1795352400}`), ErrRoom},
		"too long":              {valid + strings.Repeat("A", MaxBytes), ErrInvalid},
		"control characters":    {"\x00.\x00.\x00", ErrInvalid},
	} {
		claims, err := verifier(t).Verify(c.compact, "standup", noon)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if diff := cmp.Diff(Claims{}, claims); diff != "" {
			t.Errorf("%s: refused, and yet: %s", name, diff)
		}
		if err != nil && c.compact != "" && strings.Contains(err.Error(), c.compact) {
			t.Errorf("%s: the error quotes the token", name)
		}
	}
	if _, err := verifier(t).Verify(valid, "standup", noon); err != nil {
		t.Errorf("the model of all these is refused itself: %v", err)
	}
}

func TestNothingGrantedNothingAllowed(t *testing.T) {
	t.Parallel()
	compact := forge(t, jwt.SigningMethodHS256, secret, `{"room":"r","can":["fly"],"exp":1795352400}`)
	claims, err := verifier(t).Verify(compact, "", noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(All(), Update) {
		if claims.May(p) {
			t.Errorf("may %s", p)
		}
	}
}

// A seat is implied by what needs one; changing oneself comes with the seat, unless the token says no.
func TestImpliedPermissions(t *testing.T) {
	t.Parallel()
	for can, want := range map[string]string{
		`[]`:                   ``,
		`null`:                 ``,
		`["watch","list"]`:     `watch list`,
		`["update"]`:           ``,
		`["join"]`:             `join update`,
		`["publish"]`:          `publish join update`,
		`["subscribe"]`:        `subscribe join update`,
		`["join","message"]`:   `message join update`,
		`["moderate","watch"]`: `moderate watch join update`,
		`["fly","message"]`:    `fly message join update`,
	} {
		for more, lacks := range map[string]string{``: ``, `"update":true,`: ``, `"update":null,`: ``, `"update":false,`: ` update`} {
			claims, err := verifier(t).Verify(forge(t, jwt.SigningMethodHS256, secret, `{"room":"r",`+more+`"can":`+can+`,"exp":1795352400}`), "r", noon)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range claims.Permissions() {
				got = append(got, string(p))
				if !claims.May(p) {
					t.Errorf("%s: lists %s, and may not", can, p)
				}
			}
			if want := strings.TrimSuffix(want, lacks); strings.Join(got, " ") != want {
				t.Errorf("%s %s: %v, want %s", more, can, got, want)
			}
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	limited, err := New(Config{Open: []Permission{Watch}})
	if err != nil {
		t.Fatal(err)
	}
	all, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []*Verifier{nil, all, limited} {
		claims, err := v.Verify("not.looked.at", "any", noon)
		if err != nil || !v.Open() || !claims.For("any") || !claims.May(Watch) || claims.ExpiredAt(noon.Add(1e6*time.Hour)) {
			t.Errorf("%+v, %v", claims, err)
		}
		if claims.May(Moderate) == (v == limited) {
			t.Errorf("moderate: %v", claims.May(Moderate))
		}
	}
}

func TestConfigAndSignErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{{Leeway: -1}, {Leeway: time.Hour}, {Open: []Permission{"fly"}}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	for _, c := range []Claims{{}, {Room: "..", Expires: noon}, {Room: "r"}, {Expires: noon}, {Room: "r", Expires: noon, Metadata: json.RawMessage(`7`)}} {
		if s, err := Sign(secret, c); err == nil {
			t.Errorf("%+v is signed: %s", c, s)
		}
	}
	if _, err := Sign(nil, Claims{Room: "r", Expires: noon}); err == nil {
		t.Error("signed without a secret")
	}
}

func TestExpiredAt(t *testing.T) {
	t.Parallel()
	c := Claims{Expires: noon}
	if c.ExpiredAt(noon.Add(-1)) || !c.ExpiredAt(noon) {
		t.Error("exp is the first moment at which the token is no good (RFC 7519 section 4.1.4)")
	}
}

func TestFromHeader(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"Bearer abc.def.ghi": "abc.def.ghi",
		"bearer abc":         "abc",
		"BEARER   a-._~+/==": "a-._~+/==",
		" Bearer abc ":       "abc",
	} {
		if got, err := FromHeader([]string{header}); err != nil || got != want {
			t.Errorf("%q: %q, %v", header, got, err)
		}
	}
	for _, header := range []string{
		"", "Bearer", "Bearer ", "abc", "Basic YTpi", "Bearer a b", "Bearer a,b", "Bearer: abc", "Bearerabc", "Bearer =", "Bearer a\x00",
		"Bearer\tabc", "Bearer é", "Bearer a=b",
	} {
		if got, err := FromHeader([]string{header}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %q, %v; want ErrInvalid", header, got, err)
		}
	}
	if got, err := FromHeader(nil); got != "" || err != nil {
		t.Errorf("no header: %q, %v", got, err)
	}
	if _, err := FromHeader([]string{"Bearer a", "Bearer b"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("two headers: %v", err)
	}
}

func FuzzFromHeader(f *testing.F) {
	for _, s := range []string{"Bearer abc", "", "Basic x", "bearer  a=", "Bearer a b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		compact, err := FromHeader([]string{header})
		if err == nil && (compact == "" || strings.ContainsAny(compact, " ,;\t\r\n\x00")) {
			t.Errorf("%q gives %q", header, compact)
		}
	})
}

func FuzzVerify(f *testing.F) {
	good, err := Sign(secret, Claims{Room: "r", Expires: noon.Add(time.Hour), Can: []Permission{Watch}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.eyJyb29tIjoiciJ9.")
	v, err := New(Config{Secrets: [][]byte{secret}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, compact string) {
		_, err := v.Verify(compact, "r", noon)
		if err == nil && compact != good {
			t.Errorf("%q is taken", compact)
		}
	})
}

// FuzzPayload feeds any payload, rightly signed: a careless issuer must not crash the server or get in without expiry.
func FuzzPayload(f *testing.F) {
	f.Add([]byte(`{"room":"r","can":["watch"],"exp":1795352400}`))
	f.Add([]byte(`{"room":"r","exp":1e300}`))
	f.Add([]byte(`{"room":"r","exp":-1,"metadata":{}}`))
	f.Add([]byte(`{"room":"r","can":["join","fly"],"exp":1795352400,"knock":true,"guest":true,"invitation":"abc","anonymous":false}`))
	f.Add([]byte(`{"room":"r","can":["moderate"],"exp":1795352400,"anonymous":true,"first":1795352400}`))
	f.Add([]byte(`{"room":"r","can":["join"],"exp":1795352400,"knock":"yes","invitation":7}`))
	f.Add([]byte(`null`))
	v, err := New(Config{Secrets: [][]byte{secret}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		enc := base64.RawURLEncoding.EncodeToString
		signed := enc([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc(payload)
		mac, err := jwt.SigningMethodHS256.Sign(signed, secret)
		if err != nil {
			t.Fatal(err)
		}
		claims, err := v.Verify(signed+"."+enc(mac), "r", noon)
		if err == nil && (claims.Expires.Before(noon.Add(-DefaultLeeway)) || !claims.For("r") || claims.Anonymous) {
			t.Errorf("%s gives %+v", payload, claims)
		}
	})
}

// One secret takes over from another: both are good, and the tokens of neither are lost.
func TestSeveralSecrets(t *testing.T) {
	t.Parallel()
	older, oldest := []byte("the secret before that one"), []byte("and the one before it, gone now")
	v, err := New(Config{Secrets: [][]byte{secret, older}})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]error{string(secret): nil, string(older): nil, string(oldest): ErrInvalid, string(secret) + "x": ErrInvalid} {
		compact, err := Sign([]byte(key), Claims{Room: "standup", Expires: noon.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(compact, "standup", noon); !errors.Is(err, want) {
			t.Errorf("signed with %q: %v, want %v", key, err, want)
		}
	}
	late, err := Sign(older, Claims{Room: "standup", Expires: noon.Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(late, "standup", noon); !errors.Is(err, ErrExpired) {
		t.Errorf("an expired token of the second secret: %v", err)
	}
	if _, err := New(Config{Secrets: [][]byte{secret, nil}}); err == nil {
		t.Error("an empty secret is taken: whoever signs with nothing gets in")
	}
}

// What people without tokens came back with is worth nothing once a token is needed.
func TestAnonymousWhereTokensAreNeeded(t *testing.T) {
	t.Parallel()
	compact, err := Sign(secret, Claims{Room: "r", Identity: "x", Anonymous: true, Can: []Permission{Moderate}, Expires: noon.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for _, anyone := range []bool{true, false} {
		v, err := New(Config{Secrets: [][]byte{secret}, Anyone: anyone})
		if err != nil {
			t.Fatal(err)
		}
		c, err := v.Verify(compact, "r", noon)
		if anyone && (err != nil || !c.May(Moderate)) || !anyone && !errors.Is(err, ErrInvalid) {
			t.Errorf("anyone %v: %+v, %v", anyone, c, err)
		}
	}
}

// Where moderate implies invite it does so for those, too, who come without a token.
func TestModeratorsInvite(t *testing.T) {
	t.Parallel()
	for _, implied := range []bool{true, false} {
		v, err := New(Config{Open: []Permission{Moderate}, ModeratorsInvite: implied})
		if err != nil {
			t.Fatal(err)
		}
		if c, err := v.Verify("", "r", noon); err != nil || c.May(Invite) != implied {
			t.Errorf("%v: %v, %v", implied, c.Can, err)
		}
	}
}
