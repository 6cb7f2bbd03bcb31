package turn

import (
	"crypto/md5" //nolint:gosec // RFC 8489 section 9.2.2 makes the key so
	"encoding/binary"
	"net"
	"net/netip"
	"time"
)

// request is one in hand.
type request struct {
	message
	from net.Addr
	at   netip.AddrPort // from
	now  time.Time

	user User   // who asks, once authenticated
	key  []byte // of the integrity; nil until it matched
}

// answer sees to it that every request leaves with an answer: a success, or an error that says what is wrong.
func (e *endpoint) answer(r *request) {
	if r.kind != binding {
		if !r.signed() {
			e.challenge(r, 401)
			return
		}
		if no := e.authenticate(r); no != nil {
			e.s.refuse(no.reason)
			e.challenge(r, no.code)
			return
		}
	}
	out, no := e.serve(r)
	if no != nil {
		e.s.refuse(no.reason)
		out = newAnswer(e.out, r.kind|classError, r.id)
		out.addError(no.code, r.words(no.code))
		if no == unknownAttribute {
			out.addUnknown(r.unknown())
		}
	}
	if r.kind == binding {
		out.addFingerprint()
	} else {
		out.sign(r.key, r.integrity256 != 0)
	}
	e.reply(r, out.bytes())
}

// challenge answers who could not be authenticated.
func (e *endpoint) challenge(r *request, code int) {
	out := newAnswer(e.out, r.kind|classError, r.id)
	out.addError(code, r.words(code))
	if code != 400 {
		out.addString(attrRealm, e.s.cfg.Realm)
		out.addString(attrNonce, e.s.nonces.next(r.at, r.now))
	}
	e.reply(r, out.bytes())
}

// words say what an error code means, to those who sent enough for the answer to stay within 1.5 times of it.
func (r *request) words(code int) string {
	if r.signed() {
		return words[code]
	}
	return ""
}

// authenticate says why a request is not from whom it says (RFC 8489 section 9.2.4), or sets its user and key.
func (e *endpoint) authenticate(r *request) *refusal {
	username, named := r.get(attrUsername)
	if _, hashed := r.get(attrUserhash); hashed && !named {
		return unauthenticated(BadName) // not offered
	}
	realm, ours := r.get(attrRealm)
	nonce, fresh := r.get(attrNonce)
	if !named || !ours || !fresh {
		return badRequest
	}
	if string(realm) != e.s.cfg.Realm {
		return unauthenticated(WrongRealm)
	}
	expiry, user, ok := parseUsername(string(username))
	if !ok {
		return unauthenticated(BadName)
	}
	if e.s.revoked.has(user.Session) {
		return unauthenticated(Revoked)
	}
	// An expired name goes on with what it has.
	if a := e.find(r.at, r.now); !r.now.Before(expiry) && (a == nil || a.user.Session != user.Session) {
		return unauthenticated(Expired)
	}
	if r.key = e.s.key(&r.message, string(username)); r.key == nil {
		return unauthenticated(BadPassword)
	}
	if !e.s.nonces.good(nonce, r.at, r.now) {
		return staleNonce
	}
	r.user = user
	return nil
}

// key is the key, of those that our secrets make for a user name, that made a message's integrity.
func (s *Server) key(m *message, username string) []byte {
	for _, secret := range s.cfg.Secrets {
		if key := longTermKey(username, s.cfg.Realm, password(secret, username)); m.matches(key) {
			return key
		}
	}
	return nil
}

func longTermKey(username, realm, password string) []byte {
	key := md5.Sum([]byte(username + ":" + realm + ":" + password)) //nolint:gosec // as above
	return key[:]
}

// serve does what an authenticated request asks for.
func (e *endpoint) serve(r *request) (*answer, *refusal) {
	if len(r.unknown()) > 0 {
		return nil, unknownAttribute
	}
	switch r.kind {
	case binding:
		out := newAnswer(e.out, binding|classSuccess, r.id)
		out.addAddress(attrMapped, r.at)
		return out, nil
	case allocate:
		return e.allocate(r)
	}
	a := e.find(r.at, r.now)
	switch {
	case a == nil:
		return nil, noAllocation
	case a.user.Session != r.user.Session:
		return nil, otherUser
	case r.kind == refresh:
		return e.refresh(r, a)
	case r.kind == createPermission:
		return e.createPermission(r, a)
	default:
		return e.channelBind(r, a)
	}
}

// RFC 8656 sections 3.2, 9 and 12.
const (
	defaultLifetime    = 10 * time.Minute
	maxLifetime        = time.Hour
	permissionLifetime = 5 * time.Minute
	channelLifetime    = 10 * time.Minute
)

// lifetime is how long an allocation is to live; 0 ends it, where that is asked for.
func (r *request) lifetime() (time.Duration, *refusal) {
	v, there, right := r.sized(attrLifetime, 4)
	switch {
	case !right:
		return 0, badRequest
	case !there:
		return defaultLifetime, nil
	}
	asked := time.Duration(binary.BigEndian.Uint32(v)) * time.Second
	if asked == 0 && r.kind == refresh {
		return 0, nil
	}
	return min(max(asked, defaultLifetime), maxLifetime), nil
}

