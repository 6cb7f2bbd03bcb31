package loudness

import (
	"math"
	"time"
)

const (
	loud    = 35                     // -dBov; RFC 6464 levels run from 0 (loudest) to 127 (silence)
	half    = 200 * time.Millisecond // half of the window; a verdict is given at each half
	share   = 0.4                    // of the window must be loud
	smooth  = 2.0 / 3.0              // weight of the newest verdict: a moving average over 2
	longest = 100 * time.Millisecond // no packet stands for more; a sender that pauses says nothing
)

// Meter smooths the levels of one source. The zero value is ready.
type Meter struct {
	began    time.Time
	last     time.Time
	now, old tally
	level    float64
	activity activity
}

type tally struct {
	heard, loud time.Duration
	peak        uint8 // -dBov of the loudest
}

// Scores returns how active the source is on each time scale.
func (m *Meter) Scores() Scores { return m.activity.scores() }

// Observe takes one packet's level in -dBov, 0 to 127, and returns the smoothed loudness: 0 (silence) to 1.
func (m *Meter) Observe(now time.Time, level uint8) float64 {
	m.activity.observe(now, level)
	if m.last.IsZero() || now.Sub(m.last) > 2*half {
		m.level, m.began, m.last, m.now, m.old = 0, now, now, tally{peak: 127}, tally{peak: 127}
	}
	d := min(now.Sub(m.last), longest)
	m.last = now
	m.now.heard += d
	if level <= loud {
		m.now.loud += d
		m.now.peak = min(m.now.peak, level)
	}
	if now.Sub(m.began) < half {
		return m.level
	}
	verdict := 0.0
	heard, active := m.now.heard+m.old.heard, m.now.loud+m.old.loud
	if heard > 0 && float64(active) >= share*float64(heard) {
		verdict = math.Pow(10, -float64(min(m.now.peak, m.old.peak))/20) * float64(active) / float64(heard)
	}
	m.level += (verdict - m.level) * smooth
	if m.level < 1e-3 { // -60 dB
		m.level = 0
	}
	m.old, m.now, m.began = m.now, tally{peak: 127}, now
	return m.level
}
