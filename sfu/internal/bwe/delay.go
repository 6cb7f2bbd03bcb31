package bwe

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
	fastest groupDelay

	groups [32]groupDelay // a ring of those done
	n      int

	base    [baseSlots]groupDelay // the fastest of each of the last seconds
	perByte float64               // µs that the bottleneck needs, as far as its rate is known
	baseAt  int64                 // the slot in use, in seconds
	floor   int64                 // the least of base: the path without a queue
	started bool
	jitter  float64 // µs, mean change between groups
	now     int64   // µs of queue, from the fastest of the recent groups
	leap    leap
	spare   bool // bursts come through much faster than what is sent: a leap may be no queue
	frozen  bool // the base is not forgotten: there is always a queue
}

// groupDelay is the one-way delay that the fastest packet of a group met, and its size: a slow bottleneck delays large packets
// more, queue or not, and what it needs for them is taken off only when delays are compared, since its rate changes.
type groupDelay struct {
	sent, delay int64 // µs
	size        int64 // bytes
}

// net is the delay without the time that the bottleneck needs for the packet itself.
func (q *queueing) net(g groupDelay) int64 { return g.delay - int64(float64(g.size)*q.perByte) }

// packet takes one that arrived, in the order of the numbers.
func (q *queueing) packet(sentAt, arrivedAt int64, size int) {
	g := groupDelay{sentAt, arrivedAt - sentAt, int64(size)}
	if net := q.net(g); q.leap.on && (net > q.leap.level+leapQueue || net-q.floor > leapFar) {
		q.leap.grown = true
	}
	switch {
	case !q.started:
		q.start(g)
	case sentAt < q.began: // overtaken: its group is done
		return
	case sentAt-q.began <= burstSpan:
		if q.open && q.net(g) < q.net(q.fastest) { // else it is the rest of a group that was judged already
			g.sent, q.fastest = q.began, g
		}
		return
	default:
		q.finish()
	}
	q.open, q.began, q.fastest = true, sentAt, g
}

func (q *queueing) start(g groupDelay) {
	q.started, q.n, q.now, q.frozen, q.leap.on = true, 0, 0, false, false
	for i := range q.base {
		q.base[i] = groupDelay{delay: never}
	}
	q.baseAt = g.sent / baseSlot
	q.base[q.baseAt%baseSlots] = g
	q.floor = q.net(g)
}

// restart forgets all: the path or a clock has changed.
func (q *queueing) restart() { *q = queueing{jitter: q.jitter} }

// finish ends the group that is open, because feedback ended, too.
func (q *queueing) finish() bool {
	if !q.open {
		return false
	}
	q.open = false
	g := q.fastest
	q.leaps(g)
	q.shake(q.net(g))
	q.groups[q.n%len(q.groups)] = g
	q.n++
	for slot := g.sent / baseSlot; q.baseAt < slot; {
		q.baseAt++
		if !q.frozen {
			q.base[q.baseAt%baseSlots] = groupDelay{delay: never}
		}
		if slot-q.baseAt > baseSlots {
			q.baseAt = slot - baseSlots
		}
	}
	if b := &q.base[q.baseAt%baseSlots]; q.net(g) < q.net(*b) {
		*b = g
	}
	q.floor = never
	for _, b := range q.base {
		q.floor = min(q.floor, q.net(b))
	}
	q.now = max(q.recent(g.sent)-q.floor, 0)
	return true
}

// shake takes a group's delay for the jitter: changes that the next one takes back. Those that go on are a queue.
func (q *queueing) shake(delay int64) {
	if q.n < 2 {
		return
	}
	one := q.net(q.group(1))
	last, before := delay-one, one-q.net(q.group(2))
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
		least = min(least, q.net(g))
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
