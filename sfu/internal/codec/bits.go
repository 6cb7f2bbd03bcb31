package codec

import mathbits "math/bits"

// bits reads big-endian bit fields. After the end it reads zeros and sets short.
type bits struct {
	p     []byte
	at    int // in bits
	short bool
	// escaped removes the emulation prevention bytes of H264 (00 00 03).
	escaped bool
	zeros   int
}

func (b *bits) bit() uint32 {
	i := b.at >> 3
	if i >= len(b.p) {
		b.short = true
		return 0
	}
	if b.escaped && b.at&7 == 0 {
		if b.zeros >= 2 && b.p[i] == 3 {
			b.at += 8
			b.zeros = 0
			return b.bit()
		}
		if b.p[i] == 0 {
			b.zeros++
		} else {
			b.zeros = 0
		}
	}
	v := b.p[i] >> (7 - b.at&7) & 1
	b.at++
	return uint32(v)
}

func (b *bits) u(n int) uint32 {
	var v uint32
	for range n {
		v = v<<1 | b.bit()
	}
	return v
}

func (b *bits) flag() bool { return b.bit() == 1 }

// ue reads an unsigned Exp-Golomb code (H264, section 9.1), at most 32 bits.
func (b *bits) ue() uint32 {
	n := 0
	for !b.flag() {
		if n++; n > 31 || b.short {
			b.short = true
			return 0
		}
	}
	return 1<<n - 1 + b.u(n)
}

// se reads a signed Exp-Golomb code.
func (b *bits) se() int32 {
	v := b.ue()
	if v&1 == 1 {
		return int32(v/2 + 1)
	}
	return -int32(v / 2)
}

// leb128 reads a little-endian base 128 number (AV1, section 4.10.5) from p, n is its length or 0.
func leb128(p []byte) (v, n int) {
	for i := 0; i < len(p) && i < 4; i++ { // 28 bits are more than a packet holds
		v |= int(p[i]&0x7f) << (7 * i)
		if p[i]&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}

// ns reads a number below n (AV1, section 4.10.7).
func (b *bits) ns(n uint32) uint32 {
	w := mathbits.Len32(n)
	if n == 0 || w == 0 {
		return 0
	}
	m := uint32(1)<<w - n
	v := b.u(w - 1)
	if v < m {
		return v
	}
	return v<<1 - m + b.u(1)
}

// bitWriter appends big-endian bit fields; the last byte is filled with zeros.
type bitWriter struct {
	p  []byte
	at int // bits used of the last byte; 0 or 8: it is full
}

func (w *bitWriter) u(v uint32, n int) {
	for n--; n >= 0; n-- {
		if w.at &= 7; w.at == 0 {
			w.p = append(w.p, 0)
		}
		w.p[len(w.p)-1] |= byte(v>>n&1) << (7 - w.at)
		w.at++
	}
}
