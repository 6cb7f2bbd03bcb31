package loadgen

// av1 packs pictures as the RTP payload format for AV1 says (section 4): one OBU a packet, before it in a keyframe's first packet the
// sequence header. There is no dependency descriptor, and so no temporal layer.
var av1 = Codec{Name: "AV1", fmtp: "level-idx=5;profile=0;tier=0", fill: fillAV1, keyframe: av1KeyframeStart}

// Bits of the aggregation header, and OBU types (AV1 specification, section 6.2.2).
const (
	av1Continues = 0x80 // Z: the first OBU was begun in the packet before
	av1Continued = 0x40 // Y: the last goes on in the next
	av1Two       = 0x20 // W: two OBUs
	av1One       = 0x10
	av1New       = 0x08 // N: a coded video sequence begins

	obuSequenceHeader = 1
	obuFrame          = 6
)

func fillAV1(p picture, payload []byte) {
	b := byte(av1One)
	if !p.first {
		b |= av1Continues
	}
	if !p.last {
		b |= av1Continued
	}
	if !p.key || !p.first {
		payload[0] = b
		if p.first {
			payload[1] = obuFrame << 3
		}
		return
	}
	header := av1Sequence(p.width, p.height)
	out := append(payload[:0], b&^av1One|av1Two|av1New, byte(len(header))) // below 128: one byte of LEB128
	_ = append(append(out, header...), obuFrame<<3)
}

// av1Sequence is a sequence header OBU without a size field (AV1 specification, section 5.5.1), as far as the frame size; the rest is 0.
func av1Sequence(width, height int) []byte {
	w := bitWriter{out: []byte{obuSequenceHeader << 3}, used: 8}
	w.u(3+1+1, 0) // seq_profile, still_picture, reduced_still_picture_header
	w.u(1+1, 0)   // timing_info_present_flag, initial_display_delay_present_flag
	w.u(5+12, 0)  // one operating point, its idc
	w.u(5, 5)     // level 3.1
	w.u(4, 15)    // widths and heights have 16 bits
	w.u(4, 15)
	w.u(16, uint32(width-1))
	w.u(16, uint32(height-1))
	w.u(24, 0)
	return w.out
}

func av1KeyframeStart(payload []byte) bool {
	return len(payload) > 2 && payload[0]&(av1New|av1Continues) == av1New
}
