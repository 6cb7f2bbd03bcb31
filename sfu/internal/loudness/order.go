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
}

// Order keeps the list of speakers, the loudest first. The zero value is ready.
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
			o.list[i].Level, o.list[i].spoke = v.Level, now
		case i >= 0:
			o.list[i].Level = 0
		case v.Level > 0:
			o.list = append(o.list, speaker{v, now})
			changed = true
		}
	}
	for i := 1; i < len(o.list); i++ { // stable: neighbours change places only for a clear difference
		for j := i; j > 0 && o.list[j].Level > o.list[j-1].Level*clearly; j-- {
			o.list[j], o.list[j-1] = o.list[j-1], o.list[j]
			changed = true
		}
	}
	return changed
}

// IDs returns the list, the loudest first.
func (o *Order) IDs() []string {
	ids := make([]string, len(o.list))
	for i, s := range o.list {
		ids[i] = s.ID
	}
	return ids
}
