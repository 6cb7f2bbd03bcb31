package bwe

import "math"

const (
	headers   = 40.0  // bytes of a packet that are not counted, UDP and below
	mediaSize = 700.0 // bytes of a packet of video on a slow link

	drainWithin   = 500_000 // µs: a queue is to be gone in
	leastStep     = 0.06    // below capacity while a queue drains
	mostStep      = 0.5
	belowCapacity = 0.96 // of the measured rate, afterwards
	growFar       = 0.10 // a second
	growNear      = 0.015
	boundFor      = 13_000_000 // µs that a failed probe bounds Target where less is sent: until the next
	unprobed      = 1.5        // times what arrives: as far as Target goes without a probe
	arrivesMore   = 1.2        // times Target: so much that arrives without a queue fits
	remembered    = 30_000_000
	calmAfter     = 1_000_000 // µs from a decrease
	silence       = 500_000   // µs without feedback, besides three round trips, until less is sent
)

// decide looks at what feedback has changed.
func (e *SendSide) decide(at int64, sampled bool) {
	if e.probe.active {
		e.judgeProbe(at)
	}
	if e.contest.on || e.drain.on {
		e.queue.leap.on = false
	}
	switch {
	case e.contest.on:
		e.contend(at, sampled)
	case e.drain.on:
		e.draining(at)
	case e.queue.leap.on:
		e.judgeLeap(at)
	case e.queue.now > e.queue.threshold()+max(e.probed(at), e.ownBursts(at)) && !e.queue.falling():
		e.congested(at)
	case sampled:
		e.lossy(at)
	}
	e.hint(at)
}

// throughput is what the bottleneck lets through now, in what is to be sent for it.
func (e *SendSide) throughput() float64 {
	rate, busy := e.arrivals.over(150_000)
	if busy == 0 || e.queue.jitter > 4_000 {
		rate, busy = e.arrivals.over(300_000)
	}
	switch {
	case e.queue.jitter > 4_000: // makes gaps where the link was busy, and the other way round
		rate = max(rate, busy)
	case busy > 0:
		rate = busy
	}
	return rate * e.spare(300_000)
}

// spare is how many times what arrived must be sent for it: what the path loses anyhow comes on top. Losses in bursts are not even
// over time, so those of the span itself count, as far as they are the path's.
func (e *SendSide) spare(span int64) float64 {
	share, _ := e.losses.recent()
	if e.losses.own == 0 || share == 0 {
		return 1
	}
	return 1 + min(e.arrivals.gone(span), 0.3)*min(e.losses.own/share, 1)
}

// backlog is the queue of this moment in µs: what was measured is one way old, but what is under way beyond what the path
// holds at the bottleneck's rate must wait in the queue.
func (e *SendSide) backlog() int64 {
	ahead := int64(0)
	if e.capacity.rate > 0 {
		ahead = int64(float64(e.log.flight)*8e6/e.capacity.rate) - e.rtt
	}
	return max(ahead, 0)
}

// congested goes below what comes through, until the queue is gone.
func (e *SendSide) congested(at int64) {
	rate := e.throughput()
	if rate == 0 {
		return
	}
	e.capacity = capacity{rate, at}
	queue := max(e.queue.now, e.backlog())
	step := min(max(float64(queue)/drainWithin, leastStep), mostStep)
	if at-e.drain.until > 1_000_000 {
		e.drain.again, e.drain.first = 0, 0
	}
	restore := min(rate*belowCapacity, max(e.target, e.drain.first)) // what was taken off to drain is given back
	if e.drain.again++; e.drain.again == 1 {
		e.drain.first = restore
	}
	if e.drain.again > contestAfter {
		e.contestFrom(at, e.drain.first*contestCut)
		return
	}
	again, first := e.drain.again, e.drain.first
	e.drain = drain{on: true, from: at, queue: queue, restore: restore, again: again, first: first}
	e.drain.until = at + int64(float64(queue)/step) + e.rtt + 250_000
	e.lower(at, min(rate*(1-step), e.target))
}

// measure follows the bottleneck's rate while the queue drains: the first measurement was short. Where it is much slower than
// thought, still less is sent.
func (e *SendSide) measure(at int64) {
	_, busy := e.arrivals.over(150_000)
	d := &e.drain
	if busy == 0 || e.queue.jitter > 4_000 || at-d.from > e.rtt+drainWithin {
		return
	}
	rate := busy * e.spare(150_000)
	d.restore = min(d.restore, rate*belowCapacity)
	e.capacity = capacity{rate, at}
	queue := e.backlog()
	step := min(max(float64(queue)/drainWithin, leastStep), mostStep)
	if want := max(rate*(1-step), 0.3*d.first); want < 0.9*e.target {
		d.until = at + int64(float64(queue)/step) + e.rtt + 250_000
		d.queue = max(d.queue, queue)
		e.setTarget(want)
	}
}

