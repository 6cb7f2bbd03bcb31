package turn

import (
	"crypto/sha1" //nolint:gosec // as in message.go
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
)

// answer is a STUN message that is being written.
type answer struct{ b []byte }

// newAnswer begins a message in the memory of b.
func newAnswer(b []byte, kind uint16, id transactionID) *answer {
	b = binary.BigEndian.AppendUint16(b[:0], kind)
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint32(b, stunCookie)
	return &answer{append(b, id[:]...)}
}

func (a *answer) add(kind uint16, value []byte) {
	a.head(kind, len(value))
	a.b = append(a.b, value...)
	a.pad()
}

func (a *answer) addString(kind uint16, value string) {
	a.head(kind, len(value))
	a.b = append(a.b, value...)
	a.pad()
}

func (a *answer) addUint32(kind uint16, value uint32) {
	a.head(kind, 4)
	a.b = binary.BigEndian.AppendUint32(a.b, value)
}

// addAddress writes an address, mixed with the transaction as all our addresses are.
func (a *answer) addAddress(kind uint16, at netip.AddrPort) {
	var id transactionID
	copy(id[:], a.b[8:])
	ip, family := at.Addr().AsSlice(), byte(familyIPv4)
	if len(ip) == 16 {
		family = familyIPv6
	}
	a.head(kind, 4+len(ip))
	a.b = append(a.b, 0, family)
	a.b = binary.BigEndian.AppendUint16(a.b, at.Port()^stunCookie>>16)
	a.b = append(a.b, xored(ip, id)...)
}

// addError writes an ERROR-CODE. The words are for people who debug.
func (a *answer) addError(code int, words string) {
	a.head(attrError, 4+len(words))
	a.b = append(a.b, 0, 0, byte(code/100), byte(code%100))
	a.b = append(a.b, words...)
	a.pad()
}

func (a *answer) addUnknown(types []uint16) {
	a.head(attrUnknown, 2*len(types))
	for _, t := range types {
		a.b = binary.BigEndian.AppendUint16(a.b, t)
	}
	a.pad()
}

// sign ends an answer with the integrity that its request had.
func (a *answer) sign(key []byte, stronger bool) {
	kind, size, algorithm := uint16(attrIntegrity), integritySize, sha1.New
	if stronger {
		kind, size, algorithm = attrIntegrity256, integrity256Size, sha256.New
	}
	a.add(kind, sign(a.b, size, algorithm, key))
}

// addFingerprint ends an answer. The fingerprint counts itself in the message's length.
func (a *answer) addFingerprint() {
	binary.BigEndian.PutUint16(a.b[2:], uint16(len(a.b)-stunHeader+8)) //nolint:gosec // a message's length
	a.addUint32(attrFingerprint, fingerprint(a.b))
}

func (a *answer) head(kind uint16, size int) {
	a.b = binary.BigEndian.AppendUint16(a.b, kind)
	a.b = binary.BigEndian.AppendUint16(a.b, uint16(size)) //nolint:gosec // an attribute's length
}

func (a *answer) pad() {
	for len(a.b)%4 != 0 {
		a.b = append(a.b, 0)
	}
}

// bytes is the whole message.
func (a *answer) bytes() []byte {
	binary.BigEndian.PutUint16(a.b[2:], uint16(len(a.b)-stunHeader)) //nolint:gosec // a message's length
	return a.b
}
