package red

import "errors"

const (
	// MaxBlocks is how many blocks a packet may have, the primary included. Browsers send 2, at most 10.
	MaxBlocks = 10

	maxOffset = 1<<14 - 1 // of a block's timestamp before the packet's, in ticks
	maxLength = 1<<10 - 1 // of a redundant block, bytes
	headerLen = 4         // bytes, of a redundant block; the primary's is 1
)

// Why a payload is refused.
var (
	ErrShort  = errors.New("red: shorter than its headers say")
	ErrBlocks = errors.New("red: too many blocks")
)

// Block is one encoding in a packet.
type Block struct {
	PayloadType uint8
	Offset      uint32 // ticks before the packet's timestamp; 0: the primary
	Payload     []byte
}

// Parse splits a payload into blocks, the oldest first and the primary last, into into. The error is one of those above.
func Parse(payload []byte, into *[MaxBlocks]Block) ([]Block, error) {
	n, at := 0, 0
	var lengths [MaxBlocks]int
	for {
		switch {
		case at >= len(payload):
			return nil, ErrShort
		case n == MaxBlocks:
			return nil, ErrBlocks
		}
		b := &into[n]
		b.PayloadType, b.Offset = payload[at]&0x7f, 0
		n++
		if payload[at]&0x80 == 0 {
			at++
			break
		}
		if len(payload)-at < headerLen {
			return nil, ErrShort
		}
		b.Offset = uint32(payload[at+1])<<6 | uint32(payload[at+2])>>2
		lengths[n-1] = int(payload[at+2]&3)<<8 | int(payload[at+3])
		at += headerLen
	}
	for i := range n - 1 {
		if len(payload)-at < lengths[i] {
			return nil, ErrShort
		}
		into[i].Payload = payload[at : at+lengths[i]]
		at += lengths[i]
	}
	into[n-1].Payload = payload[at:]
	return into[:n], nil
}

// Append writes a packet of the redundant blocks, the oldest first, and the primary behind dst. Blocks that cannot be told in
// RED (too old, too long, empty) are left out. All blocks have the payload type pt.
func Append(dst []byte, pt uint8, redundant []Block, primary []byte) []byte {
	for _, b := range redundant {
		if fits(b) {
			dst = append(dst, 0x80|pt, byte(b.Offset>>6), byte(b.Offset<<2)|byte(len(b.Payload)>>8), byte(len(b.Payload)))
		}
	}
	dst = append(dst, pt)
	for _, b := range redundant {
		if fits(b) {
			dst = append(dst, b.Payload...)
		}
	}
	return append(dst, primary...)
}

func fits(b Block) bool {
	return b.Offset > 0 && b.Offset <= maxOffset && len(b.Payload) > 0 && len(b.Payload) <= maxLength
}