func (e *SendSide) lower(at int64, target float64) {
	e.probe.due = max(e.probe.due, at+probeFirst)
	if target < 0.7*e.target {
		e.probe.interval, e.probe.dropAt, e.probe.due = 0, at, at+probeFirst
	}
	e.setTarget(target)
	e.state, e.downAt, e.grownAt = Decrease, at, at
	e.stats.Decreases++
	e.probe.active = false
	if e.trial.on {
		e.trial.fail(at, trialProbed)
	}
}

// draining waits for the queue to go.
func (e *SendSide) draining(at int64) {
	d := &e.drain
	if e.queue.now > e.queue.threshold() {
		e.measure(at)
	}
	switch {
	case e.queue.now < 12_000+int64(e.queue.jitter/2) || e.backlog() < 8_000 && e.queue.falling():
		if d.on = false; e.queue.now < e.queue.threshold() {
			d.again = 0 // ours is gone; what is left may be somebody else's
		}
		e.losses.forget()
		e.setTarget(max(e.target, d.restore))
		e.state, e.grownAt = Hold, at
		e.probe.drained(at)
	case at-d.from > e.rtt+200_000 && !e.queue.falling() && e.queue.now > d.queue:
		// It grows still: the bottleneck has become slower than it was measured.
		d.on = false
		e.congested(at)
	case at > d.until && !e.queue.falling():
		// Less was sent, and it did not help: this queue is not ours.
		e.contestFrom(at, d.first*contestCut)
	case at > d.until:
		d.until = at + 100_000
	default:
		e.state = Hold
	}
}

// lossy answers loss beyond the path's own.
func (e *SendSide) lossy(at int64) {
	l := &e.losses
	if l.testing {
		done, own := l.verdict(at, e.rtt)
		switch {
		case done && own:
			e.setTarget(max(e.target, l.restore))
		case done:
			e.capacity = capacity{e.target / 0.95, at}
		}
		return
	}
	if l.n < 3 || l.excess() < lossAnswer || at-e.downAt < e.rtt+2*lossSpan {
		return
	}
	arrive, _ := e.arrivals.over(800_000)
	if arrive == 0 || arrive > e.target {
		return
	}
	if e.limited(at) && l.excess() < lossBorne {
		// More went through before, and nothing queues: to send less to find out would cost a picture that fits.
		l.own, _ = l.recent()
		return
	}
	l.test(at, e.target)
	e.lower(at, arrive*0.95)
}

// grow raises the target with time, while nothing speaks against it.
func (e *SendSide) grow(at int64) {
	dt := float64(at-e.grownAt) / 1e6
	e.grownAt = at
	if !e.known || e.drain.on || e.losses.testing || dt <= 0 || at-e.fedAt > silence+3*e.rtt {
		return
	}
	if e.queue.now > e.queue.calm() && !e.contest.on {
		e.state = Hold
		return
	}
	if e.contest.on {
		if e.contest.restore == 0 {
			e.contestGrow(dt)
		}
		return
	}
	pace := growFar
	if at-e.capacity.at < remembered && e.target > 0.85*e.capacity.rate && e.target < 1.1*e.capacity.rate {
		pace = growNear
	}
	acked, _ := e.arrivals.over(800_000)
	if e.demand.Blind && acked > arrivesMore*e.target && e.losses.excess() == 0 { // whoever sends does not obey yet
		e.setTarget(acked)
	}
	limit := unprobed*acked + 20_000
	if e.bound.at > 0 && at-e.bound.at < boundFor && (at-e.bound.at < probeOften || e.spareSent(at)) {
		limit = min(limit, e.bound.rate)
	}
	if e.target >= limit {
		e.state = Hold
		return
	}
	e.state = Increase
	e.setTarget(min(e.target*(1+pace*min(dt, 0.2)), limit))
}

// starve sends less and less while feedback stays away: the link may be down.
func (e *SendSide) starve(at int64) {
	if !e.known || e.log.next == e.log.report || e.log.ring == nil {
		return
	}
	oldest := at - int64(uint32(at)-e.log.at(e.log.report).at)
	since := max(e.fedAt, oldest)
	wait := silence + 3*e.rtt
	if at-since < wait || at-e.starved < wait || at-e.sending.last > wait { // who sends nothing has nothing to hear
		return
	}
	e.starved = at
	e.lower(at, e.target/2)
	e.state = Hold
	e.drain.on = false
}

