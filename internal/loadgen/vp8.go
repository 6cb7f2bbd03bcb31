package loadgen

// vp8 packs pictures as RFC 7741 says: descriptor (section 4.2: picture id, TL0PICIDX, TID), and in a frame's first packet the frame
// header (RFC 6386, section 9.1), from which an SFU knows keyframes and sizes.
var vp8 = Codec{
	Name: "VP8", layered: true, fill: fillVP8, keyframe: vp8KeyframeStart,
}

const (
	vp8DescriptorBytes = 6
	vp8KeyHeaderBytes  = 10
)

func fillVP8(p picture, payload []byte) {
	payload[0] = 0x80
	if p.first {
		payload[0] |= 0x10
	}
	payload[1] = 0xe0
	payload[2] = 0x80 | byte(p.id>>8)
	payload[3] = byte(p.id)
	payload[4] = p.tl0
	payload[5] = p.temporal<<6 | 0x20 // nothing but layer 0 is referred to: the layer sync bit is true
	frame := payload[vp8DescriptorBytes : vp8DescriptorBytes+vp8KeyHeaderBytes]
	clear(frame)
	if !p.first {
		return
	}
	frame[0] = 0x11 // an interframe that is shown
	if p.key {
		frame[0] = 0x10
		copy(frame[3:], []byte{0x9d, 0x01, 0x2a, byte(p.width), byte(p.width >> 8), byte(p.height), byte(p.height >> 8)})
	}
}

// vp8KeyframeStart reports whether a payload begins a keyframe.
func vp8KeyframeStart(payload []byte) bool {
	if len(payload) < 1 || payload[0]&0x17 != 0x10 { // S set, partition 0
		return false
	}
	n := 1
	if payload[0]&0x80 != 0 {
		if len(payload) < 2 {
			return false
		}
		x := payload[1]
		n++
		if x&0x80 != 0 {
			if len(payload) <= n {
				return false
			}
			n += 1 + int(payload[n]>>7)
		}
		if x&0x40 != 0 {
			n++
		}
		if x&0x30 != 0 {
			n++
		}
	}
	return len(payload) > n && payload[n]&1 == 0
}
