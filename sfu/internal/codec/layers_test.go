package codec

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/parley/parley/sfu/internal/codec/codectest"
)

// modes are the scalability modes that are tested.
func modes() map[string]*codectest.Encoder {
	return map[string]*codectest.Encoder{
		"L1T1": {Spatials: 1, Temporals: 1}, "L1T2": {Spatials: 1, Temporals: 2}, "L1T3": {Spatials: 1, Temporals: 3},
		"L2T1": {Spatials: 2, Temporals: 1}, "L2T3": {Spatials: 2, Temporals: 3}, "L3T3": {Spatials: 3, Temporals: 3},
		"L2T3_KEY": {Spatials: 2, Temporals: 3, Keyed: true}, "L3T3_KEY": {Spatials: 3, Temporals: 3, Keyed: true},
	}
}

// needs is who needs a frame, from what the encoder knows: bit by spatial layer.
func needs(e *codectest.Encoder, f codectest.Frame) (mask uint8) {
	if e.Spatials == 1 {
		return everybody
	}
	for s := range e.Spatials {
		if s == f.Spatial || s > f.Spatial && (f.Key || !e.Keyed) {
			mask |= 1 << s
		}
	}
	return mask
}

func TestDependencyDescriptors(t *testing.T) {
	t.Parallel()
	for name, e := range modes() {
		var s Stream
		s.Reset(AV1)
		for i := range 200 {
			if e.Spatials == 3 && !e.Keyed && i%40 == 20 {
				e.Off = 1 - e.Off
			}
			for _, f := range e.Next(i%50 == 0) {
				first := s.Inspect([]byte{0, 1, 2}, e.Descriptor(f, true, false))
				last := s.Inspect([]byte{0, 1, 2}, e.Descriptor(f, false, true))
				if !first.Begin || first.End || last.Begin || !last.End || int(first.PictureID) != f.Number&0xffff {
					t.Fatalf("%s, frame %+v: %+v, %+v", name, f, first, last)
				}
				for _, got := range []Info{first, last} {
					if int(got.Spatial) != f.Spatial || int(got.Temporal) != f.Temporal || got.Needed != needs(e, f) {
						t.Fatalf("%s, frame %+v: %+v, want needed %b", name, f, got, needs(e, f))
					}
					if raise := f.Spatial > 0 && len(f.Refs) == 1 && f.Refs[0] == f.Number-1; got.Raise != raise {
						t.Fatalf("%s, frame %+v: raise %v", name, f, got.Raise)
					}
					if up := got.Up>>(e.Temporals-1)&1 != 0; up != (f.Temporal < e.Temporals-1 || e.Temporals == 1) {
						t.Fatalf("%s, frame %+v: up %b", name, f, got.Up)
					}
				}
			}
		}
		if s.Spatials() != e.Spatials || s.Keyed() != e.Keyed {
			t.Errorf("%s: %d spatial layers, keyed %v", name, s.Spatials(), s.Keyed())
		}
		for i := range e.Spatials {
			if got := s.Size(i); int(got.Width) != e.Width(i) || int(got.Height) != e.Height(i) {
				t.Errorf("%s: layer %d has %v", name, i, got)
			}
		}
	}
}

func TestVP9Layers(t *testing.T) {
	t.Parallel()
	for name, e := range modes() {
		for _, tied := range []bool{false, true} {
			everyLayer := uint8(1)<<e.Spatials - 1
			e.Tied = tied
			var s Stream
			s.Reset(VP9)
			pictures := make(map[int]int)
			for i := range 200 {
				for _, f := range e.Next(i%50 == 0) {
					pictures[f.Number] = f.Picture
					p := append(e.VP9(f, true, true, pictures), 0x80, 0)
					got := s.Inspect(p, nil)
					settled := i%50 > 1 // after the first delta picture it is known whether layers are tied
					if int(got.Spatial) != f.Spatial || int(got.Temporal) != f.Temporal || settled && got.Needed&everyLayer != needs(e, f)&everyLayer {
						t.Fatalf("%s, frame %+v: %+v, want needed %b", name, f, got, needs(e, f))
					}
					if got.Start != (f.Key && f.Spatial == 0) || int(got.PictureID) != f.Picture || !got.Begin || !got.End {
						t.Fatalf("%s, frame %+v: %+v", name, f, got)
					}
					if f.Temporal > 0 && got.Sync != f.Sync {
						t.Fatalf("%s, frame %+v: sync %v", name, f, got.Sync)
					}
				}
			}
			if s.Spatials() != e.Spatials || s.Keyed() != e.Keyed {
				t.Errorf("%s: %d spatial layers, keyed %v", name, s.Spatials(), s.Keyed())
			}
		}
	}
}

