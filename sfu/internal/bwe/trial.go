package bwe

const (
	trialFirst   = 2_000_000  // µs from the last congestion, or the trial before, to the first…
	trialProbed  = 5_000_000  // …where probes may show as much…
	trialLongest = 30_000_000 // …and twice as long after each that failed, up to this
	trialPasses  = 4_000_000  // µs after which it has shown that it fits
)

// trial is a rate that is tried because nothing else may ever show that it fits: of what is not sent nothing is reported.
type trial struct {
	on     bool
	at     int64 // it began, or the last ended
	wait   int64 // until the next
	before float64
}

// due reports whether the next may begin: first is the wait where none has failed.
func (t *trial) due(at, calm, first int64) bool {
	return !t.on && at-max(calm, t.at) >= max(t.wait, first)
}

func (t *trial) begin(at int64, target float64) { t.on, t.at, t.before = true, at, target }

func (t *trial) fail(at, first int64) {
	t.on, t.at, t.wait = false, at, min(max(2*t.wait, 2*first), trialLongest)
}

func (t *trial) pass(at int64) { t.on, t.at, t.wait = false, at, 0 }

// try raises the target to what the next upgrade takes where a video is paused or no probe can be sent, nothing queues and nothing is
// lost. It is congestion that ends it.
func (e *SendSide) try(at int64) {
	t, next := &e.trial, float64(e.demand.Next)
	first := int64(trialProbed)
	if e.demand.Blind {
		first = trialFirst
	}
	switch {
	case t.on:
		if at-t.at > trialPasses+2*e.rtt {
			t.pass(at)
		}
	case !e.known || next <= e.target || !e.demand.Paused && !e.demand.Blind:
	case e.drain.on || e.contest.on || e.losses.testing || e.probe.active || e.queue.now > e.quiet(at):
	case !e.resting(at) && at-e.fedAt > silence+3*e.rtt:
	case t.due(at, e.downAt, first):
		t.begin(at, e.target)
		e.bound = bound{}
		e.setTarget(next)
		e.grownAt = at
	}
}
