package codec

// NAL unit types and packetization (RFC 6184, section 5.2).
const (
	nalSPS   = 7
	nalSTAPA = 24
)

// inspectH264 takes a sequence parameter set for the start of a keyframe: an IDR picture alone is of no use to a decoder that
// saw no SPS, and browsers send the SPS before every IDR. An SPS is small, so it is never fragmented.
func inspectH264(p []byte) Info {
	if len(p) < 1 {
		return Info{}
	}
	switch p[0] & 0x1f {
	case nalSPS:
		return infoSPS(p)
	case nalSTAPA:
		for p = p[1:]; len(p) > 2; {
			size := int(p[0])<<8 | int(p[1])
			if size == 0 || size > len(p)-2 {
				return Info{}
			}
			if unit := p[2 : 2+size]; unit[0]&0x1f == nalSPS {
				return infoSPS(unit)
			}
			p = p[2+size:]
		}
	}
	return Info{}
}

func infoSPS(unit []byte) Info {
	w, h := spsSize(unit[1:])
	return Info{Start: true, Width: w, Height: h}
}

// spsSize reads the picture's size from a sequence parameter set (H264, section 7.3.2.1.1), or 0 by 0.
func spsSize(p []byte) (w, h uint16) {
	b := bits{p: p, escaped: true}
	profile := b.u(8)
	b.u(16) // constraints, level
	b.ue()  // id
	chroma := uint32(1)
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		chroma = b.highProfile()
	}
	b.ue() // log2_max_frame_num_minus4
	switch b.ue() {
	case 0:
		b.ue()
	case 1:
		b.u(1)
		b.se()
		b.se()
		for n := b.ue(); n > 0 && !b.short; n-- {
			b.se()
		}
	}
	b.ue() // max_num_ref_frames
	b.u(1)
	columns, rows := b.ue()+1, b.ue()+1
	frames := b.u(1) // frame_mbs_only_flag
	if frames == 0 {
		b.u(1)
	}
	b.u(1)
	width, height := columns*16, rows*16*(2-frames)
	if b.flag() { // cropping
		stepX, stepY := uint32(1), uint32(1)
		if chroma == 1 || chroma == 2 {
			stepX = 2
		}
		if chroma == 1 {
			stepY = 2
		}
		left, right, top, bottom := b.ue(), b.ue(), b.ue(), b.ue()
		width -= (left + right) * stepX
		height -= (top + bottom) * stepY * (2 - frames)
	}
	if b.short || width == 0 || height == 0 || width > 16384 || height > 16384 {
		return 0, 0
	}
	return uint16(width), uint16(height)
}

// highProfile skips what only the high profiles have and returns chroma_format_idc.
func (b *bits) highProfile() uint32 {
	chroma := b.ue()
	lists := 8
	if chroma == 3 {
		lists = 12
		b.u(1)
	}
	b.ue()
	b.ue()
	b.u(1)
	if !b.flag() { // seq_scaling_matrix_present_flag
		return chroma
	}
	for i := range lists {
		if !b.flag() {
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		last, next := int32(8), int32(8)
		for range size {
			if next != 0 {
				next = (last + b.se() + 256) % 256
			}
			if next != 0 {
				last = next
			}
		}
	}
	return chroma
}