// resting reports whether nothing was sent for so long that no feedback is due: all videos are paused. What was queued has left by
// then, so what was measured of it must not hold back the probes that bring the videos back.
func (e *SendSide) resting(at int64) bool {
	if !e.known || at-e.sending.last <= silence+3*e.rtt {
		return false
	}
	if e.queue.now > 0 || e.drain.on || e.contest.on || e.losses.testing {
		e.queue.restart()
		e.drain.on, e.contest.on, e.losses.testing = false, false, false
	}
	return true
}

// fed is told of feedback after a silence: what was lost in it says nothing of the link that is back.
func (e *SendSide) fed(at int64) {
	e.losses.forget()
	e.losses.testing = false
	e.probe.soon(at + e.rtt)
}

// judgeProbe raises the target to what a probe has shown to fit.
func (e *SendSide) judgeProbe(at int64) {
	v, done := e.probe.judge(at, e.log.report, e.rtt, e.losses.own)
	if !done {
		return
	}
	unclear := v.void || v.limited && e.probe.unclear(e.queue.jitter)
	if unclear && e.probe.repeat(at) {
		return
	}
	rate := v.rate
	if v.limited {
		if !unclear && rate > 0 {
			e.capacity = capacity{rate, at}
			e.bounded(at, rate)
		}
		rate *= 0.92
	}
	if up := rate > 1.02*e.target && !e.drain.on; up {
		e.setTarget(rate)
		e.stats.ProbesUp++
		e.grownAt = at
		e.probe.settle(at, true, !v.limited)
		return
	}
	e.probe.settle(at, false, false)
}

// bounded is told what a probe came through at, at most. While less than Target is sent nothing else shows that Target is too high;
// three in a row do. A probe's packets are small, so more of them is headers that are not counted.
func (e *SendSide) bounded(at int64, rate float64) {
	c, b := &e.probe.cluster, &e.bound
	rate *= (1 + headers*float64(c.packets)/float64(max(c.bytes, 1))) / (1 + headers/mediaSize)
	if b.at == 0 || at-b.at > boundFor {
		b.before = [2]float64{math.Inf(1), math.Inf(1)}
	}
	most := max(rate, b.before[0], b.before[1])
	b.before[0], b.before[1] = b.before[1], rate
	b.rate, b.at = min(most, 2*rate), at
	if most *= belowCapacity; most < e.target && !e.drain.on && !e.trial.on && e.spareSent(at) {
		e.setTarget(most)
	}
}

// hint brings the next probe forward when bursts come through clearly faster than the bottleneck let them when it was measured.
func (e *SendSide) hint(at int64) {
	if e.capacity.rate == 0 || e.arrivals.burst < 1.5*e.capacity.rate || at-e.downAt < probeFirst/3 {
		return
	}
	if e.probe.interval > probeFirst {
		e.probe.soon(at)
		e.capacity.rate = 0
	}
}

// nextProbe asks for a probe when more is wanted than is allowed and the network is quiet.
func (e *SendSide) nextProbe(at int64) Probe {
	p := &e.probe
	if p.active {
		e.judgeProbe(at)
	}
	wanted := min(float64(max(e.demand.Wanted, e.demand.Next)), float64(e.cfg.Max))
	resting := e.resting(at)
	switch {
	case e.demand.Blind || p.active || e.drain.on || e.contest.on || e.losses.testing || wanted <= e.target || at < p.due:
		return Probe{}
	case e.queue.now > e.quiet(at):
		return Probe{}
	case e.known && !resting && at-e.fedAt > silence+3*e.rtt:
		return Probe{}
	}
	if e.stats.Probes++; e.stats.Probes == 1 {
		p.settledBy = at + probeStart
	}
	return p.ask(at, min(e.probeRate(), 1.2*wanted), e.queue.jitter, e.demand.Paused)
}

// probeRate is for what is wanted next.
func (e *SendSide) probeRate() float64 {
	next, far := 1.1*float64(e.demand.Next), 2.5
	if e.demand.Paused {
		next, far = 1.03*float64(e.demand.Next), 4
	}
	if next > e.target && next < far*e.target {
		return next
	}
	return 2 * e.target
}

// quiet is the queue in µs up to which a probe can be judged. A standing one, while less is sent than may be, is not ours.
func (e *SendSide) quiet(at int64) int64 {
	if e.limited(at) {
		return e.queue.threshold()
	}
	return e.queue.calm() + int64(e.queue.jitter)
}
