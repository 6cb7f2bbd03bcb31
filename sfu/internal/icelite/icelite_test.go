package icelite

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/pion/stun/v4"
)

const password = "a password of 24 letters"

// check is what a browser sends, made by pion.
func check(t testing.TB, more ...stun.Setter) []byte {
	t.Helper()
	setters := append([]stun.Setter{stun.BindingRequest, stun.TransactionID, stun.NewUsername("ours:theirs")}, more...)
	m, err := stun.Build(append(setters, stun.NewShortTermIntegrity(password), stun.Fingerprint)...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

func attribute(kind uint16, value ...byte) stun.Setter {
	return stun.RawAttribute{Type: stun.AttrType(kind), Value: value}
}

func parse(t testing.TB, b []byte) Request {
	t.Helper()
	r, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// decode reads an answer with pion, and has it check integrity and fingerprint.
func decode(t testing.TB, b []byte) *stun.Message {
	t.Helper()
	m := &stun.Message{Raw: b}
	if err := m.Decode(); err != nil {
		t.Fatal(err)
	}
	if err := stun.NewShortTermIntegrity(password).Check(m); err != nil {
		t.Error(err)
	}
	if err := stun.Fingerprint.Check(m); err != nil {
		t.Error(err)
	}
	if len(b) > MaxAnswer {
		t.Errorf("%d bytes", len(b))
	}
	return m
}

func TestCheck(t *testing.T) {
	t.Parallel()
	b := check(t, attribute(attrPriority, 1, 2, 3, 4), attribute(attrUseCandidate), attribute(0xC057, 1, 2, 3))
	r := parse(t, b)
	if string(r.User) != "ours:theirs" || string(r.LocalUser()) != "ours" || !r.Nominates || r.Controlled || !r.Understood() {
		t.Errorf("%+v", r)
	}
	key := NewKey(password)
	for range 2 { // it can be used again
		if !key.Verify(&r) {
			t.Error("not verified")
		}
	}
	if NewKey("another").Verify(&r) {
		t.Error("verified with another password")
	}
	for i := range len(b) - 8 { // of FINGERPRINT, which only helps to tell STUN from all else, the kind may change
		changed := append([]byte(nil), b...)
		changed[i] ^= 1
		if r, err := Parse(changed); err == nil && key.Verify(&r) {
			t.Errorf("verified with byte %d changed", i)
		}
	}
	for i := range b {
		if r, err := Parse(b[:i]); err == nil && key.Verify(&r) {
			t.Errorf("verified with %d bytes", i)
		}
	}
}

func TestSuccess(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"192.0.2.1:40000", "[2001:db8::1]:1", "[::ffff:192.0.2.1]:65535"} {
		from := netip.MustParseAddrPort(from)
		b := check(t)
		r := parse(t, b)
		m := decode(t, NewKey(password).Success(nil, &r, from))
		var got stun.XORMappedAddress
		if err := got.GetFrom(m); err != nil {
			t.Fatal(err)
		}
		at, _ := netip.AddrFromSlice(got.IP)
		if netip.AddrPortFrom(at.Unmap(), uint16(got.Port)) != netip.AddrPortFrom(from.Addr().Unmap(), from.Port()) ||
			m.Type != stun.BindingSuccess || string(m.TransactionID[:]) != string(b[8:20]) {
			t.Errorf("%v: %v", from, m)
		}
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	r := parse(t, check(t, attribute(attrControlled, 1, 2, 3, 4, 5, 6, 7, 8)))
	if !r.Controlled {
		t.Error("the role is not seen")
	}
	m := decode(t, NewKey(password).Refuse(nil, &r, RoleConflict))
	var code stun.ErrorCodeAttribute
	if err := code.GetFrom(m); err != nil || code.Code != stun.CodeRoleConflict || m.Type != stun.BindingError {
		t.Errorf("%v: %v", m, err)
	}
	r = parse(t, check(t, attribute(0x1234, 1), attribute(0x2345), attribute(0x3456), attribute(0x0777), attribute(0x0778)))
	if r.Understood() {
		t.Error("it is understood")
	}
	m = decode(t, NewKey(password).Refuse(nil, &r, UnknownAttribute))
	var unknown stun.UnknownAttributes
	if err := code.GetFrom(m); err != nil || code.Code != stun.CodeUnknownAttribute {
		t.Errorf("%v: %v", m, err)
	}
	if err := unknown.GetFrom(m); err != nil || len(unknown) != maxUnknown || unknown[0] != 0x1234 {
		t.Errorf("%v: %v", unknown, err)
	}
}

// TestBehindIntegrity: anybody on the way may have added what comes behind MESSAGE-INTEGRITY.
func TestBehindIntegrity(t *testing.T) {
	t.Parallel()
	m, err := stun.Build(stun.BindingRequest, stun.TransactionID, stun.NewUsername("ours:theirs"),
		stun.NewShortTermIntegrity(password), attribute(attrUseCandidate), stun.Fingerprint)
	if err != nil {
		t.Fatal(err)
	}
	if r := parse(t, m.Raw); r.Nominates || !NewKey(password).Verify(&r) {
		t.Errorf("%+v", r)
	}
}

func TestNoRequests(t *testing.T) {
	t.Parallel()
	for _, kind := range []stun.MessageType{stun.BindingSuccess, stun.BindingError, stun.NewType(stun.MethodBinding, stun.ClassIndication)} {
		m, err := stun.Build(kind, stun.TransactionID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(m.Raw); !errors.Is(err, ErrNotRequest) {
			t.Errorf("%v: %v", kind, err)
		}
	}
	for name, setters := range map[string][]stun.Setter{
		"no user":      {stun.BindingRequest, stun.TransactionID, stun.NewShortTermIntegrity(password)},
		"no integrity": {stun.BindingRequest, stun.TransactionID, stun.NewUsername("ours:theirs"), stun.Fingerprint},
		"long user":    {stun.BindingRequest, stun.TransactionID, attribute(attrUsername, make([]byte, maxUser+1)...), stun.NewShortTermIntegrity(password)},
	} {
		m, err := stun.Build(setters...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(m.Raw); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAllocatesNothing(t *testing.T) {
	b, key, out := check(t), NewKey(password), make([]byte, 0, MaxAnswer)
	from := netip.MustParseAddrPort("192.0.2.1:40000")
	if n := testing.AllocsPerRun(100, func() {
		r, err := Parse(b)
		if err != nil || !key.Verify(&r) || len(key.Success(out, &r, from)) == 0 {
			t.Fatal("not answered")
		}
	}); n > 0.5 { // an IPv4 address as bytes may be one where it is not inlined
		t.Errorf("%v allocations", n)
	}
}

// FuzzParse: no datagram panics, and none without the password is verified.
func FuzzParse(f *testing.F) {
	f.Add(check(f))
	f.Add(check(f, attribute(attrControlled, 1, 2, 3, 4, 5, 6, 7, 8), attribute(0x1234, 1)))
	f.Add([]byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42})
	key, other := NewKey(password), NewKey("another")
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Parse(b)
		if err != nil {
			return
		}
		if other.Verify(&r) {
			t.Fatal("verified")
		}
		key.Verify(&r)
		if n := len(key.Success(nil, &r, netip.MustParseAddrPort("[2001:db8::1]:1"))); n > MaxAnswer {
			t.Fatal(n)
		}
		for _, c := range []Code{RoleConflict, UnknownAttribute} {
			if n := len(key.Refuse(nil, &r, c)); n > MaxAnswer || n%4 != 0 {
				t.Fatal(n)
			}
		}
	})
}
