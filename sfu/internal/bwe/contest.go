package bwe

const (
	contestAfter = 3         // drains in a row that did not help
	contestCut   = 0.8       // times the rate, where TCP would take 0.5 to 0.7
	contestSame  = 5_000_000 // µs after which a queue that has not changed is taken for the path itself
	contestRange = 25_000    // µs by which it must have changed
	contestOver  = 18_000    // µs: a queue shorter than that is gone
	contestTest  = 6_000_000 // µs after which it is tried whether the queue goes when we do
	contestTrip  = 150_000   // µs: a shorter round trip makes nobody faster
	contestNext  = 1.05      // times what the next upgrade takes: up to there without probes…
	contestMore  = 200_000   // …bit/s beyond what arrives
	contestStep  = 16_000    // bits a second more for each round trip, in round trips a second
)

// contest is the time in which somebody else keeps the queue full. Yielding to delay would mean to yield all, so the rate goes up a
// packet a round trip and down at loss, as the other's does. It is over when the queue has been empty.
type contest struct {
	on       bool
	cutAt    int64
	windowAt int64 // start of the time in which the queue's range is watched
	low      int64
	high     int64
	testAt   int64 // the next trial; when it is on, its end
	restore  float64
}

func (e *SendSide) contestFrom(at int64, target float64) {
	e.drain.on, e.drain.again = false, 0
	e.contest = contest{on: true, cutAt: at, windowAt: at, low: e.queue.now, high: e.queue.now, testAt: at + contestTest}
	e.queue.frozen = true
	e.losses.forget()
	e.setTarget(target)
	e.state, e.grownAt = Hold, at
}

// contestTrial sends half as much for as long as a queue of our own would need to go. Contend notices when it does.
func (e *SendSide) contestTrial(at int64) {
	c := &e.contest
	switch {
	case c.restore == 0:
		c.restore = e.target
		c.testAt = at + 2*e.queue.now + e.rtt + 200_000
		e.setTarget(e.target / 2)
		e.state = Hold
	case at >= c.testAt:
		e.setTarget(max(e.target, c.restore))
		c.restore, c.testAt, e.grownAt = 0, at+contestTest, at
	}
}

func (e *SendSide) contestEnd(at int64) {
	e.setTarget(max(e.target, e.contest.restore*belowCapacity))
	e.contest.on, e.queue.frozen = false, false
	e.losses.forget()
	e.state, e.grownAt = Hold, at
}

// contend takes the place of decide's other rules.
func (e *SendSide) contend(at int64, sampled bool) {
	c := &e.contest
	c.low, c.high = min(c.low, e.queue.now), max(c.high, e.queue.now)
	switch {
	case e.queue.now < contestOver+int64(e.queue.jitter/2):
		e.contestEnd(at)
		return
	case at-c.windowAt > contestSame && c.high-c.low < contestRange:
		e.queue.restart() // another way, and a longer one
		e.contestEnd(at)
		return
	case at-c.windowAt > contestSame:
		c.windowAt, c.low, c.high = at, e.queue.now, e.queue.now
	}
	if at >= c.testAt || c.restore > 0 {
		e.contestTrial(at)
		return
	}
	if !sampled || e.losses.latest() < e.losses.own+lossAnswer || at-c.cutAt < e.rtt+e.queue.now+lossSpan {
		return
	}
	c.cutAt = at
	e.setTarget(e.target * contestCut)
	e.state, e.downAt, e.grownAt = Decrease, at, at
	e.stats.Decreases++
}

func (e *SendSide) contestGrow(dt float64) {
	trip := float64(max(e.rtt+e.queue.now, contestTrip)) / 1e6
	acked, _ := e.arrivals.over(800_000)
	// Who is paused sends little, and must come to what the lowest video takes, or would be paused for as long as the other is there.
	next := min(contestNext*float64(e.demand.Next), acked+contestMore)
	if limit := max(unprobed*acked+20_000, next); e.target < limit {
		e.setTarget(min(e.target+contestStep/(trip*trip)*min(dt, 0.2), limit))
		e.state = Increase
	}
}
