package bwe

import "time"

// SendSide is the Estimator for receivers that send transport-wide feedback.
type SendSide struct {
	clock
	cfg Config

	log      sentLog
	sending  window
	queue    queueing
	arrivals arrivals
	losses   losses
	probe    prober
	stats    Stats

	known         bool
	fedAt         int64 // the last feedback
	reference     int64 // µs, unwrapped reference time of the last feedback
	wrapped       bool  // reference is set
	previous      int64 // arrival of the packet before, in the order of the numbers
	rtt, rttFresh int64 // µs, smoothed least and the newest

	target   float64
	state    State
	capacity capacity
	bound    bound
	drain    drain
	contest  contest
	trial    trial
	grownAt  int64 // when target was last raised
	downAt   int64 // when it was last lowered
	starved  int64 // when it was last lowered for want of feedback
	awake    int64 // when something was last done
	demand   Demand
}

// capacity is what the bottleneck was measured to let through.
type capacity struct {
	rate float64
	at   int64
}

// bound is what the last probes that did not come through whole came through at.
type bound struct {
	rate   float64
	at     int64
	before [2]float64
}

// drain is the time below capacity in which a queue goes away.
type drain struct {
	on          bool
	from, until int64
	queue       int64 // µs at its start
	restore     float64

	again int     // drains in a row
	first float64 // what the first of them was to go back to
}

var _ Estimator = (*SendSide)(nil)

// New returns an estimator for a receiver that sends transport-wide feedback. Of a wrong Config the defaults are used: check
// it with Validate before.
func New(cfg Config) *SendSide {
	if cfg.Validate() != nil {
		cfg = Config{}
	}
	cfg = cfg.withDefaults()
	return &SendSide{cfg: cfg, target: float64(cfg.Start)}
}

// Sent implements Estimator.
func (e *SendSide) Sent(now time.Time, p Packet) {
	at := e.at(now)
	if p.Size <= 0 {
		return
	}
	e.log.add(at, p.Seq, p.Size, p.Probe)
	e.sending.add(at, p.Size)
	if p.Probe != 0 && e.probe.active && p.Probe == e.probe.id {
		e.probe.sent(at, e.log.next-1, p.Size)
	}
}

// ReceiverReport implements Estimator. Feedback says more about loss; of the report the round trip is used.
func (e *SendSide) ReceiverReport(now time.Time, r Report) {
	e.at(now)
	if us := r.RTT.Microseconds(); us > 0 && us < 10e6 {
		e.newRTT(us)
	}
}

func (e *SendSide) newRTT(us int64) {
	e.rttFresh = us
	if e.rtt == 0 || us < e.rtt {
		e.rtt = us
		return
	}
	e.rtt += (us - e.rtt) / 64
}

// REMB implements Estimator: it does nothing, since feedback says more.
func (e *SendSide) REMB(time.Time, int64) {}

// Stats implements Estimator.
func (e *SendSide) Stats() Stats { return e.stats }

// Update implements Estimator.
func (e *SendSide) Update(now time.Time, d Demand) Estimate {
	at := e.at(now)
	e.demand = d
	e.wake(at)
	e.starve(at)
	e.grow(at)
	e.try(at)
	out := Estimate{
		Known: e.known, Calm: e.calm(at), Limited: e.limited(at), Loss: e.losses.smoothed,
		RTT: time.Duration(e.rtt) * time.Microsecond, Queue: time.Duration(e.queue.now) * time.Microsecond,
	}
	acked, _ := e.arrivals.over(500_000)
	out.Acked = int64(acked)
	out.Probe = e.nextProbe(at)
	out.Target = int64(e.target)
	if out.Base = out.Target; e.drain.on {
		out.Base = max(out.Base, int64(e.drain.restore))
	}
	out.State = e.state
	if e.probe.active && e.state != Decrease {
		out.State = Probing
	}
	return out
}

// calm reports whether nothing speaks against what is sent.
func (e *SendSide) calm(at int64) bool {
	return e.known && !e.drain.on && !e.contest.on && !e.losses.testing && e.queue.now <= e.queue.calm()+int64(e.queue.jitter) &&
		e.losses.excess() == 0 && at-e.downAt > calmAfter+e.rtt && at-e.fedAt <= silence+3*e.rtt
}

// limited reports whether clearly less is sent than may be.
func (e *SendSide) limited(at int64) bool { return e.sending.over(at, 500_000) < 0.8*e.target }

func (e *SendSide) setTarget(v float64) {
	e.target = min(max(v, float64(e.cfg.Min)), float64(e.cfg.Max))
}