func TestVP9NonFlexible(t *testing.T) {
	t.Parallel()
	var s Stream
	s.Reset(VP9)
	// A structure of 3 temporal layers in a group of 4, then pictures with I, L, B, E and TL0PICIDX.
	s.Inspect(unhex(t, "ae"+"8001"+"00"+"05"+"08"+"04"+"08"+"00"+"1001"+"2802"+"1401"+"3001"+"824983"), nil)
	for _, c := range []struct {
		hex      string
		temporal uint8
		sync     bool
		tl0      uint8
	}{
		{"ec" + "8002" + "50" + "05" + "00", 2, true, 5},
		{"ec" + "8003" + "30" + "06" + "00", 1, true, 6},
		{"ec" + "8004" + "40" + "07" + "00", 2, false, 7},
	} {
		got := s.Inspect(unhex(t, c.hex), nil)
		if got.Temporal != c.temporal || got.Sync != c.sync || got.TL0PicIdx != c.tl0 || !got.HasTL0PicIdx || got.Needed != everybody {
			t.Errorf("%s: %+v", c.hex, got)
		}
	}
}

func TestH264Layers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, hex string
		temporal  uint8
		begin     bool
	}{
		{"referred to", "419a0001", 0, true},
		{"not referred to", "019a0001", 1, true},
		{"second slice", "0115a001", 1, false},
		{"fragment that begins", "1c819a00", 1, true},
		{"fragment within", "1c019a00", 1, false},
		{"fragment of a second slice", "1c8115a0", 1, false},
		{"fragment of what is referred to", "5c819a00", 0, true},
		{"information beside a slice", "18" + "0002" + "0605" + "0003" + "019a00", 1, true},
		{"information alone", "0605", 0, false},
		{"one of two slices is referred to", "58" + "0003" + "019a00" + "0003" + "411500", 0, true},
	} {
		got := inspect(H264, unhex(t, c.hex))
		if got.Temporal != c.temporal || got.Sync != (c.temporal > 0) || got.Begin != c.begin {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	e := &codectest.Encoder{Spatials: 1, Temporals: 3}
	var s Stream
	s.Reset(H264)
	for range 12 {
		f := e.Next(false)[0]
		got := s.Inspect(unhex(t, "419a0001"), e.Descriptor(f, true, true))
		if int(got.Temporal) != f.Temporal || !got.Described || got.Needed != everybody {
			t.Errorf("frame %+v: %+v", f, got)
		}
	}
}

func TestVP8Temporal(t *testing.T) {
	t.Parallel()
	for hex, want := range map[string]Frame{
		"90e0800105a001": {Temporal: 2, Sync: true, Begin: true},
		"90e08001054001": {Temporal: 1, Begin: true},
		"80e08001050001": {},
		"9010ff01":       {Begin: true}, // K alone says nothing of layers
	} {
		got := inspect(VP8, unhex(t, hex))
		if got.Temporal != want.Temporal || got.Sync != want.Sync || got.Begin != want.Begin {
			t.Errorf("%s: %+v", hex, got)
		}
	}
}

// What is rewritten says the same, but for the frame number and the active decode targets; and those are what the layers say.
func TestRewrittenDescriptors(t *testing.T) {
	t.Parallel()
	for name, e := range modes() {
		var sender, receiver Stream
		sender.Reset(AV1)
		receiver.Reset(AV1)
		e.Off = min(1, e.Spatials-1)
		for i := range 100 {
			if i == 30 {
				e.Off = 0
			}
			for _, f := range e.Next(i%30 == 0) {
				p := e.Descriptor(f, true, false)
				want := sender.Inspect([]byte{0, 1, 2}, p)
				s, temporal := i/4%(e.Spatials+1)-1, i%e.Temporals
				out := sender.AppendDescriptor([]byte{9}, p, &want.Frame, want.PictureID+1000, s, temporal)
				got := receiver.Inspect([]byte{0, 1, 2}, out[1:])
				want.PictureID += 1000
				if got != want {
					t.Fatalf("%s, frame %+v: %x became %x\n%+v\n%+v", name, f, p, out[1:], want, got)
				}
				all := uint32(1)<<(e.Spatials*e.Temporals) - 1
				active := all
				if s >= 0 || temporal < e.Temporals-1 {
					active = activeTargets(e, s, temporal)
				}
				if receiver.now.active != active && active != all {
					t.Fatalf("%s, up to %d.%d: targets %b, want %b", name, s, temporal, receiver.now.active, active)
				}
				if active == all && !bytes.Equal(out[4:], p[3:]) {
					t.Fatalf("%s: %x became %x", name, p, out[1:])
				}
			}
		}
	}
}

func activeTargets(e *codectest.Encoder, s, temporal int) (mask uint32) {
	for i := range e.Spatials * e.Temporals {
		ts, tt := i/e.Temporals, i%e.Temporals
		if tt <= temporal && (s < 0 || ts == s || ts < s && !e.Keyed) {
			mask |= 1 << i
		}
	}
	return mask
}

// A packet from before a keyframe that comes after it is read by the structure of its time.
func TestLateDescriptor(t *testing.T) {
	t.Parallel()
	var s Stream
	s.Reset(AV1)
	before, after := &codectest.Encoder{Spatials: 3, Temporals: 3}, &codectest.Encoder{Spatials: 1, Temporals: 1}
	var late []byte
	for range 8 {
		for _, f := range before.Next(false) {
			if late = before.Descriptor(f, true, true); f.Picture < 8 {
				s.Inspect([]byte{0, 1}, late)
			}
		}
	}
	for range 40 { // frame numbers go on
		after.Next(false)
	}
	s.Inspect([]byte{0, 1}, after.Descriptor(after.Next(true)[0], true, true))
	if got := s.Inspect([]byte{0, 1}, late); got.Spatial != 2 || got.Temporal != 2 || got.Needed != 0b100 {
		t.Errorf("%+v", got)
	}
}

func FuzzDescriptor(f *testing.F) {
	for _, e := range modes() {
		var all []byte
		for range 6 {
			for _, fr := range e.Next(false) {
				d := e.Descriptor(fr, true, true)
				all = append(append(all, byte(len(d))), d...)
			}
		}
		f.Add(all)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Stream
		s.Reset(AV1)
		for len(data) > 0 {
			n := min(int(data[0]), len(data)-1)
			p := data[1 : 1+n]
			data = data[1+n:]
			info := s.Inspect([]byte{0, 1, 2, 3}, p)
			if info.Needed == 0 && s.Spatials() == 1 || int(info.Spatial) >= MaxSpatial || int(info.Temporal) >= MaxTemporal {
				t.Errorf("%+v", info)
			}
			out := s.AppendDescriptor(nil, p, &info.Frame, 0x1234, 1, 1)
			if len(p) >= 3 && (len(out) < 3 || out[1] != 0x12 || out[2] != 0x34 || len(out) > MaxDescriptor) {
				t.Errorf("%x became %x", p, out)
			}
		}
	})
}

