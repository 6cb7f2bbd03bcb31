package keyframe

import "time"

const (
	minSpacing = 200 * time.Millisecond
	maxSpacing = time.Second
	eager      = 10 // requests at the round trip's pace; after that once a second
)

// Requester throttles and repeats the requests for one layer. The zero value is ready.
type Requester struct {
	wanted bool
	tries  int
	last   time.Time
}

// Ask notes that somebody needs a keyframe.
func (r *Requester) Ask() { r.wanted = true }

// Cancel forgets the request: nobody watches any more.
func (r *Requester) Cancel() { r.wanted, r.tries = false, 0 }

// Wanted reports whether a keyframe is waited for.
func (r *Requester) Wanted() bool { return r.wanted }

// Arrived notes that a keyframe started.
func (r *Requester) Arrived() { r.wanted, r.tries = false, 0 }

// Due reports whether to send a request now, and counts it as sent.
func (r *Requester) Due(now time.Time, rtt time.Duration) bool {
	if !r.wanted {
		return false
	}
	spacing := min(max(2*rtt, minSpacing), maxSpacing)
	if r.tries >= eager {
		spacing = maxSpacing
	}
	if !r.last.IsZero() && now.Sub(r.last) < spacing {
		return false
	}
	r.last = now
	r.tries++
	return true
}
