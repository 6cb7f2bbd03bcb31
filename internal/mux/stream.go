package mux

import "encoding/binary"

// streamKind is the verdict about the first bytes of a connection.
type streamKind uint8

const (
	undecided     streamKind = iota // more bytes are needed
	iceStream                       // RFC 4571 frames, the first one STUN: ICE-TCP (RFC 6544)
	turnStream                      // bare STUN: TURN over TCP (RFC 8656 section 2.1)
	unknownStream                   // neither
)

// streamPeek is how many bytes decide in every case: a frame length, then STUN up to the end of its magic cookie.
const streamPeek = 10

// classifyStream says what a connection speaks that began with b. It answers undecided only for less than streamPeek bytes.
//
//	TURN:    type(2) length(2) cookie(4)
//	ICE-TCP: frame(2) type(2) length(2) cookie(4)
//
// The cookie cannot be at both places: its third byte (0xA4) would have to equal its first (0x21).
func classifyStream(b []byte) streamKind {
	turn := prefixes(b, 0)
	ice := prefixes(b, 2)
	if len(b) >= 2 && binary.BigEndian.Uint16(b) < stunHeader {
		ice = false // a frame that cannot hold a STUN header
	}
	switch {
	case !turn && !ice:
		return unknownStream
	case turn && len(b) >= 8:
		return turnStream
	case ice && len(b) >= 10:
		return iceStream
	}
	return undecided
}

// prefixes reports whether b, as far as it goes, may hold a STUN message from offset at.
func prefixes(b []byte, at int) bool {
	if len(b) > at && b[at] > 3 {
		return false // the two top bits are zero, and no method in use needs more than ten bits
	}
	if len(b) > at+3 && b[at+3]%4 != 0 {
		return false // STUN's length is a multiple of 4
	}
	cookie := [4]byte{0x21, 0x12, 0xA4, 0x42}
	for i, want := range cookie {
		if len(b) > at+4+i && b[at+4+i] != want {
			return false
		}
	}
	return true
}
