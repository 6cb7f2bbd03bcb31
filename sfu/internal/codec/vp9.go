package codec

// vp9 is the part of the VP9 payload descriptor (RFC 9628, section 4.2) that tells where a keyframe starts.
type vp9 struct {
	begin, inter  bool // B, P
	spatial       uint8
	width, height uint16 // of the highest spatial layer in the scalability structure, or 0
	size          int    // descriptor's length
}

func parseVP9(p []byte) (d vp9, ok bool) {
	if len(p) < 1 {
		return d, false
	}
	b := p[0]
	d.inter, d.begin = b&0x40 != 0, b&0x08 != 0
	n := 1
	if b&0x80 != 0 { // I
		if n >= len(p) {
			return d, false
		}
		if p[n]&0x80 != 0 {
			n++
		}
		n++
	}
	if b&0x20 != 0 { // L
		if n >= len(p) {
			return d, false
		}
		d.spatial = p[n] >> 1 & 7
		n++
		if b&0x10 == 0 { // not flexible: TL0PICIDX follows
			n++
		}
	}
	if b&0x10 != 0 && b&0x40 != 0 { // F and P: up to 3 reference differences
		for i := 0; ; i++ {
			if i == 3 || n >= len(p) {
				return d, false
			}
			n++
			if p[n-1]&1 == 0 {
				break
			}
		}
	}
	if b&0x02 != 0 { // V
		if n = d.structure(p, n); n == 0 {
			return d, false
		}
	}
	d.size = n
	return d, n <= len(p)
}

// structure reads the scalability structure at n and returns its end, or 0.
func (d *vp9) structure(p []byte, n int) int {
	if n >= len(p) {
		return 0
	}
	layers, sizes, groups := int(p[n]>>5)+1, p[n]&0x10 != 0, p[n]&0x08 != 0
	n++
	if sizes {
		if n+4*layers > len(p) {
			return 0
		}
		last := p[n+4*(layers-1):]
		d.width = uint16(last[0])<<8 | uint16(last[1])
		d.height = uint16(last[2])<<8 | uint16(last[3])
		n += 4 * layers
	}
	if groups {
		if n >= len(p) {
			return 0
		}
		count := int(p[n])
		n++
		for range count {
			if n >= len(p) {
				return 0
			}
			n += 1 + int(p[n]>>2&3)
		}
	}
	return n
}

func inspectVP9(p []byte) Info {
	d, ok := parseVP9(p)
	if !ok || d.inter || !d.begin || d.spatial != 0 {
		return Info{}
	}
	info := Info{Start: true, Width: d.width, Height: d.height}
	if info.Width == 0 {
		info.Width, info.Height = vp9Size(p[d.size:])
	}
	return info
}

// vp9Size reads a keyframe's size from the uncompressed header (VP9 specification, section 6.2), or 0 by 0.
func vp9Size(p []byte) (w, h uint16) {
	b := bits{p: p}
	if b.u(2) != 2 { // frame_marker
		return 0, 0
	}
	profile := b.u(1) | b.u(1)<<1
	if profile == 3 {
		b.u(1)
	}
	existing, inter := b.flag(), b.flag() // show_existing_frame, frame_type
	if existing || inter {
		return 0, 0
	}
	b.u(2) // show_frame, error_resilient_mode
	if b.u(24) != 0x498342 {
		return 0, 0
	}
	if profile >= 2 {
		b.u(1) // bit depth
	}
	if b.u(3) != 7 { // not sRGB
		b.u(1)
		if profile&1 == 1 {
			b.u(3)
		}
	} else if profile&1 == 1 {
		b.u(1)
	}
	w, h = uint16(b.u(16))+1, uint16(b.u(16))+1
	if b.short {
		return 0, 0
	}
	return w, h
}