func TestNSCounts(t *testing.T) {
	t.Parallel()
	for n := 1; n < 40; n++ {
		for v := range n {
			var w codectest.Bits
			w.NS(n, v)
			w.U(9, 0x155)
			b := bits{p: w.Bytes}
			if got, mark := b.ns(uint32(n)), b.u(9); got != uint32(v) || mark != 0x155 {
				t.Errorf("%d of %d: %d, then %x", v, n, got, mark)
			}
		}
	}
}

func BenchmarkInspect(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 1))
	e := &codectest.Encoder{Spatials: 3, Temporals: 3}
	var av1, vp9 [][]byte
	pictures := make(map[int]int)
	for range 100 {
		for _, f := range e.Next(false) {
			pictures[f.Number] = f.Picture
			av1 = append(av1, e.Descriptor(f, true, true))
			vp9 = append(vp9, append(e.VP9(f, true, true, pictures), byte(rnd.Uint32()), 0))
		}
	}
	for _, k := range []Kind{VP9, AV1} {
		b.Run(fmt.Sprint(k), func(b *testing.B) {
			var s Stream
			s.Reset(k)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i = (i + 1) % len(av1); k == AV1 {
					s.Inspect([]byte{0, 1, 2}, av1[i])
				} else {
					s.Inspect(vp9[i], nil)
				}
			}
		})
	}
}
