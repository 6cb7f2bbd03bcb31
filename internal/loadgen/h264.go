package loadgen

import "encoding/binary"

// h264 packs pictures as RFC 6184 says (packetization-mode 1): a keyframe begins with a STAP-A of SPS, PPS and a slice; all else are
// fragments (FU-A).
var h264 = Codec{
	Name: "H264", fmtp: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", fill: fillH264, keyframe: h264KeyframeStart,
}

// NAL unit types, and the bits beside them (RFC 6184, sections 1.3 and 5.8).
const (
	nalSlice = 1
	nalIDR   = 5
	nalSPS   = 7
	nalPPS   = 8
	nalSTAPA = 24
	nalFUA   = 28
	nalRef   = 0x60 // nal_ref_idc 3

	fuStart = 0x80
	fuEnd   = 0x40
)

func fillH264(p picture, payload []byte) {
	if p.key && p.first {
		out := append(payload[:0], nalRef|nalSTAPA)
		for _, unit := range [][]byte{spsOf(p.width, p.height), {nalRef | nalPPS, 0xce, 0x3c, 0x80}} {
			out = binary.BigEndian.AppendUint16(out, uint16(len(unit)))
			out = append(out, unit...)
		}
		out = binary.BigEndian.AppendUint16(out, uint16(len(payload)-len(out)-2)) // the slice fills the rest
		_ = append(out, nalRef|nalIDR, 0x88)
		return
	}
	kind := byte(nalSlice)
	if p.key {
		kind = nalIDR
	}
	payload[0], payload[1] = nalRef|nalFUA, kind
	if p.first {
		payload[1] |= fuStart
	}
	if p.last {
		payload[1] |= fuEnd
	}
}

// spsOf is a sequence parameter set of the constrained baseline profile (H.264, section 7.3.2.1.1).
func spsOf(width, height int) []byte {
	w := bitWriter{out: []byte{nalRef | nalSPS, 0x42, 0xe0, 0x1f}, used: 32}
	columns, rows := uint32(width+15)/16, uint32(height+15)/16
	for _, v := range []uint32{0, 0, 2, 1} { // id, log2_max_frame_num_minus4, pic_order_cnt_type, max_num_ref_frames
		w.ue(v)
	}
	w.u(1, 0)
	w.ue(columns - 1)
	w.ue(rows - 1)
	w.u(2, 3) // frames only, direct_8x8_inference
	right, bottom := columns*16-uint32(width), rows*16-uint32(height)
	if right == 0 && bottom == 0 {
		w.u(1, 0)
	} else {
		w.u(1, 1)
		for _, v := range []uint32{0, right / 2, 0, bottom / 2} {
			w.ue(v)
		}
	}
	w.u(2, 1) // no VUI; the stop bit
	return w.out
}

func h264KeyframeStart(payload []byte) bool {
	return len(payload) > 3 && payload[0]&0x1f == nalSTAPA && payload[3]&0x1f == nalSPS
}
