package turn

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/pion/stun/v3"
)

// attrOf is an attribute as bytes.
func attrOf(kind uint16, value ...byte) stun.Setter {
	return stun.RawAttribute{Type: stun.AttrType(kind), Value: value}
}

// peerOf6 is an XOR-PEER-ADDRESS of the other family.
func peerOf6() stun.Setter {
	return attrOf(attrPeer, append([]byte{0, 2, 0, 0}, make([]byte, 16)...)...)
}

// without is a request as ask makes it, with some of what authenticates it left out.
func (c *raw) without(method stun.Method, leave ...stun.AttrType) *stun.Message {
	setters := []stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest), overUDP}
	for kind, s := range map[stun.AttrType]stun.Setter{
		stun.AttrUsername: stun.NewUsername(c.cred.Username), stun.AttrRealm: stun.NewRealm("parley"), stun.AttrNonce: c.non,
	} {
		if !slices.Contains(leave, kind) {
			setters = append(setters, s)
		}
	}
	m, err := stun.Build(append(setters, c.key)...)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.exchange(patience, m.Raw)
}

// where says what a client has before its request.
type where uint8

const (
	stranger where = iota // nothing
	nonced                // a nonce
	relaying              // an allocation, and a permission for 127.0.0.1
)

// answerCase is a request with at most one defect, and what it is answered.
type answerCase struct {
	section string
	name    string
	where   where
	ask     func(c *raw) *stun.Message
	code    int // 0: success
	reason  Reason
}

func plain(method stun.Method, attrs ...stun.Setter) func(*raw) *stun.Message {
	return func(c *raw) *stun.Message { return c.ask(patience, method, attrs...) }
}

func anAllocate(attrs ...stun.Setter) func(*raw) *stun.Message {
	return plain(stun.MethodAllocate, append([]stun.Setter{overUDP}, attrs...)...)
}

// as asks with other credentials.
func as(change func(Credentials) Credentials, ask func(*raw) *stun.Message) func(*raw) *stun.Message {
	return func(c *raw) *stun.Message {
		c.as(change(c.cred))
		return ask(c)
	}
}

func named(username string) func(Credentials) Credentials {
	return func(Credentials) Credentials {
		return Credentials{Username: username, Password: password(secret, username)}
	}
}

const nobody Reason = numReasons // no reason is counted

var bindingAnswers = []answerCase{
	{"8489 6.3.1", "Binding", stranger, plain(stun.MethodBinding), 0, nobody},
	{"8489 6.3.1", "Binding, an attribute that may be ignored", stranger, plain(stun.MethodBinding, attrOf(0xC001, 1)), 0, nobody},
	{"8489 6.3.1", "Binding, one that makes no sense there", stranger, plain(stun.MethodBinding, overUDP), 0, nobody},
	{"8489 6.3.1", "Binding, an unknown attribute", stranger, plain(stun.MethodBinding, attrOf(0x7FFE, 1)), 420, UnknownAttribute},
	{"8489 6.3.1", "Binding with CHANGE-REQUEST", stranger, plain(stun.MethodBinding, attrOf(0x0003, 0, 0, 0, 6)), 420, UnknownAttribute},
}

