package codectest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFramesOfL3T3(t *testing.T) {
	t.Parallel()
	for _, keyed := range []bool{false, true} {
		e := Encoder{Spatials: 3, Temporals: 3, Keyed: keyed}
		have := make(map[int]Frame)
		for i := range 50 {
			for s, f := range e.Next(i%20 == 0) {
				have[f.Number] = f
				if f.Spatial != s || f.Picture != i+1 || f.Top != (s == 2) || f.Key != (i%20 == 0) {
					t.Fatalf("picture %d: %+v", i, f)
				}
				for _, r := range f.Refs {
					of, ok := have[r]
					if !ok || r >= f.Number || of.Temporal > f.Temporal || of.Spatial > s || f.Key && of.Picture != f.Picture {
						t.Fatalf("%+v refers to %+v", f, of)
					}
					if of.Spatial < s && keyed && !f.Key {
						t.Fatalf("%+v refers to another spatial layer", f)
					}
				}
			}
		}
	}
}

func TestTiedFrames(t *testing.T) {
	t.Parallel()
	e := Encoder{Spatials: 1, Temporals: 2, Tied: true}
	var got []bool
	for range 12 {
		if f := e.Next(false)[0]; f.Temporal == 1 {
			got = append(got, f.Sync)
		}
	}
	if d := cmp.Diff([]bool{true, false, false, false, true, false}, got); d != "" {
		t.Error(d)
	}
}

func TestLayersTurnedOff(t *testing.T) {
	t.Parallel()
	e := Encoder{Spatials: 2, Temporals: 1}
	e.Next(false)
	e.Off = 1
	if f := e.Next(false); len(f) != 1 || !f[0].Top {
		t.Errorf("%+v", f)
	}
	e.Off = 0
	f := e.Next(false)
	if d := cmp.Diff([]int{f[0].Number}, f[1].Refs); d != "" || f[0].Key {
		t.Error("a layer that returns does not begin from the one below", d)
	}
}

func TestBits(t *testing.T) {
	t.Parallel()
	var w Bits
	w.U(3, 5)
	w.Flag(true)
	w.NS(5, 4)
	w.U(9, 0x101)
	if d := cmp.Diff([]byte{0b10111111, 0b00000001}, w.Bytes[:2]); d != "" || len(w.Bytes) != 2 {
		t.Error(w.Bytes, d)
	}
}
