package codec

// VP8Descriptor is the part of the VP8 payload descriptor (RFC 7741, section 4.2) that a switch must keep continuous.
type VP8Descriptor struct {
	PictureID    uint16 // 7 or 15 bits
	TL0PicIdx    uint8
	TemporalID   uint8
	pictureAt    uint8 // offset in the payload, 0: absent (offset 0 is never a picture id)
	tl0At        uint8
	wide         bool // 15 bits
	HasPictureID bool
	HasTL0PicIdx bool
}

// parseVP8 returns the descriptor and its length, 0 where the payload is too short.
func parseVP8(p []byte) (d VP8Descriptor, n int) {
	if len(p) < 2 {
		return d, 0
	}
	if p[0]&0x80 == 0 { // X: no extension
		return d, 1
	}
	ext := p[1]
	n = 2
	if ext&0x80 != 0 { // I
		if n >= len(p) {
			return VP8Descriptor{}, 0
		}
		d.HasPictureID, d.pictureAt = true, uint8(n)
		d.PictureID = uint16(p[n] & 0x7f)
		if p[n]&0x80 != 0 { // M
			if n+1 >= len(p) {
				return VP8Descriptor{}, 0
			}
			d.wide = true
			d.PictureID = d.PictureID<<8 | uint16(p[n+1])
			n++
		}
		n++
	}
	if ext&0x40 != 0 { // L
		if n >= len(p) {
			return VP8Descriptor{}, 0
		}
		d.HasTL0PicIdx, d.tl0At, d.TL0PicIdx = true, uint8(n), p[n]
		n++
	}
	if ext&0x30 != 0 { // T or K
		if n >= len(p) {
			return VP8Descriptor{}, 0
		}
		d.TemporalID = p[n] >> 6
		n++
	}
	return d, n
}

func inspectVP8(p []byte) Info {
	d, n := parseVP8(p)
	if n == 0 || n >= len(p) {
		return Info{}
	}
	info := Info{VP8: d}
	if p[0]&0x17 != 0x10 || p[n]&0x01 != 0 { // not the start of partition 0, or an interframe
		return info
	}
	info.Start = true
	// RFC 6386, section 9.1: 3 bytes frame tag, 3 bytes start code, 14 bits of width and height each.
	if f := p[n:]; len(f) >= 10 && f[3] == 0x9d && f[4] == 0x01 && f[5] == 0x2a {
		info.Width = (uint16(f[7])<<8 | uint16(f[6])) & 0x3fff
		info.Height = (uint16(f[9])<<8 | uint16(f[8])) & 0x3fff
	}
	return info
}

// Rewrite writes the picture id and TL0PICIDX into p, the payload that d was read from. Fields that the payload has not are
// left out; a 7-bit picture id keeps its width.
func (d VP8Descriptor) Rewrite(p []byte, pictureID uint16, tl0 uint8) {
	if d.HasPictureID {
		if at := int(d.pictureAt); !d.wide && at < len(p) {
			p[at] = byte(pictureID & 0x7f)
		} else if d.wide && at+1 < len(p) {
			p[at] = 0x80 | byte(pictureID>>8)
			p[at+1] = byte(pictureID)
		}
	}
	if d.HasTL0PicIdx && int(d.tl0At) < len(p) {
		p[d.tl0At] = tl0
	}
}
