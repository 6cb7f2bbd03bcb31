package codec

const obuSequenceHeader = 1

// inspectAV1 reads the aggregation header (AV1 RTP payload format, section 4.4): N marks the first packet of a coded video
// sequence, which begins with a sequence header and a keyframe.
func inspectAV1(p []byte, info *Info) {
	if len(p) < 2 {
		return
	}
	continued, count, first := p[0]&0x80 != 0, p[0]>>4&3, p[0]&0x08 != 0
	if continued || !first {
		return
	}
	info.Start, info.Begin = true, true
	p = p[1:]
	if count != 1 { // the element's length is written
		size, n := leb128(p)
		if n == 0 || size > len(p)-n {
			return
		}
		p = p[n : n+size]
	}
	if len(p) > 1 && p[0]>>3&15 == obuSequenceHeader {
		info.Width, info.Height = sequenceSize(p)
	}
}

// sequenceSize reads the largest frame size from a sequence header OBU (AV1 specification, section 5.5.1), or 0 by 0.
func sequenceSize(p []byte) (w, h uint16) {
	n := 1
	if p[0]&0x04 != 0 { // extension
		n++
	}
	if p[0]&0x02 != 0 { // has a size field
		_, size := leb128(p[min(n, len(p)):])
		n += size
	}
	b := bits{p: p[min(n, len(p)):]}
	b.u(3) // seq_profile
	b.u(1) // still_picture
	if reduced := b.flag(); reduced {
		b.u(5)
	} else {
		b.operatingPoints()
	}
	wide, high := int(b.u(4))+1, int(b.u(4))+1
	width, height := b.u(wide)+1, b.u(high)+1
	if b.short || width > 16384 || height > 16384 {
		return 0, 0
	}
	return uint16(width), uint16(height)
}

// operatingPoints skips from timing_info_present_flag to the frame size.
func (b *bits) operatingPoints() {
	decoderModel, delay := false, 0
	if b.flag() { // timing_info
		b.u(32)
		b.u(32)
		if b.flag() {
			b.ue() // uvlc has the form of an Exp-Golomb code
		}
		if decoderModel = b.flag(); decoderModel {
			delay = int(b.u(5)) + 1
			b.u(32 + 5 + 5)
		}
	}
	initialDelay := b.flag()
	for range b.u(5) + 1 {
		b.u(12) // operating_point_idc
		if b.u(5) > 7 {
			b.u(1) // seq_tier
		}
		if decoderModel && b.flag() {
			b.u(delay)
			b.u(delay)
			b.u(1)
		}
		if initialDelay && b.flag() {
			b.u(4)
		}
	}
}