var authAnswers = []answerCase{
	{"8489 9.2.4", "Allocate without integrity", stranger, anAllocate(), 401, nobody},
	{"8489 9.2.4", "Refresh without integrity", stranger, plain(stun.MethodRefresh), 401, nobody},
	{"8489 9.2.4", "CreatePermission without integrity", stranger, plain(stun.MethodCreatePermission), 401, nobody},
	{"8489 9.2.4", "ChannelBind without integrity", stranger, plain(stun.MethodChannelBind), 401, nobody},
	{"8489 9.2.4", "no USERNAME", nonced, func(c *raw) *stun.Message {
		return c.without(stun.MethodAllocate, stun.AttrUsername)
	}, 400, BadRequest},
	{"8489 9.2.4", "no REALM", nonced, func(c *raw) *stun.Message {
		return c.without(stun.MethodAllocate, stun.AttrRealm)
	}, 400, BadRequest},
	{"8489 9.2.4", "no NONCE", nonced, func(c *raw) *stun.Message {
		return c.without(stun.MethodAllocate, stun.AttrNonce)
	}, 400, BadRequest},
	{"8489 9.2.4", "USERHASH, which was not offered", nonced, func(c *raw) *stun.Message {
		m := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), overUDP,
			attrOf(attrUserhash, make([]byte, 32)...), stun.NewRealm("parley"), c.non, c.key)
		return c.exchange(patience, m.Raw)
	}, 401, BadName},
	{"8489 9.2.4", "a name that is none", nonced, as(named("ann"), anAllocate()), 401, BadName},
	{"8489 9.2.4", "an expired name", nonced, as(named("1500000000:ann"), anAllocate()), 401, Expired},
	{"8489 9.2.4", "a wrong password", nonced, as(func(c Credentials) Credentials {
		c.Password = "guess"
		return c
	}, anAllocate()), 401, BadPassword},
	{"8489 9.2.4", "an old nonce", nonced, func(c *raw) *stun.Message {
		c.non = stun.NewNonce("AAAAAAAA")
		return anAllocate()(c)
	}, 438, StaleNonce},
	{"8489 9.2.4", "an old nonce and a wrong password", nonced, as(func(c Credentials) Credentials {
		c.Password = "guess"
		return c
	}, func(c *raw) *stun.Message {
		c.non = stun.NewNonce("AAAAAAAA")
		return anAllocate()(c)
	}), 401, BadPassword},
	{"8489 6.3.1", "an unknown attribute", nonced, anAllocate(attrOf(0x7ABC)), 420, UnknownAttribute},
	{"8489 14.5", "an attribute behind the integrity", nonced, func(c *raw) *stun.Message {
		m := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), overUDP,
			stun.NewUsername(c.cred.Username), stun.NewRealm("parley"), c.non, c.key, attrOf(0x7ABC, 1))
		return c.exchange(patience, m.Raw)
	}, 0, nobody},
	{"8656 5", "Refresh without an allocation", nonced, plain(stun.MethodRefresh), 437, NoAllocation},
	{"8656 5", "its end without an allocation", nonced, plain(stun.MethodRefresh, lifetime(0)), 437, NoAllocation},
	{"8656 5", "CreatePermission without an allocation", nonced, func(c *raw) *stun.Message {
		return c.ask(patience, stun.MethodCreatePermission, peer(c.t, "127.0.0.1:9"))
	}, 437, NoAllocation},
	{"8656 5", "ChannelBind without an allocation", nonced, func(c *raw) *stun.Message {
		return c.ask(patience, stun.MethodChannelBind, peer(c.t, "127.0.0.1:9"), channelNumber(0x4000))
	}, 437, NoAllocation},
	{"8656 5", "Refresh of another's allocation", relaying, as(named("99999999999:bob"), plain(stun.MethodRefresh)), 441, OtherUser},
}

var allocateAnswers = []answerCase{
	{"8656 7.2", "Allocate", nonced, anAllocate(), 0, nobody},
	{"8656 7.2", "on an allocation", relaying, anAllocate(), 437, InUse},
	{"8656 7.2", "on another's allocation", relaying, as(named("99999999999:bob"), anAllocate()), 437, InUse},
	{"8656 7.2", "no REQUESTED-TRANSPORT", nonced, plain(stun.MethodAllocate), 400, BadRequest},
	{"8656 7.2", "a short one", nonced, plain(stun.MethodAllocate, attrOf(attrTransport, 17)), 400, BadRequest},
	{"8656 7.2", "TCP", nonced, plain(stun.MethodAllocate, attrOf(attrTransport, 6, 0, 0, 0)), 442, Transport},
	{"8656 7.2", "some transport", nonced, plain(stun.MethodAllocate, attrOf(attrTransport, 99, 0, 0, 0)), 442, Transport},
	{"8656 7.2", "DONT-FRAGMENT", nonced, anAllocate(attrOf(0x001A)), 420, UnknownAttribute},
	{"8656 7.2", "IPv4", nonced, anAllocate(attrOf(attrFamily, 1, 0, 0, 0)), 0, nobody},
	{"8656 7.2", "IPv6", nonced, anAllocate(attrOf(attrFamily, 2, 0, 0, 0)), 440, Family},
	{"8656 7.2", "some family", nonced, anAllocate(attrOf(attrFamily, 7, 0, 0, 0)), 440, Family},
	{"8656 7.2", "a short family", nonced, anAllocate(attrOf(attrFamily, 1)), 400, BadRequest},
	{"8656 7.2", "IPv6 too", nonced, anAllocate(attrOf(attrMoreFamily, 2, 0, 0, 0)), 0, nobody},
	{"8656 7.2", "IPv4 too", nonced, anAllocate(attrOf(attrMoreFamily, 1, 0, 0, 0)), 400, BadRequest},
	{
		"8656 7.2", "both families' attributes", nonced,
		anAllocate(attrOf(attrFamily, 1, 0, 0, 0), attrOf(attrMoreFamily, 2, 0, 0, 0)), 400, BadRequest,
	},
	{"8656 7.2", "an even port", nonced, anAllocate(attrOf(attrEvenPort, 0)), 0, nobody},
	{"8656 7.2", "a pair of ports", nonced, anAllocate(attrOf(attrEvenPort, 0x80)), 508, NoReservation},
	{
		"8656 7.2", "a pair and IPv6 too", nonced,
		anAllocate(attrOf(attrEvenPort, 0x80), attrOf(attrMoreFamily, 2, 0, 0, 0)), 400, BadRequest,
	},
	{"8656 7.2", "EVEN-PORT of no bytes", nonced, anAllocate(attrOf(attrEvenPort)), 400, BadRequest},
	{"8656 7.2", "a reservation", nonced, anAllocate(attrOf(attrToken, make([]byte, 8)...)), 508, NoReservation},
	{"8656 7.2", "a short reservation", nonced, anAllocate(attrOf(attrToken, 1)), 400, BadRequest},
	{
		"8656 7.2", "a reservation and an even port", nonced,
		anAllocate(attrOf(attrToken, make([]byte, 8)...), attrOf(attrEvenPort, 0)), 400, BadRequest,
	},
	{
		"8656 7.2", "a reservation and a family", nonced,
		anAllocate(attrOf(attrToken, make([]byte, 8)...), attrOf(attrFamily, 1, 0, 0, 0)), 400, BadRequest,
	},
	{"8656 7.2", "a lifetime of 30 s", nonced, anAllocate(lifetime(30)), 0, nobody},
	{"8656 7.2", "a lifetime of 0", nonced, anAllocate(lifetime(0)), 0, nobody},
	{"8656 7.2", "a short lifetime", nonced, anAllocate(attrOf(attrLifetime, 0, 0)), 400, BadRequest},
}

