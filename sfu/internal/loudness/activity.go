package loudness

import "time"

// Who has the floor is decided on three time scales, after I. Volfin and I. Cohen, "Dominant speaker identification for
// multipoint videoconferencing" (2012): each scale counts how often the one below was active. A cough or a slammed door is
// loud on the immediate scale alone, and a laugh does not outlast the long one.
const (
	frameLength = 20 * time.Millisecond
	blockFrames = 5  // of the medium scale: 100 ms
	longBlocks  = 20 // of the long scale: 2 s

	activeAbove  = 15 // dB above the background noise, for a frame to be active
	activeFrames = 2  // of a block, for the block to be active: speech has pauses
	quietest     = 90 // -dBov; what is quieter is silence
	loudest      = 45 // -dBov; a background is never louder, or a monologue would become one
	floorRise    = 50 // frames that are louder than the background lift it by 1 dB: noise that stays becomes background

	immediateMargin = 6 // dB
	mediumMargin    = 1 // frames
)

// Scores are how active somebody is on each scale.
type Scores struct {
	Immediate int // dB above the background, of the loudest frame of 100 to 200 ms
	Medium    int // active frames of the last 100 to 200 ms
	Long      int // active blocks of the last 2 s
}

// beats reports whether a challenger takes the floor from who has the scores o.
func (s Scores) beats(o Scores) bool {
	return s.Immediate >= o.Immediate+immediateMargin && s.Medium >= o.Medium+mediumMargin && s.Long > o.Long
}

// activity gathers Scores. The zero value is ready.
type activity struct {
	last    time.Time
	started bool
	floor   uint8 // -dBov of the background: quieter is a higher number
	above   int   // frames louder than it, since it moved

	now, before block
	frame       int // of now
	ring        [longBlocks]bool
	next, long  int // place in ring, active blocks in it
}

type block struct{ peak, active int }

// observe takes a packet's level in -dBov.
func (a *activity) observe(now time.Time, level uint8) {
	gap := now.Sub(a.last)
	if !a.started || gap > time.Second || gap < -time.Second {
		*a = activity{started: true, floor: quietest}
		gap = frameLength
	}
	a.last = now
	for n := gap / frameLength; n > 1; n-- { // what senders leave out is silence
		a.push(0)
	}
	level = min(level, quietest)
	switch {
	case level >= a.floor:
		a.floor, a.above = level, 0
	case a.above < floorRise:
		a.above++
	default:
		a.floor, a.above = max(a.floor-1, loudest), 0
	}
	a.push(int(a.floor - level))
}

// push takes a frame, in dB above the background.
func (a *activity) push(loudness int) {
	a.now.peak = max(a.now.peak, loudness)
	if loudness >= activeAbove {
		a.now.active++
	}
	if a.frame++; a.frame < blockFrames {
		return
	}
	if a.ring[a.next] {
		a.long--
	}
	a.ring[a.next] = a.now.active >= activeFrames
	if a.ring[a.next] {
		a.long++
	}
	a.next = (a.next + 1) % longBlocks
	a.before, a.now, a.frame = a.now, block{}, 0
}

func (a *activity) scores() Scores {
	return Scores{
		Immediate: max(a.now.peak, a.before.peak),
		Medium:    a.now.active + a.before.active,
		Long:      a.long,
	}
}
