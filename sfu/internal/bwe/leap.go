package bwe

const (
	leapLeast = 15_000  // µs, besides the jitter, between two groups
	leapQueue = 85_000  // µs more than that, of any packet: a queue that grows
	leapFar   = 170_000 // µs of any packet, that are taken for a queue at once
	leapSpan  = 400_000 // µs that are watched
	leapEdge  = 120_000 // µs at the start and at the end of them, that are compared
	leapGrown = 25_000  // µs, besides half the jitter, from the one to the other
	leapLoss  = 0.3     // share of the packets since then: a queue that is full at once
	leapFast  = 60_000  // µs: the same where bursts come through as fast as before
	leapCount = 30      // of which many are needed
	leapSpare = 1.8     // times what is sent, at which bursts came through before
)

// leap is a delay that has become longer from one group to the next. A queue that does so is one that grows fast, and goes on growing;
// another way, or a radio that has begun to schedule otherwise, is longer and stays so.
type leap struct {
	on          bool
	at          int64      // send time of the first group
	level       int64      // its delay, µs
	first, last groupDelay // the fastest packets of the two edges
	grown       bool
	packets     int // since then, as far as reported
	lost        int
}

// leaps looks at a group that is done, before it is kept.
func (q *queueing) leaps(g groupDelay) {
	l, delay := &q.leap, q.net(g)
	switch {
	case l.on:
		switch since := g.sent - l.at; {
		case since <= leapEdge && delay < q.net(l.first):
			l.first = g
		case since > leapSpan-leapEdge && (l.last.size == 0 || delay < q.net(l.last)):
			l.last = g
		}
	case q.spare && q.n >= 2 && delay-q.net(q.group(1)) > leapLeast+int64(q.jitter) && delay-q.floor > q.threshold():
		q.leap = leap{on: true, at: g.sent, level: delay, first: g}
	}
}

// judgeLeap decides on a leap: a queue is answered, another way is taken for what it is.
func (e *SendSide) judgeLeap(at int64) {
	q := &e.queue
	l := &q.leap
	used := e.sending.over(at, 500_000)
	fastest, bursts := e.arrivals.fastest(l.at - burstSpan)
	most := leapGrown + int64(q.jitter/2)
	if bursts > 1 && fastest > leapSpare*used {
		most = leapFast
	}
	switch done := q.n > 0 && q.group(1).sent-l.at > leapSpan; {
	case q.now <= q.threshold():
		l.on = !done // so far, or it was a moment's
	case l.grown, l.packets >= leapCount && float64(l.lost) > leapLoss*float64(l.packets),
		done && l.last.size > 0 && q.net(l.last)-q.net(l.first) > most:
		l.on = false
		if !q.falling() {
			e.congested(at)
		}
	case done:
		l.on = false
		q.rebase(l.at)
		e.stats.Leaps++
	case at-l.at > 4*leapSpan+e.rtt: // next to nothing was sent
		l.on = false
	}
}

// rebase takes the groups sent since then for the path without a queue.
func (q *queueing) rebase(since int64) {
	for i := range q.base {
		q.base[i] = groupDelay{delay: never}
	}
	b := &q.base[q.baseAt%baseSlots]
	for i := 1; i <= q.kept(); i++ {
		if g := q.group(i); g.sent >= since && q.net(g) < q.net(*b) {
			*b = g
		}
	}
	q.floor = q.net(*b)
	q.now = max(q.recent(q.group(1).sent)-q.floor, 0)
}