var relayAnswers = []answerCase{
	{"8656 8.2", "Refresh", relaying, plain(stun.MethodRefresh), 0, nobody},
	{"8656 8.2", "Refresh, its end", relaying, plain(stun.MethodRefresh, lifetime(0)), 0, nobody},
	{"8656 8.2", "Refresh, a short lifetime", relaying, plain(stun.MethodRefresh, attrOf(attrLifetime)), 400, BadRequest},
	{"8656 8.2", "Refresh, the same family", relaying, plain(stun.MethodRefresh, attrOf(attrFamily, 1, 0, 0, 0)), 0, nobody},
	{"8656 8.2", "Refresh, the other family", relaying, plain(stun.MethodRefresh, attrOf(attrFamily, 2, 0, 0, 0)), 443, PeerFamily},
	{"8656 8.2", "Refresh, a short family", relaying, plain(stun.MethodRefresh, attrOf(attrFamily, 2)), 400, BadRequest},
	{"8656 10.2", "CreatePermission", relaying, permission("127.0.0.2:0"), 0, nobody},
	{"8656 10.2", "CreatePermission of nobody", relaying, permission(), 400, BadRequest},
	{"8656 10.2", "of half an address", relaying, plain(stun.MethodCreatePermission, attrOf(attrPeer, 0, 1, 0)), 400, BadRequest},
	{"8656 10.2", "of no address", relaying, plain(stun.MethodCreatePermission, attrOf(attrPeer)), 400, BadRequest},
	{"8656 10.2", "of IPv6", relaying, plain(stun.MethodCreatePermission, peerOf6()), 443, PeerFamily},
	{"8656 10.2", "of a denied peer", relaying, permission("192.168.9.9:0"), 403, DeniedPeer},
	{"8656 10.2", "of a good and a denied peer", relaying, permission("127.0.0.3:0", "10.0.0.1:0"), 403, DeniedPeer},
	{"8656 10.2", "of one too many", relaying, permission("127.0.0.2:0", "127.0.0.3:0", "127.0.0.4:0"), 508, TooManyPeers},
	{"8656 12.2", "ChannelBind", relaying, bound(0x4000, "127.0.0.1:9"), 0, nobody},
	{"8656 12.2", "ChannelBind, the last number of RFC 5766", relaying, bound(0x7FFF, "127.0.0.1:9"), 0, nobody},
	{"8656 12.2", "a number too low", relaying, bound(0x3FFF, "127.0.0.1:9"), 400, BadRequest},
	{"8656 12.2", "a number too high", relaying, bound(0x8000, "127.0.0.1:9"), 400, BadRequest},
	{"8656 12.2", "no number", relaying, func(c *raw) *stun.Message {
		return c.ask(patience, stun.MethodChannelBind, peer(c.t, "127.0.0.1:9"))
	}, 400, BadRequest},
	{"8656 12.2", "no peer", relaying, plain(stun.MethodChannelBind, channelNumber(0x4000)), 400, BadRequest},
	{"8656 12.2", "of half an address", relaying, plain(stun.MethodChannelBind, channelNumber(0x4000), attrOf(attrPeer, 0, 1)), 400, BadRequest},
	{"8656 12.2", "of IPv6", relaying, plain(stun.MethodChannelBind, channelNumber(0x4000), peerOf6()), 443, PeerFamily},
	{"8656 12.2", "of a denied peer", relaying, bound(0x4000, "169.254.169.254:80"), 403, DeniedPeer},
	{"8656 12.2", "the same again", relaying, func(c *raw) *stun.Message {
		bound(0x4000, "127.0.0.1:9")(c)
		return bound(0x4000, "127.0.0.1:9")(c)
	}, 0, nobody},
	{"8656 12.2", "the number of another peer", relaying, func(c *raw) *stun.Message {
		bound(0x4000, "127.0.0.1:9")(c)
		return bound(0x4000, "127.0.0.1:10")(c)
	}, 400, BadRequest},
	{"8656 12.2", "the peer of another number", relaying, func(c *raw) *stun.Message {
		bound(0x4000, "127.0.0.1:9")(c)
		return bound(0x4001, "127.0.0.1:9")(c)
	}, 400, BadRequest},
	{"8656 12.2", "one channel too many", relaying, func(c *raw) *stun.Message {
		bound(0x4000, "127.0.0.1:9")(c)
		bound(0x4001, "127.0.0.1:10")(c)
		return bound(0x4002, "127.0.0.1:11")(c)
	}, 508, TooManyChannels},
}

