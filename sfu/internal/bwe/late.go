package bwe

import "time"

// The server's own lateness is not the network's. Three things are known of it: packets that were written later than they were said to
// leave, bursts that left all at once because what they are made of was read late, and times in which nothing was done at all.

const (
	lagLeast  = 150_000    // µs between two calls: nobody was there…
	lagUsual  = 50_000     // …but for so long
	lagMost   = 10_000_000 // longer ones are a receiver that was shown nothing
	burstMost = 150_000    // µs of queue that our own bursts account for, at most
	burstGap  = 2          // slots of the window: 50 ms at least
	burstOver = 1.05       // times Target: who sends more than that is no burst
)

// Late implements Estimator. Where such packets were on the way is not known, so nothing is measured by them but whether they came.
func (e *SendSide) Late(since time.Time) {
	if e.log.ring == nil {
		return
	}
	from := since.Sub(e.epoch).Microseconds()
	for n := e.log.next - 1; n >= e.log.first; n-- {
		p := e.log.at(n)
		if int32(p.at-uint32(from)) < 0 {
			return
		}
		p.state |= vague
		if p.probe != 0 && p.probe == e.probe.id {
			e.probe.cluster.unknown++
		}
	}
}

// wake is called at the beginning of what is done now and then. After a time in which nothing was done, what waits has waited for less.
func (e *SendSide) wake(at int64) {
	lag := at - e.awake
	if e.awake == 0 || lag < lagLeast || lag > lagMost {
		e.awake = at
		return
	}
	e.awake = at
	lag -= lagUsual
	e.stats.Lags++
	for _, t := range []*int64{
		&e.fedAt, &e.starved, &e.drain.from, &e.drain.until, &e.losses.tested, &e.probe.askedAt, &e.trial.at,
		&e.contest.cutAt, &e.contest.windowAt, &e.contest.testAt,
	} {
		if *t != 0 {
			*t += lag
		}
	}
	e.fedAt = min(e.fedAt, at)
}

// ownBursts returns the µs of queue that what was sent at once after a time of nothing accounts for, at a bottleneck of Target: up to the
// packets that are measured. It goes by itself.
func (e *SendSide) ownBursts(at int64) int64 {
	if e.queue.n == 0 || e.sending.over(at, 800_000) > burstOver*e.target {
		return 0
	}
	waits := e.sending.waiting(e.queue.group(1).sent, e.target)
	return min(int64(waits*8e6/e.target), burstMost)
}

// waiting is how many bytes would wait behind a bottleneck of that rate of what was sent up to then, since nothing was for a while.
func (w *window) waiting(then int64, rate float64) (bytes float64) {
	each := rate / 8 * rateSlot / 1e6
	empty, after := 0, false
	for n := max(w.at-rateSlots+1, w.first/rateSlot); n <= min(then/rateSlot, w.at); n++ {
		sent := float64(w.slots[n%rateSlots])
		if sent > 0 {
			after = after || empty >= burstGap
			empty = 0
		} else {
			empty++
		}
		if after {
			bytes = max(bytes+sent-each, 0)
		}
	}
	return bytes
}
