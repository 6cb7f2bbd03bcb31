package codec

import "testing"

// writer is the opposite of bits.
type writer struct {
	p []byte
	n int
}

func (w *writer) u(n int, v uint64) {
	for i := n - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.p = append(w.p, 0)
		}
		w.p[w.n/8] |= byte(v>>i&1) << (7 - w.n%8)
		w.n++
	}
}

func (w *writer) ue(vs ...uint32) {
	for _, v := range vs {
		n := 0
		for v+1 >= 1<<(n+1) {
			n++
		}
		w.u(n, 0)
		w.u(n+1, uint64(v+1))
	}
}

func (w *writer) se(v int32) {
	if v > 0 {
		w.ue(uint32(2*v - 1))
	} else {
		w.ue(uint32(-2 * v))
	}
}

// escaped returns the bits with emulation prevention (H264, section 7.4.1.1).
func (w *writer) escaped() (p []byte) {
	zeros := 0
	for _, b := range w.p {
		if zeros >= 2 && b <= 3 {
			p, zeros = append(p, 3), 0
		}
		if p = append(p, b); b == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return p
}

func TestExpGolomb(t *testing.T) {
	t.Parallel()
	var w writer
	values := []int32{0, 1, -1, 2, -2, 100, -100, 32767, -32768, 1 << 20}
	for _, v := range values {
		w.se(v)
	}
	for range 10 {
		w.u(32, 0) // must be escaped
	}
	w.u(1, 1)
	b := bits{p: w.escaped(), escaped: true}
	for _, want := range values {
		if got := b.se(); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
	for b.at/8 < len(b.p) && !b.flag() {
	}
	if b.short {
		t.Error("the last bit was lost")
	}
	if b.u(9); !b.short {
		t.Error("reads beyond the end")
	}
	if b := (bits{p: make([]byte, 20)}); b.ue() != 0 || !b.short {
		t.Error("a code of 160 zeros")
	}
}

// An interlaced 4:4:4 high profile SPS with scaling lists, picture order count type 1 and cropping.
func TestSPSWithEverything(t *testing.T) {
	t.Parallel()
	var w writer
	w.u(8, 244)
	w.u(16, 0x0028)
	w.ue(0, 3) // id, chroma 4:4:4
	w.u(1, 0)
	w.ue(0, 0)
	w.u(1, 0)
	w.u(1, 1) // scaling matrix
	for i := range 12 {
		if i%3 != 0 {
			w.u(1, 0)
			continue
		}
		w.u(1, 1)
		w.se(4)
		w.se(-12) // next scale 0: the rest of the list is the last
	}
	w.ue(0, 1) // frame num, order count type 1
	w.u(1, 0)
	w.se(-7)
	w.se(9)
	w.ue(2)
	w.se(3)
	w.se(-3)
	w.ue(4)
	w.u(1, 0)
	w.ue(1920/16-1, 1088/32-1)
	w.u(2, 0) // fields, not adaptive
	w.u(1, 1)
	w.u(1, 1)
	w.ue(0, 0, 0, 4) // bottom, in units of 2 lines
	w.u(8, 0x80)
	info := inspect(H264, append([]byte{0x67}, w.escaped()...))
	if !info.Start || info.Width != 1920 || info.Height != 1080 {
		t.Errorf("%+v", info)
	}
}

func TestAV1SequenceHeaders(t *testing.T) {
	t.Parallel()
	size := func(w *writer) {
		w.u(4, 10)
		w.u(4, 9)
		w.u(11, 1919)
		w.u(10, 1023)
		w.u(8, 0)
	}
	reduced := writer{p: nil}
	reduced.u(3, 0)
	reduced.u(1, 1)
	reduced.u(1, 1)
	reduced.u(5, 8)
	size(&reduced)
	var full writer
	full.u(3, 0)
	full.u(2, 0)
	full.u(1, 1) // timing info
	full.u(32, 1)
	full.u(32, 30)
	full.u(1, 1)
	full.ue(5)
	full.u(1, 1) // decoder model
	full.u(5, 9)
	full.u(42, 77)
	full.u(1, 1) // initial display delay
	full.u(5, 1) // two operating points
	for range 2 {
		full.u(12, 0x101)
		full.u(5, 12)
		full.u(1, 0)
		full.u(1, 1)
		full.u(10, 3)
		full.u(10, 4)
		full.u(1, 0)
		full.u(1, 1)
		full.u(4, 2)
	}
	size(&full)
	for name, p := range map[string][]byte{
		"reduced":                append([]byte{0x18, 0x08}, reduced.p...),
		"with a size field":      append([]byte{0x18, 0x0a, byte(len(reduced.p))}, reduced.p...),
		"with an extension":      append([]byte{0x18, 0x0c, 0x00}, reduced.p...),
		"with everything":        append([]byte{0x18, 0x08}, full.p...),
		"with length and others": append(append([]byte{0x08, byte(1 + len(full.p)), 0x08}, full.p...), 1, 0x30),
	} {
		if info := inspect(AV1, p); !info.Start || info.Width != 1920 || info.Height != 1024 {
			t.Errorf("%s: %+v", name, info)
		}
		if info := inspect(AV1, p[:len(p)/2]); !info.Start && name != "with length and others" || info.Width != 0 {
			t.Errorf("%s, cut: %+v", name, info)
		}
	}
}

func TestVP9Profiles(t *testing.T) {
	t.Parallel()
	for profile := range uint64(4) {
		for _, space := range []uint64{2, 7} {
			var w writer
			w.u(8, 0x08) // descriptor: B
			w.u(2, 2)
			w.u(1, profile&1)
			w.u(1, profile>>1)
			if profile == 3 {
				w.u(1, 0)
			}
			w.u(4, 2) // a keyframe that is shown
			w.u(24, 0x498342)
			if profile >= 2 {
				w.u(1, 0)
			}
			w.u(3, space)
			switch {
			case space == 2 && profile&1 == 1:
				w.u(4, 0)
			case space == 2:
				w.u(1, 0)
			case profile&1 == 1:
				w.u(1, 0)
			}
			w.u(16, 639)
			w.u(16, 479)
			w.u(8, 0)
			if info := inspect(VP9, w.p); !info.Start || info.Width != 640 || info.Height != 480 {
				t.Errorf("profile %d, colour space %d: %+v", profile, space, info)
			}
		}
	}
}
