package mux

import "encoding/binary"

// class is the verdict about one datagram: who gets it, or why nobody does.
type class uint8

const (
	iceSTUN     class = iota // STUN Binding of ICE: requests with USERNAME, responses, indications
	dtls                     // DTLS records
	rtp                      // RTP and RTCP, SRTP-protected
	turnSTUN                 // Binding without USERNAME, and TURN's own methods
	turnChannel              // TURN ChannelData

	dropEmpty      // no bytes at all
	dropUnknown    // a first byte that belongs to nothing spoken here (ZRTP, QUIC, noise)
	dropBadSTUN    // the first byte of STUN, but no well-formed message
	dropSTUNMethod // STUN of a method or class that no server answers
	dropBadChannel // ChannelData that is longer than its datagram
	numClasses
)

var classNames = [numClasses]string{
	"ice_stun", "dtls", "rtp", "turn_stun", "turn_channel",
	"empty", "unknown", "bad_stun", "stun_method", "bad_channel",
}

func (c class) String() string { return classNames[c] }
func (c class) media() bool    { return c <= rtp }
func (c class) turn() bool     { return c == turnSTUN || c == turnChannel }

// STUN, RFC 8489 section 5; TURN's methods, RFC 8656 section 17.
const (
	stunHeader = 20 // bytes
	stunCookie = 0x2112A442

	methodBinding          = 0x001
	methodAllocate         = 0x003
	methodRefresh          = 0x004
	methodSend             = 0x006
	methodCreatePermission = 0x008
	methodChannelBind      = 0x009

	classMask       = 0x0110
	classRequest    = 0x0000
	classIndication = 0x0010

	attrUsername = 0x0006
)

// classify says whose datagram b is, by RFC 7983 section 7.
//
// ChannelData is taken from 64 to 127, not from RFC 7983's 64 to 79: RFC 5766 let clients choose channels up to 0x7FFF
// and some still do, and nothing else that is spoken on this socket begins with 80 to 127.
func classify(b []byte) class {
	if len(b) == 0 {
		return dropEmpty
	}
	switch first := b[0]; {
	case first <= 3:
		return classifySTUN(b)
	case first >= 20 && first <= 63:
		return dtls
	case first >= 64 && first <= 127:
		if len(b) < 4 || int(binary.BigEndian.Uint16(b[2:])) > len(b)-4 {
			return dropBadChannel
		}
		return turnChannel
	case first >= 128 && first <= 191:
		return rtp
	}
	return dropUnknown
}

func classifySTUN(b []byte) class {
	if len(b) < stunHeader || binary.BigEndian.Uint32(b[4:]) != stunCookie {
		return dropBadSTUN
	}
	if size := int(binary.BigEndian.Uint16(b[2:])); size%4 != 0 || size+stunHeader != len(b) {
		return dropBadSTUN
	}
	kind := binary.BigEndian.Uint16(b)
	// The class bits are woven into the method's: RFC 8489 section 5, figure 3.
	method, bits := kind&0x000F|kind&0x00E0>>1|kind&0x3E00>>2, kind&classMask

	switch method {
	case methodBinding:
		if bits != classRequest {
			return iceSTUN
		}
		switch hasUsername(b[stunHeader:]) {
		case yes:
			return iceSTUN
		case no:
			return turnSTUN
		}
		return dropBadSTUN
	case methodAllocate, methodRefresh, methodCreatePermission, methodChannelBind:
		if bits == classRequest {
			return turnSTUN
		}
	case methodSend:
		if bits == classIndication {
			return turnSTUN
		}
	}
	return dropSTUNMethod
}

type answer uint8

const (
	no answer = iota
	yes
	malformed
)

// hasUsername walks STUN attributes (type, length, value padded to 4 bytes) until USERNAME or the end.
func hasUsername(attrs []byte) answer {
	for len(attrs) > 0 {
		if len(attrs) < 4 {
			return malformed
		}
		size := (int(binary.BigEndian.Uint16(attrs[2:])) + 3) &^ 3
		if size > len(attrs)-4 {
			return malformed
		}
		if binary.BigEndian.Uint16(attrs) == attrUsername {
			return yes
		}
		attrs = attrs[4+size:]
	}
	return no
}