func permission(peers ...string) func(*raw) *stun.Message {
	return func(c *raw) *stun.Message {
		var attrs []stun.Setter
		for _, p := range peers {
			attrs = append(attrs, peer(c.t, p))
		}
		return c.ask(patience, stun.MethodCreatePermission, attrs...)
	}
}

func bound(number uint16, to string) func(*raw) *stun.Message {
	return func(c *raw) *stun.Message {
		return c.ask(patience, stun.MethodChannelBind, peer(c.t, to), channelNumber(number))
	}
}

// TestAnswers holds the table of docs/turn.md: whatever is a request leaves with an answer, and with the right one.
func TestAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Limits.Peers, c.Limits.Channels = 3, 2 })
	for _, table := range [][]answerCase{bindingAnswers, authAnswers, allocateAnswers, relayAnswers} {
		for _, tt := range table {
			t.Run(tt.section+" "+tt.name, func(t *testing.T) {
				before := r.Stats()
				c := r.raw(t, r.Credentials(User{Session: "ann"}, r.clock.Now()))
				if tt.where != stranger {
					c.challenged()
				}
				if tt.where == relaying {
					if got := code(c.allocate()); got != 0 {
						t.Fatalf("allocate: %d", got)
					}
					if got := code(permission("127.0.0.1:0")(c)); got != 0 {
						t.Fatalf("permission: %d", got)
					}
				}
				m := tt.ask(c)
				if got := code(m); got != tt.code {
					t.Fatalf("answered %d, want %d", got, tt.code)
				}
				c.checkForm(m, tt)
				after := r.Stats()
				if tt.reason != nobody && after.Refused[tt.reason.String()] != before.Refused[tt.reason.String()]+1 {
					t.Errorf("not counted as %v", tt.reason)
				}
				c.as(r.Credentials(User{Session: "ann"}, r.clock.Now()))
				c.ask(patience, stun.MethodRefresh, lifetime(0))
			})
		}
	}
	if s := r.Stats(); s.Allocations != 0 || s.Panics != 0 || s.BadMessages != 0 {
		t.Errorf("at the end: %+v", s)
	}
}

// checkForm looks at what an answer must have besides its code.
func (c *raw) checkForm(m *stun.Message, tt answerCase) {
	t := c.t
	t.Helper()
	challenge := tt.code == 401 || tt.code == 438
	if has := m.Contains(stun.AttrNonce) && m.Contains(stun.AttrRealm); has != challenge {
		t.Errorf("a nonce and a realm: %v, want %v", has, challenge)
	}
	proven := tt.where != stranger && !challenge && tt.section != "8489 9.2.4"
	if has := m.Contains(stun.AttrMessageIntegrity); has != proven {
		t.Errorf("an integrity: %v, want %v", has, proven)
	}
	if proven && c.key.Check(m) != nil {
		t.Error("its integrity is wrong")
	}
	var unknown stun.UnknownAttributes
	if err := unknown.GetFrom(m); (err == nil) != (tt.code == 420) || tt.code == 420 && len(unknown) != 1 {
		t.Errorf("unknown attributes: %v %v", unknown, err)
	}
}

