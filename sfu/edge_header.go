package sfu

import "encoding/binary"

// header is where things are in an RTP packet (RFC 3550, section 5.1; RFC 8285). It refers to the packet by offsets only.
type header struct {
	payloadType         uint8
	seq                 uint16
	timestamp           uint32
	extensions, extEnd  int // the extension elements; equal: none
	twoByte             bool
	payload, payloadEnd int // without padding
}

const (
	oneByteProfile = 0xBEDE
	twoByteProfile = 0x1000 // the low 4 bits are the application's
)

// parseHeader reads the fixed header and finds extensions, payload and padding. It is false where b is no RTP packet.
func parseHeader(b []byte) (header, bool) {
	if len(b) < 12 || b[0]>>6 != 2 {
		return header{}, false
	}
	h := header{
		payloadType: b[1] & 0x7F,
		seq:         binary.BigEndian.Uint16(b[2:]),
		timestamp:   binary.BigEndian.Uint32(b[4:]),
		payload:     12 + 4*int(b[0]&0x0F),
		payloadEnd:  len(b),
	}
	if b[0]&0x10 != 0 {
		if len(b) < h.payload+4 {
			return header{}, false
		}
		profile := binary.BigEndian.Uint16(b[h.payload:])
		words := int(binary.BigEndian.Uint16(b[h.payload+2:]))
		h.extensions = h.payload + 4
		h.payload = h.extensions + 4*words
		h.twoByte = profile&0xFFF0 == twoByteProfile
		if profile == oneByteProfile || h.twoByte {
			h.extEnd = h.payload
		} else {
			h.extEnd = h.extensions
		}
	}
	if h.payload > len(b) {
		return header{}, false
	}
	if b[0]&0x20 != 0 {
		h.payloadEnd -= int(b[len(b)-1])
		if len(b) == h.payload || b[len(b)-1] == 0 || h.payloadEnd < h.payload {
			return header{}, false
		}
	}
	return h, true
}

// extension returns the content of the extension element with that id, nil where there is none or id is 0.
func (h header) extension(b []byte, id uint8) []byte {
	if id == 0 {
		return nil
	}
	for i := h.extensions; i < h.extEnd; {
		if b[i] == 0 { // padding
			i++
			continue
		}
		var got uint8
		var n int
		if h.twoByte {
			if i+2 > h.extEnd {
				return nil
			}
			got, n = b[i], int(b[i+1])
			i += 2
		} else {
			got, n = b[i]>>4, int(b[i]&0x0F)+1
			if got == 15 { // stop: RFC 8285, section 4.2
				return nil
			}
			i++
		}
		if i+n > h.extEnd {
			return nil
		}
		if got == id {
			return b[i : i+n]
		}
		i += n
	}
	return nil
}
