package nack

import "time"

const (
	maxOutstanding = 100                   // numbers; more lost at once needs a keyframe anyway
	maxTries       = 10                    // requests per number
	firstGrace     = 10 * time.Millisecond // for reordering, until it is known what there is
	minGrace       = 5 * time.Millisecond  // on a network that reorders nothing
	maxGrace       = 40 * time.Millisecond
	tooLate        = 300 * time.Millisecond // or 3 round trips: decoders wait, and a keyframe would be quicker
	maxAge         = time.Second            // what is older is of no use to anybody
	defaultRTT     = 70 * time.Millisecond  // until one is known
	maxSpacing     = 400 * time.Millisecond // between requests for one number
)

type entry struct {
	num    uint64
	since  int64 // that it is missed, Unix nanoseconds
	asked  int64 // last
	due    int64
	tries  int
	waited bool // too long: the caller was told
}

// Tracker knows the numbers one stream misses. The zero value is ready.
type Tracker struct {
	missing []entry // by num
	out     []uint16
	next    int64 // when the first is due, Unix nanoseconds; 0: nothing is missing

	grace time.Duration // for reordering: twice what was seen. 0: not known
	rtt   time.Duration // as requests were answered. 0: not known
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
	if t.grace == 0 {
		t.grace = firstGrace
	}
	t.grace = max(t.grace-t.grace/32, minGrace)
	due := now.Add(t.grace).UnixNano()
	for n := first; n <= last; n++ {
		t.missing = append(t.missing, entry{num: n, since: now.UnixNano(), due: due})
	}
	if t.next == 0 || due < t.next {
		t.next = due
	}
	return true
}

// Arrived notes that num came after all.
func (t *Tracker) Arrived(now time.Time, num uint64) {
	for i := len(t.missing) - 1; i >= 0 && t.missing[i].num >= num; i-- {
		if t.missing[i].num == num {
			t.learn(&t.missing[i], now)
			t.missing = append(t.missing[:i], t.missing[i+1:]...)
			if len(t.missing) == 0 {
				t.next = 0
			}
			return
		}
	}
}

// learn takes from a packet that came how much the network reorders, and how long a request takes to be answered. After two
// requests it is not known which of them was.
func (t *Tracker) learn(e *entry, now time.Time) {
	switch e.tries {
	case 0:
		t.grace = min(max(t.grace, 2*time.Duration(now.UnixNano()-e.since)), maxGrace)
	case 1:
		took := time.Duration(now.UnixNano() - e.asked)
		if t.rtt == 0 {
			t.rtt = took
		}
		t.rtt = min((3*t.rtt+took)/4, maxSpacing)
	}
}

// Due returns the sequence numbers to ask for now, rising, valid until the next call. Lost means that decoders have waited too
// long for some, or that some were given up.
func (t *Tracker) Due(now time.Time, rtt time.Duration) (seqs []uint16, lost bool) {
	at := now.UnixNano()
	if t.next == 0 {
		return nil, false
	}
	if t.next-at > int64(maxAge) { // nothing waits so long: the machine's clock was set back
		t.Clear()
		return nil, true
	}
	if at < t.next {
		return nil, false
	}
	t.out, t.next = t.out[:0], 0
	kept := t.missing[:0]
	if t.rtt > 0 {
		rtt = t.rtt
	}
	patience := int64(max(tooLate, 3*rtt))
	for _, e := range t.missing {
		if at >= e.due {
			if age := at - e.since; e.tries == maxTries || age > int64(max(maxAge, 4*rtt)) {
				lost = true
				continue
			} else if age > patience && !e.waited {
				lost, e.waited = true, true
			}
			e.due, e.asked = at+int64(spacing(rtt, t.grace, e.tries)), at
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
func spacing(rtt, grace time.Duration, tries int) time.Duration {
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

// Clear forgets all that is missing.
func (t *Tracker) Clear() { t.missing, t.next = t.missing[:0], 0 }

// Outstanding returns how many numbers are missing.
func (t *Tracker) Outstanding() int { return len(t.missing) }
