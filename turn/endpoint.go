package turn

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"time"

	pion "github.com/pion/turn/v4"
)

const (
	// inboundMTU is one more than the longest message taken from a client, in bytes.
	inboundMTU = 2048
	// expiryGuard is how long before its end an allocation gets no new permissions and channels, see the package's
	// invariants. It only has to be longer than one request takes.
	expiryGuard = 5 * time.Second
)

// endpoint is one connection with the pion server on it: the UDP socket with all its clients, or one TCP client.
// It is the net.PacketConn that pion reads and writes, and has the callbacks by which pion asks and tells.
type endpoint struct {
	// Static after construction.
	s       *Server
	conn    net.PacketConn
	release func()
	ended   chan struct{} // closed when pion's read loop has been told of the end

	ending sync.Once

	// handling is held while pion handles a message: no relay is taken away meanwhile.
	handling sync.Mutex

	// Owned by pion's read loop.
	inHand  bool     // handling is held
	method  uint16   // of the request in hand
	pending *holding // has taken its quota and is not yet an allocation

	// Guarded by mu.
	mu   sync.Mutex
	held map[netip.AddrPort][]*holding // by client; more than one only while an old allocation is being torn down
}

// holding is one allocation as far as the checks need it.
type holding struct {
	username string // as the client sent it
	user     User   // in it
	ip       netip.Addr
	relay    netip.AddrPort
	expires  time.Time // zero until the client has been told
	peers    map[netip.Addr]struct{}
	channels map[uint16]struct{}
}

var _ net.PacketConn = (*endpoint)(nil)

func newEndpoint(s *Server, conn net.PacketConn, release func()) *endpoint {
	e := &endpoint{s: s, conn: conn, release: release, ended: make(chan struct{}), held: map[netip.AddrPort][]*holding{}}
	if st, ok := conn.(*stream); ok {
		st.busy = e.holds
	}
	return e
}

// ReadFrom gives pion the next message that passes inspect.
func (e *endpoint) ReadFrom(b []byte) (int, net.Addr, error) {
	if e.inHand {
		e.inHand = false
		e.handling.Unlock()
	}
	for {
		n, from, err := e.conn.ReadFrom(b)
		if err != nil {
			e.end()
			return 0, nil, err
		}
		if reason, ok := e.inspect(b[:n], addrPort(from), e.s.now()); !ok {
			e.s.refuse(reason)
			continue
		}
		e.handling.Lock()
		e.inHand = true
		return n, from, nil
	}
}

// WriteTo sends what pion has to say, notes how long it promised an allocation to last, and holds back error answers to
// those who cause too many.
func (e *endpoint) WriteTo(b []byte, to net.Addr) (int, error) {
	if kind, ok := stunType(b); ok {
		switch {
		case kind == allocateSuccess || kind == refreshSuccess:
			if lifetime, ok := attribute(b, attrLifetime); ok && len(lifetime) == 4 {
				seconds := time.Duration(binary.BigEndian.Uint32(lifetime)) * time.Second
				e.promised(addrPort(to), kind, e.s.now().Add(seconds))
			}
		case kind&classMask == classError:
			if !e.s.errors.allow(client(to), e.s.now()) {
				e.s.refuse(ErrorLimit)
				return len(b), nil
			}
			e.s.errorAnswers.Add(1)
		}
	}
	return e.conn.WriteTo(b, to)
}

// end is called once pion's read loop will not read any more.
func (e *endpoint) end() {
	e.ending.Do(func() {
		if err := e.conn.Close(); err != nil {
			e.s.cfg.Log.Debug("close", "err", err)
		}
		e.s.mu.Lock()
		delete(e.s.endpoints, e)
		e.s.mu.Unlock()
		if e.release != nil {
			e.release()
		}
		close(e.ended)
	})
}

func (e *endpoint) Close() error                       { return e.conn.Close() }
func (e *endpoint) LocalAddr() net.Addr                { return e.conn.LocalAddr() }
func (e *endpoint) SetDeadline(t time.Time) error      { return e.conn.SetDeadline(t) }
func (e *endpoint) SetReadDeadline(t time.Time) error  { return e.conn.SetReadDeadline(t) }
func (e *endpoint) SetWriteDeadline(t time.Time) error { return e.conn.SetWriteDeadline(t) }

