package codectest

import "slices"

// Encoder makes the frames of one stream.
type Encoder struct {
	Spatials, Temporals int  // layers: 1 to 3 each
	Keyed               bool // spatial layers refer to each other in keyframes only (L3T3_KEY)
	Tied                bool // frames of temporal layer 1 refer to each other, but for every fourth: who missed one must wait
	Small               int  // how often the size is halved
	Off                 int  // so many of the upper spatial layers are not sent now

	number  int // of the next frame
	picture int
	phase   int       // pictures since the last keyframe
	last    [3][3]int // number of the newest frame by spatial and temporal layer; 0: none
	on      int       // spatial layers of the picture before
}

// Frame is one picture in one spatial layer.
type Frame struct {
	Number            int // 1, 2, … over all layers
	Picture           int // 1, 2, …
	Spatial, Temporal int
	Key               bool  // of a picture that needs nothing before
	Sync              bool  // it refers to lower temporal layers only
	Refs              []int // numbers
	Top               bool  // the picture's last
}

var phases = map[int][]int{1: {0}, 2: {0, 1}, 3: {0, 2, 1, 2}}

// Next returns the next picture's frames, the lowest spatial layer first.
func (e *Encoder) Next(key bool) (frames []Frame) {
	on := e.Spatials - e.Off
	if on > e.on && e.Keyed {
		key = true // an upper layer has nothing to begin from
	}
	key = key || e.picture == 0
	if key {
		e.phase, e.last = 0, [3][3]int{}
	}
	pattern := phases[e.Temporals]
	t := pattern[e.phase%len(pattern)]
	e.picture++
	for s := range on {
		e.number++
		f := Frame{Number: e.number, Picture: e.picture, Spatial: s, Temporal: t, Key: key, Top: s == on-1, Sync: true}
		if s >= e.on { // a layer begins: from the one below
			e.last[s] = [3]int{}
		}
		if !key {
			f.Refs = e.within(s, t, &f)
		}
		if s > 0 && (key || !e.Keyed) {
			f.Refs = append(f.Refs, e.number-1)
		}
		slices.Sort(f.Refs)
		e.last[s][t] = e.number
		frames = append(frames, f)
	}
	e.on = on
	e.phase++
	return frames
}

// within returns what a frame refers to in its own spatial layer.
func (e *Encoder) within(s, t int, f *Frame) []int {
	if e.Tied && t == 1 && e.phase/len(phases[e.Temporals])%4 != 0 && e.last[s][1] > 0 {
		f.Sync = false
		return []int{e.last[s][1]}
	}
	newest := e.last[s][0]
	if t == 2 {
		newest = max(newest, e.last[s][1])
		f.Sync = true
	}
	if newest == 0 {
		return nil
	}
	return []int{newest}
}
