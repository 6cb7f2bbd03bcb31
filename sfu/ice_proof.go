package sfu

import (
	"crypto/rand"
	"net/netip"
	"slices"
	"time"

	"github.com/parley/parley/sfu/internal/budget"
	"github.com/parley/parley/sfu/internal/icelite"
)

// A check tells who sent it, not from where: whoever has the password can forge its source. So an IP address gets media only after it has
// shown that somebody there wants it: by answering a Binding request of ours, whose id is known there alone, or by DTLS, where all our
// flights went there. Until then it gets no more than three times what comes from it (as in RFC 9000, section 8.1), and media goes where
// it went. A new port of an address that has shown it needs nothing: that is what NATs do.

const (
	proofLasts = silentAfter + failedAfter // as consent does
	maxProofs  = 8                         // addresses of one client
	maxAsked   = 4                         // that are asked at once; the oldest gives way

	askSpacing = 100 * time.Millisecond // between two requests to one address, of those that checks make
	askRepeat  = 250 * time.Millisecond // until one is sent once more without a check
	askForget  = 10 * time.Second
	maxRequest = 128 // bytes, of usual user names: a longer one makes a slice of its own

	unprovenShare = 3  // times what came
	datagramExtra = 28 // bytes of IP and UDP

	// While nothing comes over the path in use for so long, any path that is checked is better. Chromium checks the one that it uses
	// every 2.5 s, and its RTCP comes more often than that.
	quietAfter = 3 * time.Second
)

// newMoves bounds how often a client may be found elsewhere: each move changes what all who read the socket look into.
func newMoves() budget.Budget { return budget.Every(500*time.Millisecond, 4) }

// proof is what is known of a client's addresses. Guarded by iceAgent.mu.
type proof struct {
	up      bool       // DTLS is through
	limited bool       // the path in use leads to an address that has shown nothing
	credit  int        // bytes that may still go there
	flown   netip.Addr // where the first flight of DTLS went; zero: none has left
	mixed   bool       // others went elsewhere
	known   []proven
	asked   []question
}

// proven is an address that has shown that it wants what we send.
type proven struct {
	ip netip.Addr
	at time.Time
}

// question is a request that has not been answered.
type question struct {
	id      [icelite.TransactionLen]byte
	by      *credentials
	to      via
	wanted  bool // the path is used once it is answered
	again   bool // it was repeated
	at      time.Time
	expires time.Time
}

// trusts reports whether the path's address has shown that it wants what we send. The caller holds mu, as in all that follows.
func (a *iceAgent) trusts(v via, now time.Time) bool {
	if v.tcp != nil { // its handshake has
		return true
	}
	ip, p := v.addr.Addr(), &a.proof
	if used := a.path.Load(); used != nil && used.addr.Addr() == ip && !p.limited {
		return true
	}
	return slices.ContainsFunc(p.known, func(o proven) bool { return o.ip == ip && now.Sub(o.at) < proofLasts })
}

// mayTry reports whether an address that has shown nothing may be used, for DTLS: while that is not through, and there is no better.
func (a *iceAgent) mayTry() bool { return !a.proof.up && (a.path.Load() == nil || a.proof.limited) }

// quiet reports whether nothing has come over the path in use for some time.
func (a *iceAgent) quiet(now time.Time) bool {
	return now.Sub(a.heard) > quietAfter && now.UnixNano()-a.t.peer.leg.heardAt.Load() > int64(quietAfter)
}

// move changes the path in use.
func (a *iceAgent) move(from *via, v via, now time.Time) {
	p := &a.proof
	if from != nil && !p.limited {
		a.remember(from.addr.Addr(), now) // it was one until now
	}
	p.limited, p.credit = !a.trusts(v, now), 0
	a.path.Store(&v)
	for i := range p.asked {
		p.asked[i].wanted = false // that was about another path than this
	}
	a.t.peer.leg.use(v, !p.limited)
}

func (a *iceAgent) remember(ip netip.Addr, now time.Time) {
	p := &a.proof
	p.known = slices.DeleteFunc(p.known, func(o proven) bool { return o.ip == ip })
	if len(p.known) == maxProofs {
		p.known = slices.Delete(p.known, 0, 1)
	}
	p.known = append(p.known, proven{ip, now})
}

// prove takes note that an address has shown that it wants what we send.
func (a *iceAgent) prove(ip netip.Addr, now time.Time) {
	a.remember(ip, now)
	if used := a.path.Load(); a.proof.limited && used != nil && used.addr.Addr() == ip {
		a.proof.limited = false
		a.t.peer.leg.use(*used, true)
	}
}

