package codec

// parseVP8 reads the payload descriptor (RFC 7741, section 4.2) into info and returns its length, 0 where the payload is too
// short.
func parseVP8(p []byte, info *Info) (n int) {
	if len(p) < 2 {
		return 0
	}
	if p[0]&0x80 == 0 { // X: no extension
		return 1
	}
	ext := p[1]
	n = 2
	if ext&0x80 != 0 { // I
		if n = info.parsePictureID(p, n); n == 0 {
			return 0
		}
	}
	if ext&0x40 != 0 { // L
		if n >= len(p) {
			return 0
		}
		info.HasTL0PicIdx, info.tl0At, info.TL0PicIdx = true, uint8(n), p[n]
		n++
	}
	if ext&0x30 != 0 { // T or K
		if n >= len(p) {
			return 0
		}
		if ext&0x20 != 0 {
			info.Temporal, info.Sync = p[n]>>6, p[n]&0x20 != 0
		}
		n++
	}
	return n
}

func inspectVP8(p []byte, info *Info) {
	n := parseVP8(p, info)
	if n == 0 || n >= len(p) {
		*info = Info{Frame: Frame{Needed: everybody}}
		return
	}
	if p[0]&0x17 != 0x10 { // not the start of partition 0
		return
	}
	info.Begin = true
	if p[n]&0x01 != 0 { // an interframe
		return
	}
	info.Start = true
	// RFC 6386, section 9.1: 3 bytes frame tag, 3 bytes start code, 14 bits of width and height each.
	if f := p[n:]; len(f) >= 10 && f[3] == 0x9d && f[4] == 0x01 && f[5] == 0x2a {
		info.Width = (uint16(f[7])<<8 | uint16(f[6])) & 0x3fff
		info.Height = (uint16(f[9])<<8 | uint16(f[8])) & 0x3fff
	}
}
