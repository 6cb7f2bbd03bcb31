package bwe

import (
	"math"
	"time"
)

const (
	lossSpared    = 0.02 // receiver reports: below it the rate goes up
	lossPunished  = 0.10 // above it, down
	remotePackets = 20   // the least that a share of loss is made of…
	remoteSpan    = 400_000
	remoteGrow    = 1.08       // a second
	ownHalved     = 0.6        // times the rate: if the loss is still there…
	ownStays      = 0.7        // …to so much, it is the path's own
	rembFor       = 10_000_000 // µs that a REMB is believed
	rembRises     = 1.02
	rembLeaps     = 1.3 // estimates that are not measured grow slower
	rembFalls     = 0.85
	slowAfter     = 3 // samples in a row
	slowCut       = 0.85
	leastFor      = 20_000_000 // µs: the least round trip is that of this time and of the one before
)

// Remote is the Estimator for receivers without transport-wide feedback. It believes their REMB
// (draft-alvestrand-rmcat-remb-03) and answers the loss and the round trips in their receiver reports. It asks for no probes; what may
// fit is tried.
type Remote struct {
	clock
	cfg    Config
	target float64
	known  bool
	remb   float64 // 0: none
	heard  int64   // it was
	told   int64   // the last report of any kind
	downAt int64
	state  State

	packets, lost int // of the sample that is being collected
	sampled       int64
	loss          float64
	own           float64 // the path's, whatever is sent
	punished      struct{ target, loss float64 }

	rtt   int64    // µs, 0: unknown
	least [2]int64 // the least of two spans
	turn  int64
	slow  int // samples in a row with a round trip that is much longer than the least

	trial   trial
	tried   float64 // REMB at its start
	sending window
	stats   Stats
}

var _ Estimator = (*Remote)(nil)

// NewRemote returns an estimator for a receiver that sends REMB or only receiver reports. Of a wrong Config the defaults are
// used: check it with Validate before.
func NewRemote(cfg Config) *Remote {
	if cfg.Validate() != nil {
		cfg = Config{}
	}
	cfg = cfg.withDefaults()
	return &Remote{cfg: cfg, target: float64(cfg.Start)}
}

// Sent implements Estimator.
func (r *Remote) Sent(now time.Time, p Packet) {
	if p.Size > 0 {
		r.sending.add(r.at(now), p.Size)
	}
}

// Late implements Estimator: reports once a second do not show it.
func (r *Remote) Late(time.Time) {}

// TransportFeedback implements Estimator: there is nothing sent that it could be about.
func (r *Remote) TransportFeedback(_ time.Time, b []byte) error {
	f, err := parseFeedback(b)
	if err != nil {
		r.stats.Malformed++
		return err
	}
	r.stats.Unknown += uint64(f.count)
	return nil
}

// ReceiverReport implements Estimator. Some receivers send many small ones: they are judged together.
func (r *Remote) ReceiverReport(now time.Time, p Report) {
	at := r.at(now)
	r.known, r.told = true, at
	if us := p.RTT.Microseconds(); us > 0 && us < 10e6 {
		r.newRTT(at, us)
	}
	r.packets += max(p.Packets, 0)
	r.lost += p.Lost
	if r.packets < remotePackets || at-r.sampled < remoteSpan {
		return
	}
	lost := min(max(float64(r.lost)/float64(r.packets), 0), 1)
	since := min(at-r.sampled, 1_000_000)
	r.packets, r.lost, r.sampled = 0, 0, at
	r.loss += (lost - r.loss) / 2
	r.judge(at, lost, since)
}

func (r *Remote) newRTT(at, us int64) {
	if r.rtt == 0 || at-r.turn > leastFor {
		r.least[1], r.least[0], r.turn = r.least[0], us, at
		if r.rtt == 0 {
			r.least[1] = us
		}
	}
	r.rtt = us
	r.least[0] = min(r.least[0], us)
}

