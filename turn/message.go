package turn

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // MESSAGE-INTEGRITY says SHA-1; as an HMAC it is sound
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"iter"
	"net/netip"
)

// STUN and TURN on the wire: RFC 8489 section 5, RFC 8656 sections 17 and 18.
const (
	stunHeader = 20 // bytes
	stunCookie = 0x2112A442

	binding          = 0x0001
	allocate         = 0x0003
	refresh          = 0x0004
	createPermission = 0x0008
	channelBind      = 0x0009
	sendIndication   = 0x0016
	dataIndication   = 0x0017

	classSuccess = 0x0100
	classError   = 0x0110

	attrUsername     = 0x0006
	attrIntegrity    = 0x0008
	attrError        = 0x0009
	attrUnknown      = 0x000A
	attrChannel      = 0x000C
	attrLifetime     = 0x000D
	attrPeer         = 0x0012
	attrData         = 0x0013
	attrRealm        = 0x0014
	attrNonce        = 0x0015
	attrRelayed      = 0x0016
	attrFamily       = 0x0017
	attrEvenPort     = 0x0018
	attrTransport    = 0x0019
	attrIntegrity256 = 0x001C
	attrUserhash     = 0x001E
	attrMapped       = 0x0020
	attrToken        = 0x0022
	attrMoreFamily   = 0x8000
	attrFamilyError  = 0x8001
	attrFingerprint  = 0x8028

	optional         = 0x8000 // attributes from here on may be ignored
	fingerprintMask  = 0x5354554E
	familyIPv4       = 1
	familyIPv6       = 2
	transportUDP     = 17
	integritySize    = sha1.Size
	integrity256Size = sha256.Size
)

// known are the attributes below optional that we understand, in whatever message they are: those that make no sense
// there are ignored. DONT-FRAGMENT is none of them, we do not do it.
var known = map[uint16]bool{
	0x0001: true, attrUsername: true, attrIntegrity: true, attrError: true, attrUnknown: true, attrChannel: true,
	attrLifetime: true, attrPeer: true, attrData: true, attrRealm: true, attrNonce: true, attrRelayed: true,
	attrFamily: true, attrEvenPort: true, attrTransport: true, attrIntegrity256: true, 0x001D: true,
	attrUserhash: true, attrMapped: true, attrToken: true,
}

type transactionID [12]byte

// message is a STUN message whose attributes lie within it.
type message struct {
	raw  []byte
	kind uint16 // class and method
	id   transactionID

	end          int // of the attributes that count: whatever stands behind an integrity does not
	integrity    int // where MESSAGE-INTEGRITY begins; 0: there is none
	integrity256 int
}

// stunType is the type of a STUN message; ok is false for anything else.
func stunType(b []byte) (kind uint16, ok bool) {
	if len(b) < stunHeader || b[0] > 0x3F || binary.BigEndian.Uint32(b[4:]) != stunCookie {
		return 0, false
	}
	return binary.BigEndian.Uint16(b), true
}

// parse checks a message's form: lengths, and FINGERPRINT where it has one. What fails here is no message to answer.
func parse(b []byte) (m message, ok bool) {
	kind, ok := stunType(b)
	if !ok || int(binary.BigEndian.Uint16(b[2:])) != len(b)-stunHeader {
		return message{}, false
	}
	m = message{raw: b, kind: kind, id: transactionID(b[8:stunHeader]), end: len(b)}
	for at := stunHeader; at < len(b); {
		if len(b)-at < 4 {
			return message{}, false
		}
		size := int(binary.BigEndian.Uint16(b[at+2:]))
		next := at + 4 + padded(size)
		if next > len(b) {
			return message{}, false
		}
		switch binary.BigEndian.Uint16(b[at:]) {
		case attrIntegrity:
			if m.integrity == 0 && size == integritySize && m.integrity256 == 0 {
				m.integrity, m.end = at, min(m.end, at)
			}
		case attrIntegrity256:
			if m.integrity256 == 0 && size == integrity256Size {
				m.integrity256, m.end = at, min(m.end, at)
			}
		case attrFingerprint:
			if size != 4 || next != len(b) || binary.BigEndian.Uint32(b[at+4:]) != fingerprint(b[:at]) {
				return message{}, false
			}
			m.end = min(m.end, at)
		}
		at = next
	}
	return m, true
}

func padded(size int) int { return (size + 3) &^ 3 }

func fingerprint(b []byte) uint32 { return crc32.ChecksumIEEE(b) ^ fingerprintMask }

// attributes are those that count, in order.
func (m *message) attributes() iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for b := m.raw[stunHeader:m.end]; len(b) >= 4; {
			size := int(binary.BigEndian.Uint16(b[2:]))
			if !yield(binary.BigEndian.Uint16(b), b[4:4+size]) {
				return
			}
			b = b[4+padded(size):]
		}
	}
}

// get is the first attribute of a type.
func (m *message) get(want uint16) ([]byte, bool) {
	for t, v := range m.attributes() {
		if t == want {
			return v, true
		}
	}
	return nil, false
}

// sized is the first attribute of a type; right is false where it is there and not of the right size.
func (m *message) sized(want uint16, size int) (v []byte, there, right bool) {
	v, there = m.get(want)
	return v, there, !there || len(v) == size
}

// unknown are the types of attributes that we must understand and do not.
func (m *message) unknown() (types []uint16) {
	for t := range m.attributes() {
		if t < optional && !known[t] {
			types = append(types, t)
		}
	}
	return types
}

// signed reports whether the message has an integrity, right or wrong.
func (m *message) signed() bool { return m.integrity != 0 || m.integrity256 != 0 }

// matches checks the integrity that counts, the stronger one where there are both.
func (m *message) matches(key []byte) bool {
	at, size, algorithm := m.integrity, integritySize, sha1.New
	if m.integrity256 != 0 {
		at, size, algorithm = m.integrity256, integrity256Size, sha256.New
	}
	return m.signed() && hmac.Equal(m.raw[at+4:at+4+size], sign(m.raw[:at], size, algorithm, key))
}

// sign is the integrity of a message that goes on with an attribute of size bytes, which its length must count.
func sign(b []byte, size int, algorithm func() hash.Hash, key []byte) []byte {
	var head [stunHeader]byte
	copy(head[:], b)
	binary.BigEndian.PutUint16(head[2:], uint16(len(b)-stunHeader+4+size)) //nolint:gosec // a message's length
	mac := hmac.New(algorithm, key)
	mac.Write(head[:]) // a hash never fails
	mac.Write(b[stunHeader:])
	return mac.Sum(nil)
}

// xorAddress reads an XOR-PEER-ADDRESS. v may have any length.
func xorAddress(v []byte, id transactionID) (netip.AddrPort, bool) {
	if len(v) < 4 {
		return netip.AddrPort{}, false
	}
	port := binary.BigEndian.Uint16(v[2:]) ^ stunCookie>>16
	switch family := v[1]; {
	case family == familyIPv4 && len(v) == 8:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(xored(v[4:], id))), port), true
	case family == familyIPv6 && len(v) == 20:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(xored(v[4:], id))), port), true
	}
	return netip.AddrPort{}, false
}

// xored is an address with cookie and transaction mixed in, or taken out again.
func xored(ip []byte, id transactionID) []byte {
	var mask [16]byte
	binary.BigEndian.PutUint32(mask[:], stunCookie)
	copy(mask[4:], id[:])
	out := make([]byte, len(ip))
	for i := range ip {
		out[i] = ip[i] ^ mask[i]
	}
	return out
}
