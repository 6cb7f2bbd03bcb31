package turn

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"
)

func TestCredentials(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Secrets = []string{"north by northwest"}; c.TTL = time.Hour })
	now := time.Unix(1_800_000_000, 0)
	got := r.Credentials(User{Session: "k3v9q2m1xa"}, now)
	// printf %s 1800003600:k3v9q2m1xa | openssl dgst -sha1 -hmac 'north by northwest' -binary | base64
	want := Credentials{Username: "1800003600:k3v9q2m1xa", Password: "dliVPPLf3Y0IrlNjGDhstr5qW5c=", TTL: time.Hour}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestCredentialsOfAnIdentity(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	now := r.clock.Now()
	one, two := r.Credentials(User{"ann@example.org", "s1"}, now), r.Credentials(User{"ann@example.org", "s2"}, now)
	if strings.Contains(one.Username, "ann") {
		t.Errorf("%q says who it is", one.Username)
	}
	_, a, _ := parseUsername(one.Username)
	_, b, _ := parseUsername(two.Username)
	if a.Identity != b.Identity || a.Session != "s1" || b.Session != "s2" {
		t.Errorf("%+v and %+v are not two sessions of one identity", a, b)
	}
}

func TestParseUsername(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]User{
		"1800003600:a":     {"a", "a"},
		"1800003600:a:":    {"a", "a"},
		"1800003600:a:b:c": {"b:c", "a"},
	} {
		if at, u, ok := parseUsername(name); !ok || u != want || at.Unix() != 1_800_003_600 {
			t.Errorf("%q is %v %+v %v, want %+v", name, at, u, ok, want)
		}
	}
	for _, bad := range []string{
		"", ":", "ann", "1800003600", "1800003600:", "1800003600::ann", ":ann", "+1:ann", "-1:ann", "1e9:ann",
		" 1:ann", "1234567890123:ann", "1:" + strings.Repeat("x", maxUsername),
	} {
		if _, _, ok := parseUsername(bad); ok {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzParseUsername(f *testing.F) {
	f.Add("1800003600:ann")
	f.Add("1800003600:ann:tag")
	f.Add(":")
	f.Fuzz(func(t *testing.T, name string) {
		at, u, ok := parseUsername(name)
		if ok && (u.Session == "" || u.Identity == "" || at.Unix() < 0 || !strings.HasSuffix(name, u.Identity) &&
			!strings.HasSuffix(name, ":"+u.Session+":")) {
			t.Errorf("%q is %v, %+v", name, at, u)
		}
	})
}

// TestRevoke: what a session has ends, and its credentials are worth nothing any more, from anywhere.
func TestRevoke(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	echo := newEcho(t, "127.0.0.1:0")
	bob := relayOf(t, r.client(t, "udp", "bob"))
	for _, network := range []string{"udp", "tcp"} {
		roundTrip(t, relayOf(t, r.client(t, network, "ann")), echo.LocalAddr(), "before")
	}
	cred := r.Credentials(User{Session: "ann"}, r.clock.Now())
	r.Revoke("ann")
	eventually(t, "her relays end", func() bool { return r.Stats().Allocations == 1 })
	if relay, err := r.clientAs(t, "udp", cred).Allocate(); err == nil {
		t.Errorf("a new relay at %v", relay.LocalAddr())
	}
	wantRefused(t, r.Server, Revoked, 1)
	c := r.raw(t, cred)
	c.challenged()
	if got := code(c.ask(patience, stun.MethodRefresh)); got != 401 {
		t.Errorf("a refresh: %d, want 401", got)
	}
	roundTrip(t, bob, echo.LocalAddr(), "bob goes on")

	r.clock.advance(r.cfg.TTL)
	r.Revoke("carol")
	if r.revoked.has("ann") || !r.revoked.has("carol") {
		t.Error("who ended is remembered for as long as the credentials lasted")
	}
}

func TestRefusedAllocations(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, tt := range []struct {
		name   string
		reason Reason
		cred   func(*rig) Credentials
	}{
		{"wrong password", BadPassword, func(r *rig) Credentials {
			c := r.Credentials(User{Session: "ann"}, now)
			c.Password = "guess"
			return c
		}},
		{"another session's password", BadPassword, func(r *rig) Credentials {
			return Credentials{Username: r.Credentials(User{Session: "ann"}, now).Username, Password: r.Credentials(User{Session: "bob"}, now).Password}
		}},
		{"expired", Expired, func(r *rig) Credentials { return r.Credentials(User{Session: "ann"}, now.Add(-3*time.Minute)) }},
		{"a life longer, by hand", BadPassword, func(r *rig) Credentials {
			c := r.Credentials(User{Session: "ann"}, now.Add(-3*time.Minute))
			c.Username = strconv.FormatInt(now.Add(time.Hour).Unix(), 10) + ":ann"
			return c
		}},
		{"no expiry", BadName, func(*rig) Credentials { return Credentials{Username: "ann", Password: password(secret, "ann")} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			for i, network := range []string{"udp", "tcp"} {
				if relay, err := r.clientAs(t, network, tt.cred(r)).Allocate(); err == nil {
					t.Errorf("%s: got %v", network, relay.LocalAddr())
				}
				wantRefused(t, r.Server, tt.reason, uint64(i+1))
			}
			if n := r.Stats().Allocations; n != 0 {
				t.Errorf("%d allocations", n)
			}
		})
	}
}

func TestWrongRealm(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Realm = "elsewhere" })
	c := r.raw(t, r.Credentials(User{Session: "ann"}, time.Now())) // says "parley" whatever the server says
	if got := code(c.allocate()); got == 0 {
		t.Error("allocated")
	}
	wantRefused(t, r.Server, WrongRealm, 1)
}

