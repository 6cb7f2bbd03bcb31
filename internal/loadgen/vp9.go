package loadgen

// vp9 packs pictures as RFC 9628 says, in the non-flexible mode, one spatial layer. Keyframes bring the scalability structure with
// their size.
var vp9 = Codec{Name: "VP9", fmtp: "profile-id=0", layered: true, fill: fillVP9, keyframe: vp9KeyframeStart}

// Bits of the payload descriptor (RFC 9628, section 4.2).
const (
	vp9PictureID = 0x80
	vp9Inter     = 0x40
	vp9Layers    = 0x20
	vp9Begin     = 0x08
	vp9End       = 0x04
	vp9Structure = 0x02
)

func fillVP9(p picture, payload []byte) {
	b := byte(vp9PictureID | vp9Layers)
	if !p.key {
		b |= vp9Inter
	}
	if p.first {
		b |= vp9Begin
	}
	if p.last {
		b |= vp9End
	}
	if p.key && p.first {
		b |= vp9Structure
	}
	out := append(payload[:0], b, 0x80|byte(p.id>>8), byte(p.id), p.temporal<<5|0x10, p.tl0) // a switching-up point: U
	if b&vp9Structure != 0 {
		out = append(out, 0x10, byte(p.width>>8), byte(p.width), byte(p.height>>8), byte(p.height)) // one layer, with its size
	}
	if !p.first {
		return
	}
	header := byte(0x86) // the uncompressed header (VP9 specification, section 6.2): frame_marker 2, profile 0, an interframe that is shown
	if p.key {
		header = 0x82
	}
	out = append(out, header)
	if p.key {
		_ = append(out, 0x49, 0x83, 0x42) // frame_sync_code
	}
}

func vp9KeyframeStart(payload []byte) bool {
	return len(payload) > 4 && payload[0]&(vp9Inter|vp9Begin) == vp9Begin && payload[0]&vp9Structure != 0
}
