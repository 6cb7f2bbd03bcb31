package icelite

import (
	"encoding/binary"
	"hash/crc32"
)

// TransactionLen is the length of a transaction id, in bytes.
const TransactionLen = 12

// A request asks an address whether the client is there: it knows an answer's key, and only who is sent the request knows its id.
const priority = 126<<24 | 65535<<8 | 255 // of a host candidate: it must be there, and nobody goes by it

// Ask appends a Binding request with the receiver's credentials: its user name is theirs, a colon, ours.
func (k *Key) Ask(b []byte, id [TransactionLen]byte, user string) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint16(b, bindingRequest)
	b = binary.BigEndian.AppendUint32(append(b, 0, 0), cookie)
	b = append(b, id[:]...)
	b = append(b, 0, attrUsername, byte(len(user)>>8), byte(len(user)))
	b = pad(append(b, user...), start)
	b = append(b, attrControlled>>8, attrControlled&0xff, 0, 8)
	b = append(b, id[:8]...) // the tie breaker: a lite agent is controlled, whatever it is
	b = binary.BigEndian.AppendUint32(append(b, 0, attrPriority, 0, 4), priority)
	return k.finish(b, start)
}

// Answer is what came back.
type Answer struct {
	ID [TransactionLen]byte

	raw       []byte
	integrity int
}

// ParseAnswer reads the answer to a Binding request: a success, or an error, since that tells as well who is there. False: it is none.
func ParseAnswer(b []byte) (Answer, bool) {
	a := Answer{raw: b}
	if len(b) < headerLen || len(b)%4 != 0 || binary.BigEndian.Uint32(b[4:]) != cookie ||
		int(binary.BigEndian.Uint16(b[2:])) != len(b)-headerLen {
		return a, false
	}
	if kind := binary.BigEndian.Uint16(b); kind != bindingSuccess && kind != bindingError {
		return a, false
	}
	copy(a.ID[:], b[8:])
	for at := headerLen; at < len(b); {
		kind, size := binary.BigEndian.Uint16(b[at:]), int(binary.BigEndian.Uint16(b[at+2:]))
		if size > len(b)-at-4 {
			return a, false
		}
		switch {
		case kind == attrIntegrity && a.integrity == 0:
			a.integrity = at
			if size != integrityLen {
				return a, false
			}
		case kind == attrFingerprint && (size != 4 || binary.BigEndian.Uint32(b[at+4:]) != crc32.ChecksumIEEE(b[:at])^fingerprintXOR):
			return a, false
		}
		at += 4 + (size+3)&^3
	}
	return a, a.integrity != 0
}

// Made reports whether the answer was made with this password.
func (k *Key) Made(a *Answer) bool {
	return k.Verify(&Request{raw: a.raw, integrity: a.integrity})
}
