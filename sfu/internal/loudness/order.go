package loudness

import (
	"slices"
	"time"
)

const (
	hold    = 800 * time.Millisecond // a speaker's pause
	clearly = 1.5                    // times louder, to overtake (3.5 dB)
)

// Voice is one candidate with its smoothed loudness, 0 to 1.
type Voice struct {
	ID    string
	Level float64
	Scores
}

// Order keeps the list of speakers: who has the floor, then the others, the loudest first. The floor changes hands when
// somebody is more active on all three time scales, or its holder is silent. The zero value is ready.
type Order struct {
	list []speaker
}

type speaker struct {
	Voice
	spoke time.Time
}

// Update takes all candidates and reports whether the list changed.
func (o *Order) Update(now time.Time, voices []Voice) (changed bool) {
	before := len(o.list)
	o.list = slices.DeleteFunc(o.list, func(s speaker) bool {
		i := slices.IndexFunc(voices, func(v Voice) bool { return v.ID == s.ID })
		return i < 0 || voices[i].Level == 0 && now.Sub(s.spoke) >= hold
	})
	changed = len(o.list) != before
	for _, v := range voices {
		i := slices.IndexFunc(o.list, func(s speaker) bool { return s.ID == v.ID })
		switch {
		case i >= 0 && v.Level > 0:
			o.list[i].Voice, o.list[i].spoke = v, now
		case i >= 0:
			o.list[i].Voice = v
		case v.Level > 0:
			o.list = append(o.list, speaker{v, now})
			changed = true
		}
	}
	for i := 2; i < len(o.list); i++ { // stable: neighbours change places only for a clear difference
		for j := i; j > 1 && o.list[j].Level > o.list[j-1].Level*clearly; j-- {
			o.list[j], o.list[j-1] = o.list[j-1], o.list[j]
			changed = true
		}
	}
	return o.giveFloor() || changed
}

// giveFloor puts the most active of those who beat the head of the list there.
func (o *Order) giveFloor() (changed bool) {
	best := 0
	for i, s := range o.list {
		if i > 0 && s.Level > 0 && s.beats(o.list[0].Scores) && (best == 0 || s.Long > o.list[best].Long) {
			best = i
		}
	}
	if best == 0 {
		return false
	}
	s := o.list[best]
	o.list = slices.Insert(slices.Delete(o.list, best, best+1), 0, s)
	return true
}

// IDs returns the list, the loudest first.
func (o *Order) IDs() []string {
	ids := make([]string, len(o.list))
	for i, s := range o.list {
		ids[i] = s.ID
	}
	return ids
}