// inspect says whether pion may see a message. It keeps permissions and channels off allocations that are about to end,
// and bounds an allocation's channels. Nothing is authenticated yet, so it changes nothing.
func (e *endpoint) inspect(b []byte, from netip.AddrPort, now time.Time) (Reason, bool) {
	kind, ok := stunType(b)
	if !ok {
		return 0, true // ChannelData
	}
	e.method = kind
	if kind != createPermission && kind != channelBind {
		return 0, true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	h := e.current(from)
	if h == nil {
		return 0, true // pion says no
	}
	if !h.expires.IsZero() && now.Add(expiryGuard).After(h.expires) {
		return Expiring, false
	}
	if kind == channelBind && len(h.channels) >= e.s.cfg.Limits.Channels {
		if number, ok := attribute(b, attrChannel); ok && len(number) == 4 {
			if _, known := h.channels[binary.BigEndian.Uint16(number)]; !known {
				return TooManyChannels, false
			}
		}
	}
	return 0, true
}

// current is the allocation that a client acts on. Caller holds mu.
func (e *endpoint) current(from netip.AddrPort) *holding {
	if all := e.held[from]; len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// holds reports whether there is any allocation.
func (e *endpoint) holds() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.held) > 0
}

// promised notes when an allocation ends. Answering an Allocate request again promises nothing new.
func (e *endpoint) promised(to netip.AddrPort, kind uint16, expires time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if h := e.current(to); h != nil && (kind == refreshSuccess || h.expires.IsZero()) {
		h.expires = expires
	}
}

// authenticate gives pion the key of a user name, or refuses it.
func (e *endpoint) authenticate(username, realm string, from net.Addr) ([]byte, bool) {
	reason, ok := e.admit(username, realm, addrPort(from), e.s.now())
	if !ok {
		e.s.refuse(reason)
		return nil, false
	}
	return pion.GenerateAuthKey(username, realm, password(e.s.cfg.Secrets[0], username)), true
}

func (e *endpoint) admit(username, realm string, from netip.AddrPort, now time.Time) (Reason, bool) {
	if realm != e.s.cfg.Realm {
		return WrongRealm, false
	}
	expiry, user, ok := parseUsername(username)
	if !ok {
		return BadName, false
	}
	if e.s.revoked.has(user.Session) {
		return Revoked, false
	}
	e.mu.Lock()
	h := e.current(from)
	e.mu.Unlock()
	// Another user's Allocate request is for pion to answer, with 437: the 5-tuple is in use. Browsers then try again
	// from another port, which is right when a NAT gave them one that somebody else had before.
	if h != nil && h.user.Session != user.Session && e.method != allocate {
		return OtherUser, false
	}
	if !now.Before(expiry) && (h == nil || h.user.Session != user.Session) {
		return Expired, false
	}
	return 0, true
}

// takeQuota is asked for every Allocate request that was authenticated; then pion opens the relay and tells created, or
// fails and tells failed.
func (e *endpoint) takeQuota(username, _ string, from net.Addr) bool {
	_, user, ok := parseUsername(username)
	if !ok {
		return false
	}
	h := &holding{
		username: username, user: user, ip: client(from),
		peers: map[netip.Addr]struct{}{}, channels: map[uint16]struct{}{},
	}
	if reason, ok := e.s.quota.take(h.user.Identity, h.ip); !ok {
		e.s.refuse(reason)
		return false
	}
	e.pending = h
	return true
}

// revoke ends the relays of a session, which pion makes no permissions on any more.
func (e *endpoint) revoke(session string) {
	e.handling.Lock()
	defer e.handling.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, all := range e.held {
		for _, h := range all {
			if h.user.Session == session {
				e.s.relays.end(h.relay.Port())
			}
		}
	}
}

// permit is asked for each peer of a CreatePermission request and for that of a ChannelBind request.
func (e *endpoint) permit(from net.Addr, peer net.IP) bool {
	ip, ok := netip.AddrFromSlice(peer)
	reason := DeniedPeer
	if ok {
		ip = ip.Unmap()
		reason, ok = e.s.policy.permit(ip)
	}
	if ok {
		e.mu.Lock()
		if h := e.current(addrPort(from)); h != nil && len(h.peers) >= e.s.cfg.Limits.Peers {
			_, ok = h.peers[ip]
			reason = TooManyPeers
		}
		e.mu.Unlock()
	}
	if !ok {
		e.s.refuse(reason)
	}
	return ok
}
