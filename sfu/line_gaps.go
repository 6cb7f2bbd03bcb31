package sfu

import "github.com/parley/parley/sfu/internal/ring"

// A line leaves out packets of layers that its viewer does not show, and closes the gap: what comes after gets a lower number.
// A packet that comes late was overtaken by some of these; where it belongs is found by the last runs that were left out.

const maxGaps = 64 // runs: at 30 fps and every second frame left out, 4 s

// gap is a run of packets that were left out.
type gap struct {
	first    uint64 // number in the layer
	count    uint32
	pictures uint16 // that begin in it
}

// gaps are the last runs, the oldest of maxGaps overwritten.
type gaps struct {
	runs    []gap
	count   int    // ever
	picture uint16 // of the packet left out last
}

func (g *gaps) clear() { g.count = 0 }

func (g *gaps) run(i int) *gap { return &g.runs[i%maxGaps] }

// add leaves out the packet num. It returns whether a picture begins with it, where pictures count.
func (g *gaps) add(num uint64, picture uint16, counts bool) (begins bool) {
	if g.runs == nil {
		g.runs = make([]gap, maxGaps)
	}
	begins = counts && (g.count == 0 || picture != g.picture)
	g.picture = picture
	if g.count > 0 {
		if r := g.run(g.count - 1); r.first+uint64(r.count) == num {
			r.count++
			if begins {
				r.pictures++
			}
			return begins
		}
	}
	*g.run(g.count) = gap{first: num, count: 1}
	if begins {
		g.run(g.count).pictures = 1
	}
	g.count++
	return begins
}

// place is where a packet of the layer goes in the line.
type place struct {
	seq     uint16
	picture uint16 // what is added to its picture id
}

// next is the place of the number num, which is newer than all before.
func (l *Line) next(num uint64) place { return place{uint16(num) + l.shift, l.pictureShift} }

// find returns the place of a packet that comes late. False: it was left out, or that is not known any more.
func (l *Line) find(num uint64) (place, bool) {
	at, g := l.next(num), &l.gaps
	for i := g.count - 1; i >= 0; i-- {
		if i < g.count-maxGaps {
			return at, false
		}
		r := g.run(i)
		if r.first+uint64(r.count) <= num {
			return at, true
		}
		if r.first <= num {
			return at, false
		}
		at.seq += uint16(r.count)
		at.picture += r.pictures
	}
	return at, true
}

// skip leaves out a packet that is newer than all before.
func (l *Line) skip(s *ring.Slot) {
	l.lastSeq = uint16(s.Num) + l.shift - 1
	l.maxNum, l.lastIn = s.Num, s.Timestamp
	l.shift--
	if l.gaps.add(s.Num, s.PictureID, l.closing && s.HasPictureID && !s.Described) {
		l.pictureShift--
	}
}
