package icelite

import (
	"crypto/hmac"
	"crypto/sha1" // RFC 8489, section 14.5: HMAC-SHA1
	"encoding/binary"
	"hash"
	"hash/crc32"
	"net/netip"
)

// MaxAnswer is the length of the longest answer, in bytes.
const MaxAnswer = 128

// Code is why a check is refused.
type Code uint16

// The codes of RFC 8489, section 14.8, and RFC 8445, section 16.2.
const (
	UnknownAttribute Code = 420
	RoleConflict     Code = 487
)

func (c Code) reason() string {
	if c == RoleConflict {
		return "Role Conflict"
	}
	return "Unknown Attribute"
}

// Key authenticates checks and answers: a password. One goroutine at a time may use it.
type Key struct {
	mac  hash.Hash
	sum  [integrityLen]byte
	head [headerLen]byte
}

// NewKey makes the key of a password.
func NewKey(password string) *Key { return &Key{mac: hmac.New(sha1.New, []byte(password))} }

// Verify reports whether the check was made with this password.
func (k *Key) Verify(r *Request) bool {
	if r.integrity == 0 {
		return false
	}
	return hmac.Equal(k.seal(r.raw[:r.integrity]), r.raw[r.integrity+4:r.integrity+4+integrityLen])
}

// seal computes the integrity of a message as far as it comes before MESSAGE-INTEGRITY. Its header's length counts up to the end of
// that.
func (k *Key) seal(b []byte) []byte {
	copy(k.head[:], b)
	binary.BigEndian.PutUint16(k.head[2:], uint16(len(b)-headerLen+4+integrityLen))
	k.mac.Reset()
	k.mac.Write(k.head[:])
	k.mac.Write(b[headerLen:])
	return k.mac.Sum(k.sum[:0])
}

// Success appends the answer to a check that came from an address.
func (k *Key) Success(b []byte, r *Request, from netip.AddrPort) []byte {
	start := len(b)
	b = r.header(b, bindingSuccess)
	ip := from.Addr().Unmap()
	family, size := byte(1), 4
	if ip.Is6() {
		family, size = 2, 16
	}
	b = append(b, 0, attrXORMapped, 0, byte(4+size), 0, family)
	b = binary.BigEndian.AppendUint16(b, from.Port()^(cookie>>16))
	at := len(b)
	b = append(b, ip.AsSlice()...)
	for i := range size { // with the cookie and the transaction id, as they follow each other in the header
		b[at+i] ^= r.raw[4+i]
	}
	return k.finish(b, start)
}

// Refuse appends an answer that refuses a check.
func (k *Key) Refuse(b []byte, r *Request, c Code) []byte {
	start := len(b)
	b = r.header(b, bindingError)
	reason := c.reason()
	b = append(b, 0, attrErrorCode, 0, byte(4+len(reason)), 0, 0, byte(c/100), byte(c%100))
	b = pad(append(b, reason...), start)
	if c == UnknownAttribute {
		n := min(r.unknowns, maxUnknown)
		b = append(b, 0, attrUnknown, 0, byte(2*n))
		for _, kind := range r.unknown[:n] {
			b = binary.BigEndian.AppendUint16(b, kind)
		}
		b = pad(b, start)
	}
	return k.finish(b, start)
}

func pad(b []byte, start int) []byte {
	for (len(b)-start)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// header begins an answer. Its length is set in the end.
func (r *Request) header(b []byte, kind uint16) []byte {
	b = binary.BigEndian.AppendUint16(b, kind)
	b = append(b, 0, 0)
	return append(b, r.raw[4:headerLen]...)
}

// finish adds MESSAGE-INTEGRITY and FINGERPRINT.
func (k *Key) finish(b []byte, start int) []byte {
	sum := k.seal(b[start:])
	b = append(b, 0, attrIntegrity, 0, integrityLen)
	b = append(b, sum...)
	binary.BigEndian.PutUint16(b[start+2:], uint16(len(b)-start-headerLen+8))
	crc := crc32.ChecksumIEEE(b[start:]) ^ fingerprintXOR
	b = append(b, attrFingerprint>>8, attrFingerprint&0xff, 0, 4)
	return binary.BigEndian.AppendUint32(b, crc)
}
