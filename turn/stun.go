package turn

import "encoding/binary"

// STUN as far as the endpoint looks into it: RFC 8489 section 5, RFC 8656 section 17.
const (
	stunHeader = 20 // bytes
	stunCookie = 0x2112A442

	allocate         = 0x0003
	createPermission = 0x0008
	channelBind      = 0x0009
	allocateSuccess  = 0x0103
	refreshSuccess   = 0x0104

	classMask  = 0x0110
	classError = 0x0110

	attrChannel  = 0x000C
	attrLifetime = 0x000D
)

// stunType is the type of a STUN message; ok is false for anything else.
func stunType(b []byte) (kind uint16, ok bool) {
	if len(b) < stunHeader || b[0] > 0x3F || binary.BigEndian.Uint32(b[4:]) != stunCookie {
		return 0, false
	}
	return binary.BigEndian.Uint16(b), true
}

// attribute is the value of the first attribute of type want, without its padding.
func attribute(b []byte, want uint16) ([]byte, bool) {
	attrs := b[stunHeader:]
	for len(attrs) >= 4 {
		size := int(binary.BigEndian.Uint16(attrs[2:]))
		if size > len(attrs)-4 {
			return nil, false
		}
		if binary.BigEndian.Uint16(attrs) == want {
			return attrs[4 : 4+size], true
		}
		attrs = attrs[min(4+(size+3)&^3, len(attrs)):]
	}
	return nil, false
}
