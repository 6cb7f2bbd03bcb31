package codec

// vp9 is the VP9 payload descriptor (RFC 9628, section 4.2), but for what goes into an Info.
type vp9 struct {
	inter, flexible, lower bool // P, F, D
	layers                 bool // L
	up                     bool // U
	refs                   [3]uint8
	nrefs                  int
	size                   int // of the descriptor
}

func (s *Stream) parseVP9(p []byte, info *Info) (d vp9, ok bool) {
	if len(p) < 1 {
		return d, false
	}
	b := p[0]
	d.inter, d.flexible, d.layers = b&0x40 != 0, b&0x10 != 0, b&0x20 != 0
	info.Begin, info.End = b&0x08 != 0, b&0x04 != 0
	n := 1
	if b&0x80 != 0 { // I
		if n = info.parsePictureID(p, n); n == 0 {
			return d, false
		}
	}
	if d.layers {
		if n >= len(p) {
			return d, false
		}
		info.Temporal = min(p[n]>>5, MaxTemporal-1)
		d.up, info.Spatial, d.lower = p[n]&0x10 != 0, min(p[n]>>1&7, MaxSpatial-1), p[n]&1 != 0
		n++
		if !d.flexible {
			if n >= len(p) {
				return d, false
			}
			info.HasTL0PicIdx, info.tl0At, info.TL0PicIdx = true, uint8(n), p[n]
			n++
		}
	}
	if d.flexible && d.inter { // up to 3 reference differences
		for more := true; more; n++ {
			if d.nrefs == len(d.refs) || n >= len(p) {
				return d, false
			}
			d.refs[d.nrefs] = p[n] >> 1
			d.nrefs++
			more = p[n]&1 != 0
		}
	}
	if b&0x02 != 0 { // V
		if n = s.scalability(p, n, info); n == 0 {
			return d, false
		}
	}
	d.size = n
	return d, n <= len(p)
}

// scalability reads the scalability structure at n and returns its end, or 0.
func (s *Stream) scalability(p []byte, n int, info *Info) int {
	if n >= len(p) {
		return 0
	}
	layers, sizes, groups := int(p[n]>>5)+1, p[n]&0x10 != 0, p[n]&0x08 != 0
	n++
	read := s.sizes
	if sizes {
		if n+4*layers > len(p) {
			return 0
		}
		for i := range layers {
			q := p[n+4*i:]
			info.Width, info.Height = uint16(q[0])<<8|uint16(q[1]), uint16(q[2])<<8|uint16(q[3])
			read[min(i, MaxSpatial-1)] = Size{info.Width, info.Height}
		}
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
		if n > len(p) {
			return 0
		}
	}
	s.sizes = read
	s.spatials = max(s.spatials, uint8(min(layers, MaxSpatial)))
	return n
}

func (s *Stream) inspectVP9(p []byte, info *Info) {
	d, ok := s.parseVP9(p, info)
	if !ok {
		*info = Info{Frame: Frame{Needed: everybody}}
		return
	}
	s.spatials = max(s.spatials, info.Spatial+1)
	if d.inter && info.Spatial > 0 {
		s.keyed = !d.lower
	}
	info.Needed = everybody << info.Spatial
	if d.inter && s.keyed {
		info.Needed = 1 << info.Spatial
	}
	info.Raise = info.Spatial > 0 && !d.inter && d.lower
	info.Sync = s.syncsVP9(&d, info)
	if d.inter || !info.Begin || info.Spatial != 0 {
		info.Width, info.Height = 0, 0
		return
	}
	info.Start = true
	if info.Width == 0 {
		info.Width, info.Height = vp9Size(p[d.size:])
	}
	if s.spatials == 1 {
		s.sizes[0] = Size{info.Width, info.Height}
	}
}

// syncsVP9 reports whether a frame of an upper temporal layer refers to lower ones only: by its references where they are
// written, else by U, which encoders set on such frames.
func (s *Stream) syncsVP9(d *vp9, info *Info) bool {
	if !info.HasPictureID {
		return d.up
	}
	s.last[info.PictureID&127] = picture{info.PictureID, info.Temporal}
	if !d.flexible {
		return d.up
	}
	for _, diff := range d.refs[:d.nrefs] {
		mask := uint16(0x7f)
		if info.wide {
			mask = 0x7fff
		}
		id := (info.PictureID - uint16(diff)) & mask
		if of := s.last[id&127]; of.id != id || of.temporal >= info.Temporal { // not known: lost
			return false
		}
	}
	return true
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
