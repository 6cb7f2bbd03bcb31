package codec

// Picture is the part of a payload descriptor that a switch must keep continuous: the ids of VP8 (RFC 7741, section 4.2) and
// VP9 (RFC 9628, section 4.2), and, in place of the picture id, the frame number of a dependency descriptor.
type Picture struct {
	PictureID    uint16 // 7, 15 or 16 bits
	TL0PicIdx    uint8
	pictureAt    uint8 // offset in the payload, 0: not in the payload (offset 0 is never a picture id)
	tl0At        uint8
	wide         bool // 15 bits
	HasPictureID bool
	HasTL0PicIdx bool
}

// parsePictureID reads the id of 7 or 15 bits at n and returns where it ends, or 0.
func (d *Picture) parsePictureID(p []byte, n int) int {
	if n >= len(p) {
		return 0
	}
	d.HasPictureID, d.pictureAt = true, uint8(n)
	d.PictureID = uint16(p[n] & 0x7f)
	if p[n]&0x80 == 0 { // M
		return n + 1
	}
	if n+1 >= len(p) {
		return 0
	}
	d.wide = true
	d.PictureID = d.PictureID<<8 | uint16(p[n+1])
	return n + 2
}

// InPayload reports whether the payload has something to rewrite.
func (d *Picture) InPayload() bool { return d.pictureAt > 0 || d.HasTL0PicIdx }

// Rewrite writes the picture id and TL0PICIDX into p, the payload that d was read from. Fields that the payload has not are
// left out; a 7-bit picture id keeps its width.
func (d *Picture) Rewrite(p []byte, pictureID uint16, tl0 uint8) {
	if at := int(d.pictureAt); at > 0 {
		if !d.wide && at < len(p) {
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
