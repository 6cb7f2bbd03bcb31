package bwe

import "slices"

const (
	burstSpan    = 5_000     // µs: packets sent within it are one group
	baseSlots    = 10        // of a second each: how long the fastest packet is remembered
	baseSlot     = 1_000_000 // µs
	recentGroups = 8         // at most, of which the fastest counts
	recentSpan   = 70_000    // µs
	trendSpan    = 150_000   // µs: rising or falling compared with then
	never        = int64(1) << 62
)

// queueing measures the delay in queues on the way. Clocks are not in step: only differences of one-way delay count.
type queueing struct {
	// The group being filled.
	open    bool
	began   int64 // send time of its first packet
	fastest int64 // least one-way delay in it

	groups [32]groupDelay // a ring of those done
	n      int

	base    [baseSlots]int64 // least delay in each of the last seconds
	baseAt  int64            // the slot in use, in seconds
	floor   int64            // the least of base: the path without a queue
	started bool
	jitter  float64 // µs, mean change between groups
	now     int64   // µs of queue, from the fastest of the recent groups
	frozen  bool    // the base is not forgotten: there is always a queue
}

// groupDelay is the one-way delay that a group met.
type groupDelay struct{ sent, delay int64 }

// packet takes one that arrived, in the order of the numbers. Service is the time that the bottleneck needs for the packet itself.
// It reports whether a group was finished.
func (q *queueing) packet(sentAt, arrivedAt, service int64) bool {
	d := arrivedAt - sentAt - service
	switch {
	case !q.started:
		q.start(sentAt, d)
	case sentAt < q.began: // overtaken: its group is done
		return false
	case sentAt-q.began <= burstSpan && q.open:
		q.fastest = min(q.fastest, d)
		return false
	case sentAt-q.began <= burstSpan:
		return false // the rest of a group that was judged already
	default:
		done := q.finish()
		q.open, q.began, q.fastest = true, sentAt, d
		return done
	}
	q.open, q.began, q.fastest = true, sentAt, d
	return false
}

func (q *queueing) start(at, d int64) {
	q.started, q.n, q.now, q.frozen = true, 0, 0, false
	for i := range q.base {
		q.base[i] = never
	}
	q.baseAt = at / baseSlot
	q.base[q.baseAt%baseSlots] = d
	q.floor = d
}

// restart forgets all: the path or a clock has changed.
func (q *queueing) restart() { *q = queueing{jitter: q.jitter} }

// finish ends the group that is open, because feedback ended, too.
func (q *queueing) finish() bool {
	if !q.open {
		return false
	}
	q.open = false
	g := groupDelay{q.began, q.fastest}
	q.shake(g.delay)
	q.groups[q.n%len(q.groups)] = g
	q.n++
	for slot := g.sent / baseSlot; q.baseAt < slot; {
		q.baseAt++
		if !q.frozen {
			q.base[q.baseAt%baseSlots] = never
		}
		if slot-q.baseAt > baseSlots {
			q.baseAt = slot - baseSlots
		}
	}
	b := &q.base[q.baseAt%baseSlots]
	*b = min(*b, g.delay)
	q.floor = slices.Min(q.base[:])
	q.now = max(q.recent(g.sent)-q.floor, 0)
	return true
}

// shake takes a group's delay for the jitter: changes that the next one takes back. Those that go on are a queue.
func (q *queueing) shake(delay int64) {
	if q.n < 2 {
		return
	}
	last, before := delay-q.group(1).delay, q.group(1).delay-q.group(2).delay
	back := 0.0
	if (last < 0) != (before < 0) {
		back = 1.6 * float64(min(max(last, -last), max(before, -before), 40_000))
	}
	q.jitter += (back - q.jitter) / float64(min(q.n+2, 16))
}

// group returns the i-th last group, from 1 on.
func (q *queueing) group(i int) groupDelay { return q.groups[(q.n-i)%len(q.groups)] }

func (q *queueing) kept() int { return min(q.n, len(q.groups)) }

// recent is the least delay of the groups up to then.
func (q *queueing) recent(then int64) int64 {
	least, used := never, 0
	span := min(int64(4*q.jitter), recentSpan)
	for i := 1; i <= q.kept() && used < recentGroups; i++ {
		g := q.group(i)
		if g.sent > then {
			continue
		}
		if used > 1 && g.sent < then-span {
			break
		}
		least = min(least, g.delay)
		used++
	}
	return least
}

// falling reports whether the queue is getting shorter.
func (q *queueing) falling() bool {
	if q.n < 3 {
		return false
	}
	before := q.recent(q.group(1).sent-trendSpan) - q.floor
	return before < never/2 && q.now < before-before/10-3_000
}

// threshold is the queue that is answered, in µs.
func (q *queueing) threshold() int64 {
	return 13_000 + q.calm() + int64(min(q.jitter, 20_000)/2)
}

// calm is the queue up to which the rate may grow, in µs.
func (q *queueing) calm() int64 { return 12_000 + int64(min(q.jitter, 20_000)) }
