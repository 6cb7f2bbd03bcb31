package icelite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// STUN's header and attributes, RFC 8489, sections 5 and 14; ICE's, RFC 8445, section 16.1.
const (
	headerLen = 20 // bytes
	cookie    = 0x2112A442

	bindingRequest = 0x0001
	bindingSuccess = 0x0101
	bindingError   = 0x0111

	attrUsername      = 0x0006
	attrIntegrity     = 0x0008
	attrErrorCode     = 0x0009
	attrUnknown       = 0x000A
	attrXORMapped     = 0x0020
	attrPriority      = 0x0024
	attrUseCandidate  = 0x0025
	attrFingerprint   = 0x8028
	attrControlled    = 0x8029
	optionalAttribute = 0x8000 // from here on, what is not understood is ignored

	integrityLen   = 20
	fingerprintXOR = 0x5354554e

	maxUser    = 513 // bytes of USERNAME (RFC 8489, section 14.3: less than 509, and their padding)
	maxUnknown = 4   // that are named in an answer
)

// The errors of Parse.
var (
	ErrNotRequest = errors.New("no binding request") // an answer or an indication: nothing is to be done
	ErrMalformed  = errors.New("malformed check")
)

// Request is a connectivity check. Its slices are those of the datagram.
type Request struct {
	User       []byte // USERNAME: ours, a colon, the sender's
	Nominates  bool   // USE-CANDIDATE
	Controlled bool   // the sender takes itself for the controlled agent, as we do

	raw       []byte
	integrity int // where MESSAGE-INTEGRITY begins
	unknown   [maxUnknown]uint16
	unknowns  int
}

// Parse reads a check. MESSAGE-INTEGRITY must be there; it is Key.Verify that looks whether it is right.
func Parse(b []byte) (Request, error) {
	r := Request{raw: b}
	if len(b) < headerLen || len(b)%4 != 0 || binary.BigEndian.Uint32(b[4:]) != cookie ||
		int(binary.BigEndian.Uint16(b[2:])) != len(b)-headerLen {
		return r, ErrMalformed
	}
	if binary.BigEndian.Uint16(b) != bindingRequest {
		return r, ErrNotRequest
	}
	for at := headerLen; at < len(b); {
		kind, size := binary.BigEndian.Uint16(b[at:]), int(binary.BigEndian.Uint16(b[at+2:]))
		value := b[at+4:]
		if size > len(value) { // padding is within: the whole is a multiple of four
			return r, ErrMalformed
		}
		if !r.attribute(kind, at, value[:size]) {
			return r, ErrMalformed
		}
		at += 4 + (size+3)&^3
	}
	if r.User == nil || r.integrity == 0 {
		return r, ErrMalformed
	}
	return r, nil
}

// attribute takes one attribute, which begins at that byte. False: it is malformed.
func (r *Request) attribute(kind uint16, at int, value []byte) bool {
	if kind == attrFingerprint {
		return r.fingerprint(at, value)
	}
	if r.integrity != 0 {
		return true // it proves nothing behind it
	}
	switch kind {
	case attrUsername:
		if r.User == nil { // of several the first counts
			r.User = value
		}
		return len(value) > 0 && len(value) <= maxUser
	case attrIntegrity:
		r.integrity = at
		return len(value) == integrityLen
	case attrUseCandidate:
		r.Nominates = true
	case attrControlled:
		r.Controlled = true
	case attrPriority:
	default:
		if kind < optionalAttribute {
			if r.unknowns < maxUnknown {
				r.unknown[r.unknowns] = kind
			}
			r.unknowns++
		}
	}
	return true
}

// fingerprint tells whether it is right, and the last.
func (r *Request) fingerprint(at int, value []byte) bool {
	return len(value) == 4 && at+8 == len(r.raw) && binary.BigEndian.Uint32(value) == crc32.ChecksumIEEE(r.raw[:at])^fingerprintXOR
}

// Len is the length of the datagram.
func (r *Request) Len() int { return len(r.raw) }

// Understood reports whether the check holds nothing that must be understood and is not (RFC 8489, section 6.3.1).
func (r *Request) Understood() bool { return r.unknowns == 0 }

// LocalUser is the part of User that is the receiver's: the user name fragment of its answer.
func (r *Request) LocalUser() []byte {
	local, _, _ := bytes.Cut(r.User, []byte{':'})
	return local
}