// TestGrants: what is granted is what was asked for, or what the RFC puts in its place.
func TestGrants(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	seconds := func(m *stun.Message) uint32 {
		v, err := m.Get(stun.AttrLifetime)
		if err != nil || len(v) != 4 {
			t.Fatalf("no lifetime: %v", err)
		}
		return binary.BigEndian.Uint32(v)
	}
	for asked, want := range map[uint32]uint32{0: 600, 30: 600, 900: 900, 1 << 31: 3600} {
		ask := attrOf(attrLifetime, binary.BigEndian.AppendUint32(nil, asked)...)
		c := r.raw(t, r.Credentials(User{Session: "ann"}, r.clock.Now()))
		if got := seconds(c.allocate(ask)); got != want {
			t.Errorf("a lifetime of %d s gives %d, want %d", asked, got, want)
		}
		if asked == 0 {
			want = 0
		}
		if got := seconds(c.ask(patience, stun.MethodRefresh, ask)); got != want {
			t.Errorf("a refresh of %d s gives %d, want %d", asked, got, want)
		}
	}
	for range 8 {
		c := r.raw(t, r.Credentials(User{Session: "ann"}, r.clock.Now()))
		m := c.allocate(attrOf(attrEvenPort, 0), attrOf(attrMoreFamily, 2, 0, 0, 0))
		var relay stun.XORMappedAddress
		if err := relay.GetFromAs(m, stun.AttrXORRelayedAddress); err != nil || relay.Port%2 != 0 {
			t.Errorf("an even port is %d: %v", relay.Port, err)
		}
		if v, err := m.Get(stun.AttrType(attrFamilyError)); err != nil || string(v) != "\x02\x00\x04\x28" {
			t.Errorf("no IPv6 is said by %x, %v", v, err)
		}
		c.ask(patience, stun.MethodRefresh, lifetime(0))
	}
}

// TestSameRequestAgain: over UDP a request comes twice where its answer was lost. It is answered twice, the same.
func TestSameRequestAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := r.raw(t, r.Credentials(User{Session: "ann"}, r.clock.Now()))
	c.challenged()
	m := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), overUDP,
		stun.NewUsername(c.cred.Username), stun.NewRealm("parley"), c.non, c.key)
	one, two := c.exchange(patience, m.Raw), c.exchange(patience, m.Raw)
	if code(one) != 0 || !slices.Equal(one.Raw, two.Raw) {
		t.Errorf("%v\nand again\n%v", one, two)
	}
	if n := r.Stats().Allocated; n != 1 {
		t.Errorf("%d allocations", n)
	}
}

// TestStrongerIntegrity: who signs with SHA-256 is answered so.
func TestStrongerIntegrity(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := r.raw(t, r.Credentials(User{Session: "ann"}, r.clock.Now()))
	c.challenged()
	m := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), overUDP,
		stun.NewUsername(c.cred.Username), stun.NewRealm("parley"), c.non)
	a := &answer{m.Raw}
	a.sign(c.key, true)
	got := c.exchange(patience, slices.Clone(a.bytes()))
	if code(got) != 0 {
		t.Fatalf("answered %d", code(got))
	}
	if p, ok := parse(got.Raw); !ok || p.integrity256 == 0 || p.integrity != 0 || !p.matches(c.key) {
		t.Errorf("its answer: %v", got)
	}
}

// TestSecretsRotate: the first secret makes credentials, the others still check theirs.
func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	const older = "an older secret, 16 bytes"
	before := newRig(t, func(c *Config) { c.Secrets = []string{older} })
	r := newRig(t, func(c *Config) { c.Secrets = []string{secret, older} })
	for _, cred := range []Credentials{
		r.Credentials(User{Session: "ann"}, time.Now()), before.Credentials(User{Session: "bob"}, time.Now()),
	} {
		if got := code(r.raw(t, cred).allocate()); got != 0 {
			t.Errorf("%s: %d", cred.Username, got)
		}
	}
	if got := code(before.raw(t, r.Credentials(User{Session: "ann"}, time.Now())).allocate()); got != 401 {
		t.Errorf("a secret it does not know: %d", got)
	}
}
