package loadgen

import "strings"

// Codec is how publishers pack their pictures. Only what an SFU reads is real: descriptors, and the headers from which it knows
// keyframes and sizes. The rest is filling.
type Codec struct {
	Name string // as in SDP

	fmtp     string // format parameters, or ""
	layered  bool   // it has temporal layers in simulcast, as in browsers
	fill     func(p picture, payload []byte)
	keyframe func(payload []byte) bool // a keyframe begins with this payload
}

// picture says what one packet of a frame is.
type picture struct {
	id            uint16 // 15 bits
	tl0           uint8
	temporal      uint8 // layer
	first, last   bool  // of its frame
	key           bool
	width, height int
}

// minPayload is what each codec's headers and the stamp fit in.
const minPayload = 64 + stampBytes

// allCodecs are those that publishers can send.
func allCodecs() []*Codec { return []*Codec{&vp8, &vp9, &h264, &av1} }

// CodecNames lists the codecs, the default first.
func CodecNames() []string {
	var out []string
	for _, c := range allCodecs() {
		out = append(out, strings.ToLower(c.Name))
	}
	return out
}

// codecOf finds a codec by its name, whatever the case. nil: unknown.
func codecOf(name string) *Codec {
	for _, c := range allCodecs() {
		if strings.EqualFold(c.Name, name) {
			return c
		}
	}
	return nil
}

// bitWriter writes numbers bit by bit, the highest first.
type bitWriter struct {
	out  []byte
	used int // bits
}

// u writes the low n bits of v.
func (w *bitWriter) u(n int, v uint32) {
	for n--; n >= 0; n-- {
		if w.used%8 == 0 {
			w.out = append(w.out, 0)
		}
		w.out[w.used/8] |= byte(v>>n&1) << (7 - w.used%8)
		w.used++
	}
}

// ue writes an Exp-Golomb code (H.264, section 9.1).
func (w *bitWriter) ue(v uint32) {
	n := 0
	for (v+1)>>(n+1) > 0 {
		n++
	}
	w.u(n, 0)
	w.u(n+1, v+1)
}
