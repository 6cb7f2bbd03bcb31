package sfu

import (
	"crypto/rand"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley/parley/sfu/internal/budget"
	"github.com/parley/parley/sfu/internal/icelite"
)

// A peer of the batched plane is an ICE-lite agent (RFC 8445, section 2.5): it answers its client's checks, in whoever received them, and
// sends none, but to see who is there (ice_proof.go). The client's checks are also what keeps it allowed to send (RFC 7675): when none comes for long, nothing more is sent.

// iceState is how far the checks have come.
type iceState uint32

const (
	iceNew          iceState = iota
	iceChecking              // of the newest credentials none has come yet
	iceConnected             //
	iceDisconnected          // no check for silentAfter
	iceFailed                // no check for silentAfter and failedAfter
)

const (
	silentAfter = 7 * time.Second  // Chromium checks a good path every 2.5 s, Firefox every 5 s
	failedAfter = 25 * time.Second // further silence

	ufragLen, passwordLen = 16, 32 // letters of 6 bits; RFC 8445, section 5.3, wants 24 and 128 bits at least
)

// via is a way on which a client's packets come and go.
type via struct {
	addr netip.AddrPort // the client's
	at   netip.Addr     // which of ours the client knows; zero: there is but one, or the system chooses
	tcp  *tcpConn       // nil: UDP
}

// iceAgent is a peer's part of ICE.
type iceAgent struct {
	// Static after construction.
	t     *direct
	table *iceTable

	state atomic.Uint32       // iceState; written under mu
	path  atomic.Pointer[via] // in use; nil: none. Written under mu

	mu      sync.Mutex              // taken before a loop; no loop takes it
	current *credentials            // Guarded by mu.
	before  *credentials            // Guarded by mu: of before a restart, until a check of the newer ones comes.
	heard   time.Time               // Guarded by mu: the last check over path, or when the credentials were made.
	started bool                    // Guarded by mu: DTLS was.
	closed  bool                    // Guarded by mu.
	addrs   []netip.AddrPort        // Guarded by mu: from which checks came, the last ones.
	conns   []*tcpConn              // Guarded by mu: the same over TCP.
	answer  [icelite.MaxAnswer]byte // Guarded by mu.
	request [maxRequest]byte        // Guarded by mu.
	proof   proof                   // Guarded by mu.
	moves   budget.Budget           // Guarded by mu.
}

// credentials are of one answer.
type credentials struct {
	ufrag, password string
	user            string // USERNAME of the client's checks
	key             *icelite.Key

	theirs   *icelite.Key // made when the client is first asked
	theirKey string       // the client's password
	askUser  string       // USERNAME of our requests
}

// letters are ICE's (RFC 8445, section 5.3: ice-char).
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

func newCredentials(remoteUfrag, remotePassword string) *credentials {
	var b [ufragLen + passwordLen]byte
	_, _ = rand.Read(b[:]) // never fails
	for i := range b {
		b[i] = letters[b[i]%64]
	}
	c := &credentials{ufrag: string(b[:ufragLen]), password: string(b[ufragLen:])}
	c.user, c.key = c.ufrag+":"+remoteUfrag, icelite.NewKey(c.password)
	c.askUser, c.theirKey = remoteUfrag+":"+c.ufrag, remotePassword
	return c
}

// credentials returns those of the last answer, or nil.
func (a *iceAgent) credentials() *credentials {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.current
}

// use takes the checks of a new answer from now on. Until the first of them comes, the path of before is used.
func (a *iceAgent) use(c *credentials, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	if a.before != nil {
		a.table.remove(a.before.ufrag)
	}
	a.before, a.current, a.heard = a.current, c, now
	a.table.add(c.ufrag, a)
	a.state.Store(uint32(iceChecking))
}

// check answers a check, which names one of our user name fragments. False: it did not authenticate. The caller is in no loop.
func (a *iceAgent) check(r *icelite.Request, v via, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	c := a.current
	if string(r.User) != c.user {
		if c = a.before; c == nil || string(r.User) != c.user {
			return false
		}
	}
	if !c.key.Verify(r) {
		return false
	}
	a.t.peer.count.signs.Add(1)
	switch {
	case !r.Understood():
		a.reply(v, c.key.Refuse(a.answer[:0], r, icelite.UnknownAttribute))
		return true
	case r.Controlled: // both cannot be, and we cannot be the other
		a.reply(v, c.key.Refuse(a.answer[:0], r, icelite.RoleConflict))
		return true
	}
	if !a.arrived(v) {
		return true
	}
	ask, wanted := false, false
	if c == a.current {
		ask, wanted = a.choose(r, v, now)
	} else if used := a.path.Load(); used != nil && *used == v {
		a.heard = now
		a.t.peer.leg.hear(now)
	}
	a.earn(v, r.Len())
	answer := c.key.Success(a.answer[:0], r, v.addr)
	a.reply(v, answer)
	if ask { // after the answer: a client that waits to nominate may do so now
		a.ask(c, v, wanted, unprovenShare*(r.Len()+datagramExtra)-len(answer)-datagramExtra, now)
	}
	return true
}

