package turn

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// allocation is one relay: who it is for, whom it may reach, and the socket.
type allocation struct {
	// Static after construction.
	e        *endpoint
	client   net.Addr
	at       netip.AddrPort // client
	ip       netip.Addr     // of the client, as limits count it
	user     User
	id       transactionID  // of the Allocate request
	lifetime time.Duration  // as it was granted at first
	more     bool           // an IPv6 relay was asked for too
	relay    netip.AddrPort // as clients and peers are told
	conn     *net.UDPConn
	up, down *rate.Limiter // client to peer, peer to client

	ending sync.Once

	// Guarded by mu.
	mu       sync.Mutex
	expires  time.Time
	peers    map[netip.Addr]time.Time // permitted until
	channels map[uint16]*channel
	numbers  map[netip.AddrPort]uint16 // of channels, by peer
}

// channel is a short name for a peer.
type channel struct {
	peer  netip.AddrPort
	until time.Time
}

// newAllocation takes the quota and a port, and starts to relay.
func (e *endpoint) newAllocation(r *request, w wish) (*allocation, *refusal) {
	s, ip := e.s, client(r.from)
	if reason, ok := s.quota.take(r.user.Identity, ip); !ok {
		return nil, &refusal{486, reason}
	}
	bandwidth := s.cfg.Limits.Bandwidth
	a := &allocation{
		e: e, client: r.from, at: r.at, ip: ip, user: r.user, id: r.id, lifetime: w.lifetime, more: w.more,
		up:      rate.NewLimiter(rate.Limit(bandwidth), max(bandwidth, 1<<16)),
		down:    rate.NewLimiter(rate.Limit(bandwidth), max(bandwidth, 1<<16)),
		expires: r.now.Add(w.lifetime),
		peers:   map[netip.Addr]time.Time{}, channels: map[uint16]*channel{}, numbers: map[netip.AddrPort]uint16{},
	}
	e.mu.Lock()
	e.held[a.at] = a // before its relay can be found, and ended
	e.mu.Unlock()
	if err := s.relays.open(a, w.even); err != nil {
		e.mu.Lock()
		delete(e.held, a.at)
		e.mu.Unlock()
		s.quota.give(a.user.Identity, a.ip)
		s.cfg.Log.Debug("no relay", "err", err)
		return nil, noPort
	}
	s.allocated.Add(1)
	s.reading.Go(a.run)
	if s.revoked.has(a.user.Session) { // meanwhile
		a.end()
		return nil, unauthenticated(Revoked)
	}
	return a, nil
}

// end closes the relay. Its reader ends soon after.
func (a *allocation) end() {
	a.ending.Do(func() {
		e := a.e
		e.mu.Lock()
		if e.held[a.at] == a {
			delete(e.held, a.at)
		}
		e.mu.Unlock()
		e.s.relays.close(a)
		e.s.quota.give(a.user.Identity, a.ip)
	})
}

func (a *allocation) over(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !now.Before(a.expires)
}

// extend gives the allocation a new lifetime.
func (a *allocation) extend(now time.Time, lifetime time.Duration) {
	a.mu.Lock()
	a.expires = now.Add(lifetime)
	a.mu.Unlock()
	a.wake(lifetime)
}

// wake lets the reader look at the time when the allocation's may be over.
func (a *allocation) wake(after time.Duration) {
	if err := a.conn.SetReadDeadline(time.Now().Add(after)); err != nil {
		a.e.s.cfg.Log.Debug("relay deadline", "err", err)
	}
}

// remaining is how long the allocation has.
func (a *allocation) remaining(now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.expires.Sub(now)
}

// permit lets peers send and be sent to, all of them or none.
func (a *allocation) permit(peers []netip.Addr, now time.Time) *refusal {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.permitLocked(peers, now)
}

func (a *allocation) permitLocked(peers []netip.Addr, now time.Time) *refusal {
	for ip, until := range a.peers {
		if !now.Before(until) {
			delete(a.peers, ip)
		}
	}
	fresh := map[netip.Addr]struct{}{}
	for _, ip := range peers {
		if _, there := a.peers[ip]; !there {
			fresh[ip] = struct{}{}
		}
	}
	if len(a.peers)+len(fresh) > a.e.s.cfg.Limits.Peers {
		return &refusal{508, TooManyPeers}
	}
	for _, ip := range peers {
		a.peers[ip] = now.Add(permissionLifetime)
	}
	return nil
}

func (a *allocation) permits(peer netip.Addr, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return now.Before(a.peers[peer])
}

// bind makes or renews a channel, and the permission for its peer. Neither can have two of the other.
func (a *allocation) bind(number uint16, peer netip.AddrPort, now time.Time) *refusal {
	a.mu.Lock()
	defer a.mu.Unlock()
	for n, c := range a.channels {
		if !now.Before(c.until) {
			delete(a.channels, n)
			delete(a.numbers, c.peer)
		}
	}
	c := a.channels[number]
	if n, taken := a.numbers[peer]; taken && n != number || c != nil && c.peer != peer {
		return badRequest
	}
	if c == nil && len(a.channels) >= a.e.s.cfg.Limits.Channels {
		return &refusal{508, TooManyChannels}
	}
	if no := a.permitLocked([]netip.Addr{peer.Addr()}, now); no != nil {
		return no
	}
	a.channels[number] = &channel{peer: peer, until: now.Add(channelLifetime)}
	a.numbers[peer] = number
	return nil
}

// peerOf is whom a channel leads to, where that is still permitted.
func (a *allocation) peerOf(number uint16, now time.Time) (netip.AddrPort, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.channels[number]
	if c == nil || !now.Before(c.until) || !now.Before(a.peers[c.peer.Addr()]) {
		return netip.AddrPort{}, false
	}
	return c.peer, true
}

// numberOf is the channel to a peer; 0: there is none. ok is false where the peer is not permitted.
func (a *allocation) numberOf(peer netip.AddrPort, now time.Time) (number uint16, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !now.Before(a.peers[peer.Addr()]) {
		return 0, false
	}
	if n, bound := a.numbers[peer]; bound && now.Before(a.channels[n].until) {
		return n, true
	}
	return 0, true
}
