package sfu

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley/parley/sfu/internal/icelite"
)

// iceTable tells whose a packet is that is not media of a known address.
type iceTable struct {
	mu    sync.RWMutex                 // taken within iceAgent.mu, and nothing is within it
	users map[string]*iceAgent         // Guarded by mu: by our user name fragment.
	addrs map[netip.AddrPort]*iceAgent // Guarded by mu: whose check came last from there.

	malformed, unknown, forged atomic.Uint64
	unasked                    atomic.Uint64
	unowned, garbage           atomic.Uint64
}

func newICETable() *iceTable {
	return &iceTable{users: make(map[string]*iceAgent), addrs: make(map[netip.AddrPort]*iceAgent)}
}

func (t *iceTable) add(ufrag string, a *iceAgent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.users[ufrag] = a
}

func (t *iceTable) remove(ufrag string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.users, ufrag)
}

// claim makes an address a's. Clients behind one NAT follow each other at one address.
func (t *iceTable) claim(addr netip.AddrPort, a *iceAgent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.addrs[addr] = a
}

func (t *iceTable) release(addr netip.AddrPort, a *iceAgent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.addrs[addr] == a {
		delete(t.addrs, addr)
	}
}

// at returns whose checks come from there, or nil.
func (t *iceTable) at(addr netip.AddrPort) *iceAgent {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.addrs[addr]
}

// check takes a datagram of STUN. False: it is nobody's check.
func (t *iceTable) check(b []byte, v via, now time.Time) bool {
	r, err := icelite.Parse(b)
	if err == icelite.ErrNotRequest { //nolint:errorlint // it is never wrapped, and this is for every datagram of a stranger
		return t.answered(b, v, now)
	}
	if err != nil {
		t.malformed.Add(1)
		return false
	}
	t.mu.RLock()
	a := t.users[string(r.LocalUser())]
	t.mu.RUnlock()
	if a == nil {
		t.unknown.Add(1)
		return false
	}
	defer a.t.peer.guard("check")
	if !a.check(&r, v, now) {
		t.forged.Add(1)
		return false
	}
	return true
}

// answered takes what may be the answer to a request of ours. It always returns false: it is no check.
func (t *iceTable) answered(b []byte, v via, now time.Time) bool {
	a := t.at(v.addr)
	if a == nil {
		return false
	}
	defer a.t.peer.guard("answer")
	if r, ok := icelite.ParseAnswer(b); !ok || !a.answered(&r, v, now) {
		t.unasked.Add(1)
	}
	return false
}

// count adds what nobody was found for.
func (t *iceTable) count(c *Counts) {
	c.drop(dropCheckMalformed, t.malformed.Load())
	c.drop(dropCheckUnknown, t.unknown.Load())
	c.drop(dropCheckForged, t.forged.Load())
	c.drop(dropCheckUnasked, t.unasked.Load())
	c.drop(dropUnowned, t.unowned.Load())
	c.drop(dropGarbage, t.garbage.Load())
}