// allocate is RFC 8656 section 7.2.
func (e *endpoint) allocate(r *request) (*answer, *refusal) {
	if a := e.find(r.at, r.now); a != nil {
		if a.id == r.id && a.user.Session == r.user.Session { // the same request again: the answer was lost
			return e.allocated(r, a), nil
		}
		return nil, inUse // browsers try again from another port
	}
	wish, no := r.wish()
	if no != nil {
		return nil, no
	}
	a, no := e.newAllocation(r, wish)
	if no != nil {
		return nil, no
	}
	return e.allocated(r, a), nil
}

// wish is what an Allocate request asks for.
type wish struct {
	lifetime time.Duration
	even     bool // an even port
	more     bool // an IPv6 relay as well, which there is none of
}

// wish checks an Allocate request in the order of RFC 8656 section 7.2.
func (r *request) wish() (w wish, no *refusal) {
	transport, there, right := r.sized(attrTransport, 4)
	switch {
	case !there || !right:
		return w, badRequest
	case transport[0] != transportUDP:
		return w, otherTransport
	}
	_, reserved, right := r.sized(attrToken, 8)
	family, one, right1 := r.sized(attrFamily, 4)
	second, more, right2 := r.sized(attrMoreFamily, 4)
	port, even, right3 := r.sized(attrEvenPort, 1)
	pair := even && right3 && port[0]&0x80 != 0
	switch {
	case !right || !right1 || !right2 || !right3:
		return w, badRequest
	case reserved && (even || one || more), one && more, more && pair, more && second[0] != familyIPv6:
		return w, badRequest
	case one && family[0] != familyIPv4:
		return w, otherFamily
	case reserved, pair:
		return w, noReservation
	}
	w.even, w.more = even, more
	w.lifetime, no = r.lifetime()
	return w, no
}

// allocated tells a client its relay.
func (e *endpoint) allocated(r *request, a *allocation) *answer {
	out := newAnswer(e.out, allocate|classSuccess, r.id)
	out.addAddress(attrRelayed, a.relay)
	out.addUint32(attrLifetime, uint32(a.lifetime/time.Second)) //nolint:gosec // at most an hour
	out.addAddress(attrMapped, r.at)
	if a.more {
		out.add(attrFamilyError, []byte{familyIPv6, 0, 4, 40}) // 440
	}
	return out
}

// refresh is RFC 8656 section 8.2.
func (e *endpoint) refresh(r *request, a *allocation) (*answer, *refusal) {
	family, there, right := r.sized(attrFamily, 4)
	switch {
	case !right:
		return nil, badRequest
	case there && family[0] != familyIPv4:
		return nil, peerFamily
	}
	lifetime, no := r.lifetime()
	if no != nil {
		return nil, no
	}
	if lifetime == 0 {
		a.end()
	} else {
		a.extend(r.now, lifetime)
	}
	out := newAnswer(e.out, refresh|classSuccess, r.id)
	out.addUint32(attrLifetime, uint32(lifetime/time.Second)) //nolint:gosec // at most an hour
	return out, nil
}

// createPermission is RFC 8656 section 10.2: all peers of a request are permitted, or none.
func (e *endpoint) createPermission(r *request, a *allocation) (*answer, *refusal) {
	var peers []netip.Addr
	for t, v := range r.attributes() {
		if t != attrPeer {
			continue
		}
		peer, no := e.s.peer(v, r.id)
		if no != nil {
			return nil, no
		}
		peers = append(peers, peer.Addr())
	}
	if len(peers) == 0 {
		return nil, badRequest
	}
	if no := a.permit(peers, r.now); no != nil {
		return nil, no
	}
	return newAnswer(e.out, createPermission|classSuccess, r.id), nil
}

// channelBind is RFC 8656 section 12.2. Numbers up to 0x7FFF are RFC 5766's, which clients still choose.
func (e *endpoint) channelBind(r *request, a *allocation) (*answer, *refusal) {
	v, there, right := r.sized(attrChannel, 4)
	value, named := r.get(attrPeer)
	if !there || !right || !named {
		return nil, badRequest
	}
	number := binary.BigEndian.Uint16(v)
	if number < 0x4000 || number > 0x7FFF {
		return nil, badRequest
	}
	peer, no := e.s.peer(value, r.id)
	if no != nil {
		return nil, no
	}
	if no := a.bind(number, peer, r.now); no != nil {
		return nil, no
	}
	return newAnswer(e.out, channelBind|classSuccess, r.id), nil
}

// peer reads an XOR-PEER-ADDRESS, and says whether anybody may reach it.
func (s *Server) peer(v []byte, id transactionID) (netip.AddrPort, *refusal) {
	peer, ok := xorAddress(v, id)
	switch {
	case !ok:
		return peer, badRequest
	case !peer.Addr().Is4():
		return peer, peerFamily
	}
	reason, ok := s.policy.permit(peer.Addr())
	if !ok {
		return peer, &refusal{403, reason}
	}
	return peer, nil
}
