package mux

import (
	"net/netip"
	"sync"
)

// askedLen is how many clients of TURN are remembered twice: those of now, and those of before.
const askedLen = 4096

// asked remembers at which of our addresses each client of TURN was heard last: it knows no other, and takes no answer from one. Who is
// heard stays; strangers who fill the table make others go that were not heard since it was filled the last time. They are
// answered from the address that the system chooses.
type asked struct {
	mu          sync.RWMutex
	now, before map[netip.AddrPort]netip.Addr // Guarded by mu.
}

// note is told where a packet arrived; zero: that is not known.
func (a *asked) note(from netip.AddrPort, at netip.Addr) {
	if !at.IsValid() {
		return
	}
	a.mu.RLock()
	same := a.now[from] == at
	a.mu.RUnlock()
	if same {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.now) >= askedLen {
		a.now, a.before = nil, a.now
	}
	if a.now == nil {
		a.now = make(map[netip.AddrPort]netip.Addr)
	}
	a.now[from] = at
}

// at returns where a client was heard; zero: that is not known.
func (a *asked) at(to netip.AddrPort) netip.Addr {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if at, ok := a.now[to]; ok {
		return at
	}
	return a.before[to]
}