// established is told that DTLS is through: where all our flights went to one address, the client is there.
func (a *iceAgent) established(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := &a.proof
	p.up = true
	if used := a.path.Load(); p.limited && used != nil && !p.mixed && p.flown == used.addr.Addr() {
		a.prove(p.flown, now)
	}
}

// ask sends a request over a path from which a check came. It is repeated where that costs no more than paid bytes in all, headers counted.
func (a *iceAgent) ask(c *credentials, v via, wanted bool, paid int, now time.Time) {
	p := &a.proof
	i := slices.IndexFunc(p.asked, func(q question) bool { return q.to == v && q.by == c && now.Before(q.expires) })
	if i < 0 {
		if len(p.asked) == maxAsked {
			p.asked = slices.Delete(p.asked, 0, 1)
		}
		q := question{by: c, to: v, expires: now.Add(askForget)}
		_, _ = rand.Read(q.id[:]) // never fails
		i, p.asked = len(p.asked), append(p.asked, q)
	}
	q := &p.asked[i]
	q.wanted = q.wanted || wanted
	if since := now.Sub(q.at); since >= askSpacing || since < 0 {
		n := a.send(q, now)
		q.again = 2*(n+datagramExtra) > paid
	}
}

// askAgain repeats each request once: it may have been lost, and the client's next check may be seconds away.
func (a *iceAgent) askAgain(now time.Time) {
	p := &a.proof
	p.asked = slices.DeleteFunc(p.asked, func(q question) bool { return !now.Before(q.expires) })
	for i := range p.asked {
		if q := &p.asked[i]; !q.again && now.Sub(q.at) >= askRepeat {
			q.again = true
			a.send(q, now)
		}
	}
}

// send returns how many bytes the request has.
func (a *iceAgent) send(q *question, now time.Time) int {
	if q.by.theirs == nil {
		q.by.theirs = icelite.NewKey(q.by.theirKey)
	}
	first := q.at.IsZero()
	q.at = now
	b := q.by.theirs.Ask(a.request[:0], q.id, q.by.askUser)
	if !first && !a.affords(q.to, len(b)) {
		return len(b)
	}
	if !q.to.send(a.t.peer.node.plane, b) {
		a.t.peer.count.iceUnanswered.Add(1)
	}
	a.t.peer.count.asked.Add(1)
	a.spend(q.to, len(b))
	return len(b)
}

// answered takes the answer to a request. The caller is in no loop, and does not hold mu.
func (a *iceAgent) answered(r *icelite.Answer, v via, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := &a.proof
	i := slices.IndexFunc(p.asked, func(q question) bool { return q.id == r.ID && q.to == v })
	if a.closed || i < 0 || !p.asked[i].by.theirs.Made(r) {
		return false
	}
	q := p.asked[i]
	p.asked = slices.Delete(p.asked, i, i+1)
	a.t.peer.count.proved.Add(1)
	a.prove(v.addr.Addr(), now)
	if q.wanted && q.by == a.current {
		a.take(v, now)
	}
	return true
}

// earn and spend count what comes from the address in use and what goes there, while it has shown nothing.
func (a *iceAgent) earn(v via, n int) {
	if used := a.path.Load(); a.proof.limited && used != nil && used.addr.Addr() == v.addr.Addr() {
		a.proof.credit += unprovenShare * (n + datagramExtra)
	}
}

func (a *iceAgent) spend(v via, n int) {
	if used := a.path.Load(); a.proof.limited && used != nil && used.addr.Addr() == v.addr.Addr() {
		a.proof.credit -= n + datagramExtra
	}
}

// affords reports whether n bytes may go there.
func (a *iceAgent) affords(v via, n int) bool {
	used := a.path.Load()
	return !a.proof.limited || used == nil || used.addr.Addr() != v.addr.Addr() || a.proof.credit >= n+datagramExtra
}

// arrivedDTLS counts a record that came. The caller does not hold mu.
func (a *iceAgent) arrivedDTLS(from netip.AddrPort, n int) {
	if a.t.peer.leg.trusted.Load() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.earn(via{addr: from}, n)
}

// sendDTLS sends a record on the path in use. Like any datagram it may be lost. The caller does not hold mu.
func (a *iceAgent) sendDTLS(b []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	v, p := a.path.Load(), &a.proof
	if v == nil {
		return
	}
	if ip := v.addr.Addr(); !p.up {
		p.mixed = p.mixed || p.flown.IsValid() && p.flown != ip
		p.flown = ip
	}
	if !a.affords(*v, len(b)) {
		a.t.peer.count.unproven.Add(1)
		return
	}
	if !v.send(a.t.peer.node.plane, b) {
		a.t.peer.count.dtlsUnsent.Add(1)
	}
	a.spend(*v, len(b))
}
