package nack

import "time"

const (
	maxOutstanding = 100                    // numbers; more lost at once needs a keyframe anyway
	maxTries       = 10                     // requests per number
	grace          = 20 * time.Millisecond  // for reordering
	defaultRTT     = 70 * time.Millisecond  // until one is known
	maxSpacing     = 400 * time.Millisecond // between requests for one number
)

type entry struct {
	num   uint64
	due   int64 // Unix nanoseconds
	tries int
}

// Tracker knows the numbers one stream misses. The zero value is ready.
type Tracker struct {
	missing []entry // by num
	out     []uint16
	next    int64 // when the first is due, Unix nanoseconds; 0: nothing is missing
}

// Gap notes that the numbers from first to last did not come. False means there are too many: all are forgotten, ask for a
// keyframe.
func (t *Tracker) Gap(now time.Time, first, last uint64) bool {
	if n := last - first + 1; n > maxOutstanding || len(t.missing)+int(n) > maxOutstanding {
		t.Clear()
		return false
	}
	if t.missing == nil {
		t.missing = make([]entry, 0, maxOutstanding)
		t.out = make([]uint16, 0, maxOutstanding)
	}
	due := now.Add(grace).UnixNano()
	for n := first; n <= last; n++ {
		t.missing = append(t.missing, entry{num: n, due: due})
	}
	if t.next == 0 || due < t.next {
		t.next = due
	}
	return true
}

// Arrived notes that num came after all.
func (t *Tracker) Arrived(num uint64) {
	for i := len(t.missing) - 1; i >= 0 && t.missing[i].num >= num; i-- {
		if t.missing[i].num == num {
			t.missing = append(t.missing[:i], t.missing[i+1:]...)
			if len(t.missing) == 0 {
				t.next = 0
			}
			return
		}
	}
}

// Due returns the sequence numbers to ask for now, rising, valid until the next call. Lost means that some were given up.
func (t *Tracker) Due(now time.Time, rtt time.Duration) (seqs []uint16, lost bool) {
	at := now.UnixNano()
	if t.next == 0 || at < t.next {
		return nil, false
	}
	t.out, t.next = t.out[:0], 0
	kept := t.missing[:0]
	for _, e := range t.missing {
		if at >= e.due {
			if e.tries == maxTries {
				lost = true
				continue
			}
			e.due = at + int64(spacing(rtt, e.tries))
			e.tries++
			t.out = append(t.out, uint16(e.num))
		}
		kept = append(kept, e)
		if t.next == 0 || e.due < t.next {
			t.next = e.due
		}
	}
	t.missing = kept
	return t.out, lost
}

// spacing is the time to wait after request number tries: the round trip, a quarter longer each time, and the grace again,
// because what is sent again is overtaken, too.
func spacing(rtt time.Duration, tries int) time.Duration {
	if rtt <= 0 {
		rtt = defaultRTT
	}
	for range tries {
		rtt += rtt / 4
		if rtt > maxSpacing {
			break
		}
	}
	return min(rtt+grace, maxSpacing)
}

// Clear forgets all.
func (t *Tracker) Clear() { t.missing, t.next = t.missing[:0], 0 }

// Outstanding returns how many numbers are missing.
func (t *Tracker) Outstanding() int { return len(t.missing) }