// reply sends without waiting. The client sends a check again that is not answered. The caller holds mu.
func (a *iceAgent) reply(v via, b []byte) {
	if !v.send(a.t.peer.node.plane, b) {
		a.t.peer.count.iceUnanswered.Add(1)
	}
	a.spend(v, len(b))
}

// choose decides whether the path of a check is used from now on. A browser nominates a path towards a lite agent with its second
// check, 50 ms after the first, and sends its ClientHello right after the first: so that is used until one is nominated, and likewise
// after a restart, or where nothing comes over the path in use. The caller holds mu.
// It reports whether the client is to be asked whether it is there, and whether the path is used once it has answered.
func (a *iceAgent) choose(r *icelite.Request, v via, now time.Time) (ask, wanted bool) {
	if a.before != nil {
		a.table.remove(a.before.ufrag)
		a.before = nil
	}
	used, state := a.path.Load(), iceState(a.state.Load())
	same := used != nil && *used == v
	wanted = same || used == nil || state != iceConnected || r.Nominates || a.quiet(now)
	ask = !a.trusts(v, now)
	if wanted && (same || !ask || a.mayTry()) { // else what is there is used until the client has answered
		a.take(v, now)
	}
	return ask, wanted
}

// take uses a path from now on. The caller holds mu.
func (a *iceAgent) take(v via, now time.Time) {
	if used := a.path.Load(); used == nil || *used != v {
		if used != nil && !a.moves.Take(now, 1) {
			return // a later check will do
		}
		a.move(used, v, now)
	}
	a.heard = now
	a.t.peer.leg.hear(now)
	if iceState(a.state.Load()) != iceConnected {
		a.state.Store(uint32(iceConnected))
		a.t.changed()
	}
	if !a.started {
		a.started = true
		a.t.spawn(a.t.connect)
	}
}

// arrived notes from where a check came. The oldest gives way. False: it is another's connection. The caller holds mu.
func (a *iceAgent) arrived(v via) bool {
	if v.tcp != nil {
		if !v.tcp.owner.CompareAndSwap(nil, a) {
			return v.tcp.owner.Load() == a
		}
		if len(a.conns) == maxAddrs {
			a.conns[0].finish() // it leaves the list as it ends
		}
		a.conns = append(a.conns, v.tcp)
		return true
	}
	if slices.Contains(a.addrs, v.addr) && a.table.at(v.addr) == a {
		return true
	}
	a.addrs = slices.DeleteFunc(a.addrs, func(o netip.AddrPort) bool { return o == v.addr })
	if len(a.addrs) == maxAddrs {
		a.table.release(a.addrs[0], a)
		a.addrs = slices.Delete(a.addrs, 0, 1)
	}
	a.addrs = append(a.addrs, v.addr)
	a.table.claim(v.addr, a)
	return true
}

// gone is told that a connection has ended. The next check over another path finds none in use.
func (a *iceAgent) gone(c *tcpConn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conns = slices.DeleteFunc(a.conns, func(o *tcpConn) bool { return o == c })
	if used := a.path.Load(); used != nil && used.tcp == c {
		a.path.Store(nil)
		a.t.peer.leg.lose()
	}
}

// tick sees whether checks still come. The caller is in no loop.
func (a *iceAgent) tick(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.askAgain(now)
	state, silent := iceState(a.state.Load()), now.Sub(a.heard)
	next := state
	switch {
	case state == iceNew || state == iceFailed:
		return
	case silent > silentAfter+failedAfter:
		next = iceFailed
		a.path.Store(nil)
		a.t.peer.leg.lose()
	case silent > silentAfter && state == iceConnected:
		next = iceDisconnected
	}
	if next != state {
		a.state.Store(uint32(next))
		a.t.changed()
	}
}

// close forgets everything, and closes connections once what waits there has been sent.
func (a *iceAgent) close() {
	a.mu.Lock()
	conns := slices.Clone(a.conns)
	a.closed = true
	a.path.Store(nil)
	for _, c := range []*credentials{a.before, a.current} {
		if c != nil {
			a.table.remove(c.ufrag)
		}
	}
	for _, addr := range a.addrs {
		a.table.release(addr, a)
	}
	a.mu.Unlock()
	for _, c := range conns {
		c.finish()
	}
}

// send sends one packet, which is lost where there is no room.
func (v *via) send(pl *plane, b []byte) bool {
	if v.tcp != nil {
		return v.tcp.write(b) == nil
	}
	_, err := pl.conns[0].WriteFrom(b, v.addr, v.at)
	return err == nil
}