// judge takes what was lost of the packets of a sample.
func (r *Remote) judge(at int64, lost float64, since int64) {
	r.whose(lost)
	least := min(r.least[0], r.least[1])
	if r.slow++; r.rtt <= least+least/2+100_000 {
		r.slow = 0
	}
	used := r.sending.over(at, 800_000)
	switch excess := lost - r.own; {
	case excess > lossPunished:
		r.lower(at, r.target*(1-lost/2))
	case r.slow >= slowAfter:
		r.lower(at, min(r.target, used)*slowCut)
		r.slow = 0
	case excess < lossSpared && r.slow == 0:
		r.state = Hold
		r.target = max(r.target, used*(1-lost)) // it has come through
		if used > 0.75*r.target {
			r.target *= math.Pow(remoteGrow, float64(since)/1e6)
			r.state = Increase
		}
	default:
		r.state = Hold
	}
	r.clamp(at)
}

// whose tells the path's own loss from that of congestion, which goes away when less is sent.
func (r *Remote) whose(lost float64) {
	p := &r.punished
	r.own = min(r.own, r.own+(lost-r.own)/8)
	switch {
	case lost-r.own <= lossPunished:
		*p = struct{ target, loss float64 }{}
	case p.target == 0:
		p.target, p.loss = r.target, lost
	case r.target < ownHalved*p.target && lost > ownStays*p.loss:
		r.own, r.target = lost, p.target
	}
}

// lower goes down to target, or to what was before a trial.
func (r *Remote) lower(at int64, target float64) {
	if r.trial.on {
		target = r.trial.before
		r.trial.fail(at, trialFirst)
	}
	r.target = min(r.target, target)
	r.state, r.downAt = Decrease, at
	r.stats.Decreases++
}

// REMB implements Estimator.
func (r *Remote) REMB(now time.Time, rate int64) {
	at := r.at(now)
	if rate <= 0 {
		r.stats.Malformed++
		return
	}
	before := r.remb
	r.stats.Feedbacks++
	r.known, r.remb, r.heard, r.told = true, float64(rate), at, at
	switch used := r.sending.over(at, 800_000); {
	case !r.trial.on:
		if r.loss-r.own < lossPunished {
			r.target = r.remb
		}
	case r.tried == 0, r.remb >= r.target: // it knows
		r.trial.pass(at)
		r.target = r.remb
	case r.remb < rembFalls*r.tried, r.remb > rembLeaps*before && r.remb < 0.95*used: // it has measured
		r.lower(at, 0)
		r.target = r.remb
	}
	r.clamp(at)
}

func (r *Remote) clamp(at int64) {
	if r.believed(at) && !r.trial.on {
		r.target = min(r.target, r.remb)
	}
	r.target = min(max(r.target, float64(r.cfg.Min)), float64(r.cfg.Max))
}

// believed reports whether a REMB is fresh.
func (r *Remote) believed(at int64) bool { return r.remb > 0 && at-r.heard < rembFor }

// try sends what is wanted next where it is more than the target, to find out: a receiver to whom little is sent has little to report,
// and a REMB that its receiver has not measured is no more than a multiple of what it gets.
func (r *Remote) try(at int64, next float64) {
	t := &r.trial
	switch {
	case !t.on:
		if r.known && next > r.target && r.slow == 0 && t.due(at, r.downAt, trialFirst) {
			t.begin(at, r.target)
			r.tried, r.target = r.remb, next
			r.clamp(at)
		}
	case at-t.at < trialPasses || r.told <= t.at:
	case !r.believed(at) || r.remb >= r.target:
		t.pass(at)
	case r.remb > rembRises*r.tried, r.sending.over(at, 800_000) < r.remb:
		t.at, r.tried = at, r.remb // it follows, or there was nothing to follow
	default:
		r.lower(at, 0)
		r.target = r.remb
	}
}

// Update implements Estimator.
func (r *Remote) Update(now time.Time, d Demand) Estimate {
	at := r.at(now)
	r.try(at, float64(d.Next))
	used := r.sending.over(at, 500_000)
	return Estimate{
		Target: int64(r.target), Base: int64(r.target), State: r.state, Known: r.known, Limited: used < 0.8*r.target, Loss: r.loss,
		Calm: r.known && r.slow == 0 && r.loss-r.own < lossSpared && at-r.told < 2*calmAfter && at-r.downAt > calmAfter,
		RTT:  time.Duration(r.rtt) * time.Microsecond, Acked: int64(used * (1 - r.loss)),
	}
}

// Stats implements Estimator.
func (r *Remote) Stats() Stats { return r.stats }