func TestExpiryDoesNotEndACall(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.TTL = time.Minute })
	c := r.raw(t, r.Credentials(User{Session: "ann"}, r.clock.Now()))
	if got := code(c.allocate()); got != 0 {
		t.Fatalf("allocate: %d", got)
	}
	r.clock.advance(2 * time.Minute)
	if got := code(c.ask(patience, stun.MethodCreatePermission, peer(t, "127.0.0.1:9"))); got != 0 {
		t.Errorf("permission after expiry: %d", got)
	}
	if got := code(c.ask(patience, stun.MethodRefresh)); got != 0 {
		t.Errorf("refresh after expiry: %d", got)
	}
	late := r.raw(t, c.cred) // from elsewhere the name is worth nothing
	if got := code(late.allocate()); got == 0 {
		t.Error("a new allocation after expiry")
	}
	wantRefused(t, r.Server, Expired, 1)
	if got := code(c.ask(patience, stun.MethodRefresh, lifetime(0))); got != 0 {
		t.Errorf("end: %d", got)
	}
	if got := code(c.ask(patience, stun.MethodAllocate, overUDP)); got == 0 {
		t.Error("a new allocation from the old place after expiry")
	}
}

func TestAnotherUsersAllocation(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := r.raw(t, r.Credentials(User{Session: "ann"}, time.Now()))
	if got := code(c.allocate()); got != 0 {
		t.Fatalf("allocate: %d", got)
	}
	c.as(r.Credentials(User{Session: "bob"}, time.Now()))
	for i, got := range []int{
		code(c.ask(patience, stun.MethodCreatePermission, peer(t, "127.0.0.1:9"))),
		code(c.ask(patience, stun.MethodRefresh, lifetime(0))),
		code(c.ask(patience, stun.MethodChannelBind, peer(t, "127.0.0.1:9"), channelNumber(0x4001))),
	} {
		if got != 441 {
			t.Errorf("request %d: %d, want 441", i, got)
		}
	}
	wantRefused(t, r.Server, OtherUser, 3)
	if got := code(c.ask(patience, stun.MethodAllocate, overUDP)); got != 437 {
		t.Errorf("bob's allocate: %d, want 437", got)
	}
	c.as(r.Credentials(User{Session: "ann"}, time.Now().Add(time.Minute))) // newer credentials of the same session
	if got := code(c.ask(patience, stun.MethodRefresh)); got != 0 {
		t.Errorf("ann's refresh: %d", got)
	}
	if n := r.Stats().Allocations; n != 1 {
		t.Errorf("%d allocations", n)
	}
}

func channelNumber(number uint16) stun.Setter {
	return stun.RawAttribute{Type: stun.AttrChannelNumber, Value: []byte{byte(number >> 8), byte(number), 0, 0}}
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason Reason
		limits Limits
		second string
	}{
		{IdentityQuota, Limits{PerIdentity: 1}, "ann"},
		{IPQuota, Limits{PerIP: 1}, "bob"},
		{TotalQuota, Limits{Allocations: 1}, "bob"},
	} {
		t.Run(tt.reason.String(), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *Config) { c.Limits = tt.limits })
			first := relayOf(t, r.client(t, "udp", "ann"))
			for i, network := range []string{"udp", "tcp"} {
				_, err := r.client(t, network, tt.second).Allocate()
				if err == nil || !strings.Contains(err.Error(), "486") {
					t.Errorf("%s: %v, want 486", network, err)
				}
				wantRefused(t, r.Server, tt.reason, uint64(i+1))
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "there is room again", func() bool { return r.Stats().Allocations == 0 })
			relayOf(t, r.client(t, "tcp", tt.second))
		})
	}
}

func TestNoRelayPortLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.MinPort, c.MaxPort = 21550, 21550 })
	relayOf(t, r.client(t, "udp", "ann"))
	for range 3 { // what fails gives its quota back
		if _, err := r.client(t, "udp", "ann").Allocate(); err == nil || !strings.Contains(err.Error(), "508") {
			t.Errorf("%v, want 508", err)
		}
	}
	wantRefused(t, r.Server, NoPort, 3)
	eventually(t, "only the first counts", func() bool { return r.Stats().Allocations == 1 })
}

func TestDeniedPeers(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Allow = nil })
	client := r.client(t, "udp", "ann")
	relayOf(t, client)
	for i, ip := range []string{"10.0.0.1", "169.254.169.254", "127.0.0.2", "224.0.0.1"} {
		if err := client.CreatePermission(&net.UDPAddr{IP: net.ParseIP(ip), Port: 9}); err == nil {
			t.Errorf("%s was permitted", ip)
		}
		wantRefused(t, r.Server, DeniedPeer, uint64(i+1))
	}
	if err := client.CreatePermission(&net.UDPAddr{IP: net.ParseIP("2606:4700::1"), Port: 9}); err == nil {
		t.Error("an IPv6 peer was permitted")
	}
	wantRefused(t, r.Server, PeerFamily, 1)
	if err := client.CreatePermission(&net.UDPAddr{IP: net.ParseIP("8.8.8.8"), Port: 9}); err != nil {
		t.Errorf("a public peer: %v", err) // nothing is sent to it
	}
}

// TestOwnPorts: this host is reachable at its media port, and nowhere else.
func TestOwnPorts(t *testing.T) {
	t.Parallel()
	media, private := newEcho(t, "127.0.0.1:0"), newEcho(t, "127.0.0.1:0")
	r := newRig(t, func(c *Config) {
		c.Allow = nil
		c.Media = []netip.AddrPort{addrPort(media.LocalAddr())}
	})
	relay := relayOf(t, r.client(t, "udp", "ann"))
	for range 3 {
		if _, err := relay.WriteTo([]byte("let me in"), private.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	roundTrip(t, relay, media.LocalAddr(), "media")
	eventually(t, "packets to another port are refused", func() bool { return r.Stats().Refused["denied_peer"] >= 3 })
	if n := private.count(); n != 0 {
		t.Errorf("%d packets came through", n)
	}
	// The other way round: the address has a permission, the port has not.
	before := r.Stats().Refused["denied_peer"]
	if _, err := private.WriteTo([]byte("from inside"), relay.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a packet from another port is refused", func() bool { return r.Stats().Refused["denied_peer"] > before })
}

func TestBandwidth(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Limits.Bandwidth = 1000 }) // and a burst of 64 KiB
	peer := newEcho(t, "127.0.0.1:0")
	relay := relayOf(t, r.client(t, "udp", "ann"))
	roundTrip(t, relay, peer.LocalAddr(), "within the burst")
	kilobyte := make([]byte, 1000)
	eventually(t, "the rest is dropped", func() bool {
		if _, err := relay.WriteTo(kilobyte, peer.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		return r.Stats().Refused["over_rate"] > 20
	})
	if n := peer.count(); n > 80 {
		t.Errorf("%d packets of 1000 bytes passed a burst of 65536 bytes", n)
	}
}

func TestPeersAndChannelsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Limits.Peers, c.Limits.Channels = 2, 2 })
	c := r.raw(t, r.Credentials(User{Session: "ann"}, time.Now()))
	if got := code(c.allocate()); got != 0 {
		t.Fatalf("allocate: %d", got)
	}
	for _, p := range []string{"127.0.0.1:1", "127.0.0.2:1", "127.0.0.1:1", "127.0.0.2:2"} {
		if got := code(c.ask(patience, stun.MethodCreatePermission, peer(t, p))); got != 0 {
			t.Errorf("%s: %d", p, got)
		}
	}
	if got := code(c.ask(patience, stun.MethodCreatePermission, peer(t, "127.0.0.3:1"))); got == 0 {
		t.Error("a third peer was permitted")
	}
	wantRefused(t, r.Server, TooManyPeers, 1)

	for _, number := range []uint16{0x4001, 0x4002, 0x4001} {
		at := "127.0.0.1:" + strconv.Itoa(int(number))
		if got := code(c.ask(patience, stun.MethodChannelBind, peer(t, at), channelNumber(number))); got != 0 {
			t.Errorf("channel %x: %d", number, got)
		}
	}
	if got := code(c.ask(300*time.Millisecond, stun.MethodChannelBind, peer(t, "127.0.0.1:3"), channelNumber(0x4003))); got == 0 {
		t.Error("a third channel was bound")
	}
	wantRefused(t, r.Server, TooManyChannels, 1)
}

