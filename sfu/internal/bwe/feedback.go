package bwe

import "encoding/binary"

const (
	feedbackHeader = 20     // bytes: RTCP header, two SSRCs, base, count, reference time, message count
	deltaUnit      = 250    // µs
	referenceUnit  = 64_000 // µs
)

// A packet's status in transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1.1).
const (
	notReceived = iota
	smallDelta
	largeDelta
)

// feedback reads one transport-wide feedback message, packet by packet.
type feedback struct {
	base      uint16
	count     int
	reference int64 // µs, 24 bits of 64 ms: it wraps after 12 days

	chunks, deltas []byte
	chunk          uint16
	left           int   // symbols left in chunk
	read           int   // packets read
	elapsed        int64 // µs from reference to the last packet
}

// parseFeedback checks the whole message before any of it is used.
func parseFeedback(b []byte) (feedback, error) {
	if len(b) < feedbackHeader || b[0]>>6 != 2 || b[0]&31 != 15 || b[1] != 205 {
		return feedback{}, ErrMalformed
	}
	length := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
	if length < feedbackHeader || length > len(b) {
		return feedback{}, ErrMalformed
	}
	b = b[:length]
	if b[0]&0x20 != 0 { // padding
		pad := int(b[length-1])
		if pad == 0 || pad > length-feedbackHeader {
			return feedback{}, ErrMalformed
		}
		b = b[:length-pad]
	}
	f := feedback{
		base: binary.BigEndian.Uint16(b[12:]), count: int(binary.BigEndian.Uint16(b[14:])),
		reference: int64(int32(binary.BigEndian.Uint32(b[16:]))>>8) * referenceUnit,
	}
	rest := b[feedbackHeader:]
	chunks, need := measure(rest, f.count)
	if chunks < 0 || chunks+need > len(rest) {
		return feedback{}, ErrMalformed
	}
	f.chunks, f.deltas = rest[:chunks], rest[chunks:]
	return f, nil
}

// measure returns the bytes that the status chunks of count packets take, and those of their deltas; -1 where they are not all
// there or use the reserved status.
func measure(b []byte, count int) (chunks, deltas int) {
	for count > 0 {
		if chunks+2 > len(b) {
			return -1, 0
		}
		c := binary.BigEndian.Uint16(b[chunks:])
		chunks += 2
		n := min(symbols(c), count)
		count -= n
		if c>>15 == 0 {
			s := symbol(c, 0)
			if s > largeDelta {
				return -1, 0
			}
			deltas += s * n
			continue
		}
		for i := range n {
			s := symbol(c, i)
			if s > largeDelta {
				return -1, 0
			}
			deltas += s
		}
	}
	return chunks, deltas
}

// symbols is the number of packets that a chunk is about.
func symbols(c uint16) int {
	switch {
	case c>>15 == 0:
		return int(c & 0x1fff)
	case c>>14&1 == 0:
		return 14
	default:
		return 7
	}
}

// symbol is the status of packet i of a chunk. Its value is also the length of the delta in bytes.
func symbol(c uint16, i int) int {
	switch {
	case c>>15 == 0:
		return int(c >> 13 & 3)
	case c>>14&1 == 0:
		return int(c >> (13 - i) & 1)
	default:
		return int(c >> (12 - 2*i) & 3)
	}
}

// next returns the next packet, until ok is false. Arrival is in µs of the receiver's clock, and means nothing for packets that
// were not received.
func (f *feedback) next() (seq uint16, arrival int64, received, ok bool) {
	if f.read == f.count {
		return 0, 0, false, false
	}
	for f.left == 0 {
		f.chunk, f.chunks = binary.BigEndian.Uint16(f.chunks), f.chunks[2:]
		f.left = symbols(f.chunk)
	}
	s := symbol(f.chunk, symbols(f.chunk)-f.left)
	f.left--
	seq = f.base + uint16(f.read)
	f.read++
	switch s {
	case smallDelta:
		f.elapsed += int64(f.deltas[0]) * deltaUnit
	case largeDelta:
		f.elapsed += int64(int16(binary.BigEndian.Uint16(f.deltas))) * deltaUnit
	}
	f.deltas = f.deltas[s:]
	return seq, f.reference + f.elapsed, s != notReceived, true
}
