package keyframe

import "time"

const (
	minSpacing = 200 * time.Millisecond
	maxSpacing = time.Second     // by the round trip
	slowest    = 2 * time.Second // by anything else
	eager      = 2               // requests at the round trip's pace; each more that is not answered doubles it

	// A keyframe is many times as large as other frames: on a thin link it is itself what makes the next one necessary. So
	// many times as long as the last one took to arrive, no other is asked for.
	burden = 4
)

// Requester throttles and repeats the requests for one layer. The zero value is ready.
type Requester struct {
	wanted bool
	tries  int // since the last keyframe
	last   time.Time
	took   time.Duration
	held   time.Time // nothing is asked for before
}

// Ask notes that somebody needs a keyframe.
func (r *Requester) Ask() { r.wanted = true }

// Cancel forgets the request: nobody watches any more.
func (r *Requester) Cancel() { r.wanted, r.tries = false, 0 }

// Wanted reports whether a keyframe is waited for.
func (r *Requester) Wanted() bool { return r.wanted }

// Arrived notes that a keyframe started.
func (r *Requester) Arrived() { r.wanted, r.tries = false, 0 }

// Took notes how long the last keyframe took to arrive, from its first to its last packet.
func (r *Requester) Took(d time.Duration) { r.took = d }

// Hold puts requests off: a queue must drain first, or the keyframe would be lost in it.
func (r *Requester) Hold(until time.Time) { r.held = until }

// Due reports whether to send a request now, and counts it as sent.
func (r *Requester) Due(now time.Time, rtt time.Duration) bool {
	if !r.wanted || now.Before(r.held) && r.held.Sub(now) < slowest { // further off: the machine's clock was set back
		return false
	}
	spacing := max(min(max(2*rtt, minSpacing), maxSpacing), burden*r.took)
	for i := eager; i < r.tries && spacing < slowest; i++ {
		spacing *= 2
	}
	if !r.last.IsZero() && now.Sub(r.last) < min(spacing, slowest) {
		return false
	}
	r.last = now
	r.tries++
	return true
}
