package codectest

import "slices"

// Decode target indications of the dependency descriptor.
const (
	absent = iota
	discardable
	switches
	required
)

type template struct {
	spatial, temporal int
	key               bool
	fdiffs            []int
}

// templates are the frames that the encoder sends again and again, those of a layer together.
func (e *Encoder) templates() (all []template) {
	n := e.Spatials
	distance := map[int][]int{1: {1}, 2: {2, 1}, 3: {4, 2, 1}}[e.Temporals] // in pictures, to what a temporal layer refers to
	for s := range n {
		for t := range e.Temporals {
			own := template{spatial: s, temporal: t, fdiffs: []int{distance[t] * n}}
			if s > 0 && !e.Keyed {
				own.fdiffs = []int{1, distance[t] * n}
			}
			all = append(all, own)
			if t == 0 {
				key := template{spatial: s, key: true}
				if s > 0 {
					key.fdiffs = []int{1}
				}
				all = append(all, key)
			}
		}
	}
	return all
}

// dti is what a frame is to the decode target of the layers up to s and t.
func (e *Encoder) dti(f template, s, t int) int {
	switch {
	case t < f.temporal, s < f.spatial, s > f.spatial && e.Keyed && !f.key:
		return absent
	case s > f.spatial && !f.key:
		return required
	case t == f.temporal && t > 0:
		return discardable
	}
	return switches
}

// Descriptor returns a packet's dependency descriptor. It brings the structure with the first packet of a keyframe.
func (e *Encoder) Descriptor(f Frame, first, last bool) []byte {
	all := e.templates()
	i := slices.IndexFunc(all, func(t template) bool {
		return t.spatial == f.Spatial && t.temporal == f.Temporal && t.key == (f.Key || e.begins(f))
	})
	var fdiffs []int
	for _, r := range f.Refs {
		fdiffs = append(fdiffs, f.Number-r)
	}
	slices.Sort(fdiffs)
	const offset = 37
	var w Bits
	w.Flag(first)
	w.Flag(last)
	w.U(6, (offset+i)%64)
	w.U(16, f.Number&0xffff)
	structured, custom := f.Key && f.Spatial == 0 && first, !slices.Equal(fdiffs, all[i].fdiffs)
	if !structured && !custom {
		return w.Bytes
	}
	w.Flag(structured)
	w.U(2, 0)
	w.Flag(custom)
	w.U(1, 0)
	if structured {
		w.U(6, offset)
		e.structure(&w, all)
	}
	if custom {
		for _, d := range fdiffs {
			w.U(2, 3)
			w.U(12, d-1)
		}
		w.U(2, 0)
	}
	return w.Bytes
}

// begins reports whether a frame is the first of a layer that was off.
func (e *Encoder) begins(f Frame) bool {
	return f.Spatial > 0 && f.Temporal == 0 && len(f.Refs) == 1 && f.Refs[0] == f.Number-1 && !e.Keyed
}

// structure writes a template dependency structure, from its count of targets on.
func (e *Encoder) structure(w *Bits, all []template) {
	w.U(5, e.Spatials*e.Temporals-1)
	for i := range all {
		switch {
		case i+1 == len(all):
			w.U(2, 3)
		case all[i+1].spatial > all[i].spatial:
			w.U(2, 2)
		case all[i+1].temporal > all[i].temporal:
			w.U(2, 1)
		default:
			w.U(2, 0)
		}
	}
	for _, f := range all {
		for s := range e.Spatials {
			for t := range e.Temporals {
				w.U(2, e.dti(f, s, t))
			}
		}
	}
	for _, f := range all {
		for _, d := range f.fdiffs {
			w.U(1, 1)
			w.U(4, d-1)
		}
		w.U(1, 0)
	}
	e.chains(w, all)
	w.U(1, 1) // resolutions
	for s := range e.Spatials {
		w.U(16, e.Width(s)-1)
		w.U(16, e.Height(s)-1)
	}
}

// chains writes one chain for each spatial layer, which protects all its targets.
func (e *Encoder) chains(w *Bits, all []template) {
	w.NS(e.Spatials*e.Temporals+1, e.Spatials)
	for s := range e.Spatials {
		for range e.Temporals {
			w.NS(e.Spatials, s)
		}
	}
	for range all {
		for range e.Spatials {
			w.U(4, 1)
		}
	}
}

// Width is that of a spatial layer, in pixels: the highest is 1280.
func (e *Encoder) Width(spatial int) int { return 1280 >> (e.Spatials - 1 - spatial + e.Small) }

// Height is that of a spatial layer: the highest is 720.
func (e *Encoder) Height(spatial int) int { return 720 >> (e.Spatials - 1 - spatial + e.Small) }

// VP9 returns a packet's VP9 payload descriptor in flexible mode, with the picture id in 15 bits.
func (e *Encoder) VP9(f Frame, first, last bool, pictures map[int]int) []byte {
	var w Bits
	inter := slices.ContainsFunc(f.Refs, func(r int) bool { return pictures[r] != f.Picture })
	lower := slices.ContainsFunc(f.Refs, func(r int) bool { return pictures[r] == f.Picture })
	structured := f.Key && f.Spatial == 0 && first
	w.U(1, 1) // I
	w.Flag(inter)
	w.U(1, 1) // L
	w.U(1, 1) // F
	w.Flag(first)
	w.Flag(last)
	w.Flag(structured)
	w.U(1, 0)
	w.U(1, 1)
	w.U(15, f.Picture&0x7fff)
	w.U(3, f.Temporal)
	w.Flag(f.Sync)
	w.U(3, f.Spatial)
	w.Flag(lower)
	if inter {
		var diffs []int
		for _, r := range f.Refs {
			if d := f.Picture - pictures[r]; d > 0 {
				diffs = append(diffs, d)
			}
		}
		for i, d := range diffs {
			w.U(7, d)
			w.Flag(i+1 < len(diffs))
		}
	}
	if structured {
		w.U(3, e.Spatials-1)
		w.U(5, 0x10) // sizes, no groups
		for s := range e.Spatials {
			w.U(16, e.Width(s))
			w.U(16, e.Height(s))
		}
	}
	return w.Bytes
}

// Bits writes big-endian bit fields.
type Bits struct {
	Bytes []byte
	n     int
}

// U writes the low n bits of v.
func (w *Bits) U(n, v int) {
	for n--; n >= 0; n-- {
		if w.n&7 == 0 {
			w.Bytes = append(w.Bytes, 0)
		}
		w.Bytes[len(w.Bytes)-1] |= byte(v>>n&1) << (7 - w.n&7)
		w.n++
	}
}

// Flag writes one bit.
func (w *Bits) Flag(v bool) {
	bit := 0
	if v {
		bit = 1
	}
	w.U(1, bit)
}

// NS writes v, which is below n, as AV1's ns(n) does: the first values in a bit less.
func (w *Bits) NS(n, v int) {
	bits := 0
	for 1<<bits <= n {
		bits++
	}
	if short := 1<<bits - n; v < short {
		w.U(bits-1, v)
	} else {
		w.U(bits, v+short)
	}
}
