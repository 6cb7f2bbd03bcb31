package signaling

import "slices"

// The streams of a participant: camera and microphone together, screen and screen audio together.
const (
	streamCamera = "camera"
	streamScreen = "screen"
)

// streamKey names one participant's stream.
type streamKey struct {
	participant string
	stream      string
}

// want is one stream that a viewer should get, with the size at which it shows the picture, in device pixels.
// 0 by 0 is audio only.
type want struct {
	streamKey
	width, height int
	rank          int // of importance, 0 first
	pinned        bool
}

// picture reports whether the viewer wants to see, not only to hear.
func (w want) picture() bool { return w.width > 0 && w.height > 0 }

// speaker is somebody whom a viewer did not list but may hear.
type speaker struct {
	participant string
	speaking    bool // among the loudest now
}

// assign decides which stream each slot carries. The answer has one want per slot; the zero want is an empty slot.
//
// wants comes most important first, has no stream twice, and holds only streams that have something to carry; where
// there are more than slots, the first ones win. speakers comes loudest first, then by who spoke last, and holds nobody
// listed in wants; they fill the slots left over, audio only.
//
// A stream keeps its slot while it has one. Among more speakers than slots left, somebody who has a slot keeps it until
// somebody who speaks now needs it; among those who speak, one place in loudness is not enough to take a slot.
func assign(before []want, wants []want, speakers []speaker) []want {
	after := make([]want, len(before))
	chosen := slices.Clone(wants[:min(len(wants), len(before))])
	for _, id := range loudest(before, speakers, len(before)-len(chosen)) {
		chosen = append(chosen, want{streamKey: streamKey{participant: id, stream: streamCamera}})
	}
	held := make(map[streamKey]int, len(before))
	for i, w := range before {
		if w.participant != "" {
			held[w.streamKey] = i
		}
	}
	fresh := chosen[:0:0]
	for _, w := range chosen {
		if i, ok := held[w.streamKey]; ok {
			after[i] = w
			continue
		}
		fresh = append(fresh, w)
	}
	free := 0
	for _, w := range fresh {
		for after[free].participant != "" {
			free++
		}
		after[free] = w
	}
	return after
}

// loudest picks at most n of the speakers, those with a slot before others of about the same standing.
func loudest(before []want, speakers []speaker, n int) []string {
	if n <= 0 {
		return nil
	}
	holds := make(map[string]bool, len(before))
	for _, w := range before {
		if w.stream == streamCamera {
			holds[w.participant] = true
		}
	}
	// The rank is twice the place, so that a holder's head start of a place and a half leaves no ties. Those who do
	// not speak come after all who do, holders first.
	type ranked struct {
		id   string
		rank int
	}
	order := make([]ranked, len(speakers))
	for i, s := range speakers {
		rank := 2 * i
		switch {
		case s.speaking && holds[s.participant]:
			rank -= 3
		case !s.speaking && holds[s.participant]:
			rank += 2 * len(speakers)
		case !s.speaking:
			rank += 4 * len(speakers)
		}
		order[i] = ranked{s.participant, rank}
	}
	slices.SortStableFunc(order, func(a, b ranked) int { return a.rank - b.rank })
	order = order[:min(n, len(order))]
	ids := make([]string, len(order))
	for i, o := range order {
		ids[i] = o.id
	}
	return ids
}