// TestErrorAnswersAreLimited: what is much larger than its request is not sent to an address without end, and who uses
// that up takes nothing from somebody at the same address who asks as clients do.
func TestErrorAnswersAreLimited(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Limits.Errors = 1 })
	c := r.raw(t, Credentials{})
	answers := 0
	for range 25 {
		if c.ask(100*time.Millisecond, stun.MethodAllocate) == nil {
			break
		}
		answers++
	}
	if answers != 20 { // the clock stands still
		t.Errorf("%d answers, want 20", answers)
	}
	wantRefused(t, r.Server, ErrorLimit, 1)
	for range 50 {
		if got := code(c.ask(patience, stun.MethodAllocate, overUDP)); got != 401 {
			t.Fatalf("a neighbour: %d", got)
		}
	}
	if got := code(r.raw(t, r.Credentials(User{Session: "ann"}, r.clock.Now())).allocate()); got != 0 {
		t.Errorf("a neighbour's allocate: %d", got)
	}
	if got := code(c.ask(patience, stun.MethodBinding)); got != 0 {
		t.Errorf("binding: %d", got)
	}
	r.clock.advance(2 * time.Second)
	if got := code(c.ask(patience, stun.MethodAllocate)); got != 401 {
		t.Errorf("two seconds later: %d", got)
	}
}

// TestAmplification: nothing that is sent without credentials brings much more than it cost, headers counted.
func TestAmplification(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := r.raw(t, Credentials{})
	for _, tt := range []struct {
		name   string
		method stun.Method
		attrs  []stun.Setter
		most   float64
	}{
		{"Binding", stun.MethodBinding, nil, 1.5},
		{"Binding, an unknown attribute", stun.MethodBinding, []stun.Setter{attrOf(0x7FFE)}, 1.5},
		{"Allocate", stun.MethodAllocate, []stun.Setter{overUDP}, 1.5},
		{"Allocate, bare", stun.MethodAllocate, nil, 1.7}, // and limited
		{"Refresh", stun.MethodRefresh, nil, 1.7},
		{"no user name", stun.MethodRefresh, []stun.Setter{attrOf(attrIntegrity, make([]byte, 20)...)}, 1},
	} {
		request := stun.MustBuild(append([]stun.Setter{
			stun.TransactionID, stun.NewType(tt.method, stun.ClassRequest),
		}, tt.attrs...)...)
		in, out := len(request.Raw)+headers, len(c.exchange(patience, request.Raw).Raw)+headers
		if factor := float64(out) / float64(in); factor > tt.most {
			t.Errorf("%s: %d bytes for %d, %.2f times as many", tt.name, out, in, factor)
		}
	}
}

// TestLifetimes: permissions, channels and allocations end when their time is over, and not before.
func TestLifetimes(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := r.raw(t, r.Credentials(User{Session: "ann"}, r.clock.Now()))
	echo := newEcho(t, "127.0.0.1:0")
	at := echo.LocalAddr().String()
	if got := code(c.allocate()); got != 0 {
		t.Fatalf("allocate: %d", got)
	}
	for step, got := range []int{code(permission(at)(c)), code(bound(0x4000, at)(c))} {
		if got != 0 {
			t.Fatalf("step %d: %d", step, got)
		}
	}
	hello := []byte("\x40\x00\x00\x05hello")
	if m := c.data(hello); m == nil {
		t.Error("nothing came back by the channel")
	}
	r.clock.advance(permissionLifetime) // the channel has longer
	before := echo.count()
	if m := c.data(hello); m != nil || echo.count() != before {
		t.Error("without a permission it still relays")
	}
	if got := code(permission(at)(c)); got != 0 {
		t.Fatalf("permission: %d", got)
	}
	if m := c.data(hello); m == nil {
		t.Error("with a new permission it does not relay")
	}
	r.clock.advance(channelLifetime - permissionLifetime)
	c.as(r.Credentials(User{Session: "ann"}, r.clock.Now()))
	if got := code(c.ask(patience, stun.MethodRefresh)); got != 437 {
		t.Errorf("ten minutes later it is still there: %d", got)
	}
	if n := r.Stats().Allocations; n != 0 {
		t.Errorf("%d allocations", n)
	}
}

// TestAllocationEndsByItself: nobody needs to ask for one for it to end.
func TestAllocationEndsByItself(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := r.raw(t, r.Credentials(User{Session: "ann"}, r.clock.Now()))
	if got := code(c.allocate()); got != 0 {
		t.Fatalf("allocate: %d", got)
	}
	r.clock.advance(defaultLifetime)
	for _, a := range r.relays.all() {
		a.wake(0)
	}
	eventually(t, "the relay is closed", func() bool { return r.Stats().Allocations == 0 && len(r.relays.all()) == 0 })
}
