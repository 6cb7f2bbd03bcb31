package codec

// NAL unit types and packetization (RFC 6184, section 5.2).
const (
	nalSlice = 1 // to 5: coded slices
	nalIDR   = 5
	nalSPS   = 7
	nalSTAPA = 24
	nalFUA   = 28
)

// inspectH264 takes a sequence parameter set for the start of a keyframe: an IDR picture alone is of no use to a decoder that
// saw no SPS, and browsers send the SPS before every IDR. An SPS is small, so it is never fragmented. Slices that nothing
// refers to (nal_ref_idc 0) are taken for temporal layer 1: that is how encoders mark the highest.
func inspectH264(p []byte, info *Info) {
	if len(p) < 2 {
		return
	}
	kind, rest := p[0]&0x1f, p[1:]
	switch kind {
	case nalSTAPA:
		inspectSTAPA(rest, info)
		return
	case nalSPS:
		info.startSPS(p)
		return
	case nalFUA:
		info.Begin = p[1]&0x80 != 0 && len(p) > 2 && p[2]&0x80 != 0
		kind, rest = p[1]&0x1f, nil
	}
	if kind < nalSlice || kind > nalIDR {
		return
	}
	if rest != nil {
		info.Begin = rest[0]&0x80 != 0 // first_mb_in_slice is 0
	}
	info.disposable(p[0]&0x60 == 0)
}

// inspectSTAPA reads an aggregate of units. It is disposable where all its slices are.
func inspectSTAPA(p []byte, info *Info) {
	slices, referred := false, false
	for len(p) > 2 {
		size := int(p[0])<<8 | int(p[1])
		if size == 0 || size > len(p)-2 {
			return
		}
		unit := p[2 : 2+size]
		switch kind := unit[0] & 0x1f; {
		case kind == nalSPS:
			info.startSPS(unit)
			return
		case kind >= nalSlice && kind <= nalIDR:
			info.Begin = info.Begin || !slices && size > 1 && unit[1]&0x80 != 0
			slices, referred = true, referred || unit[0]&0x60 != 0
		}
		p = p[2+size:]
	}
	info.disposable(slices && !referred)
}

func (i *Info) disposable(yes bool) {
	if yes {
		i.Temporal, i.Sync = 1, true
	}
}

func (i *Info) startSPS(unit []byte) {
	i.Start, i.Begin = true, true
	i.Width, i.Height = spsSize(unit[1:])
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
