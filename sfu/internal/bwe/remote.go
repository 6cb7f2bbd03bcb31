package bwe

import "time"

const (
	lossSpared   = 0.02 // receiver reports: below it the rate goes up
	lossPunished = 0.10 // above it, down
	rembFor      = 10 * time.Second
	unheard      = 3 * time.Second // without a report: nothing may be sent that one could be about…
	unheardGrow  = 1.2             // …so the target goes up, times so much a second, as far as the start
)

// Remote is the Estimator for receivers without transport-wide feedback. It believes their REMB
// (draft-alvestrand-rmcat-remb-03) and answers the loss in their receiver reports. It asks for no probes.
type Remote struct {
	clock
	cfg    Config
	target float64
	known  bool
	remb   float64 // 0: none
	heard  time.Time
	told   time.Time // the last report of any kind
	raised time.Time // the target, for want of reports
	loss   float64
	rtt    time.Duration
	state  State

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

// ReceiverReport implements Estimator. Reports come about once a second.
func (r *Remote) ReceiverReport(now time.Time, lost float64, rtt time.Duration) {
	at := r.at(now)
	lost = min(max(lost, 0), 1)
	if rtt > 0 && rtt < 10*time.Second {
		r.rtt = rtt
	}
	r.loss += (lost - r.loss) / 2
	r.known, r.told = true, now
	switch used := r.sending.over(at, 800_000); {
	case lost > lossPunished:
		r.target *= 1 - lost/2
		r.state = Decrease
		r.stats.Decreases++
	case lost < lossSpared && used > 0.75*r.target:
		r.target *= 1.08
		r.state = Increase
	default:
		r.state = Hold
	}
	r.clamp(now)
}

// REMB implements Estimator.
func (r *Remote) REMB(now time.Time, rate int64) {
	r.at(now)
	if rate <= 0 {
		r.stats.Malformed++
		return
	}
	r.stats.Feedbacks++
	r.known, r.remb, r.heard, r.told = true, float64(rate), now, now
	if r.loss < lossPunished {
		r.target = r.remb
	}
	r.clamp(now)
}

func (r *Remote) clamp(now time.Time) {
	if r.remb > 0 && now.Sub(r.heard) < rembFor {
		r.target = min(r.target, r.remb)
	}
	r.target = min(max(r.target, float64(r.cfg.Min)), float64(r.cfg.Max))
}

// rest raises a low target while nobody reports: a receiver to whom nothing is sent, because nothing fits, has nothing to report, and
// would be sent nothing for ever.
func (r *Remote) rest(now time.Time) {
	start := float64(r.cfg.Start)
	if !r.known || r.target >= start || now.Sub(r.told) < unheard || now.Sub(r.raised) < time.Second {
		return
	}
	r.raised, r.target = now, min(r.target*unheardGrow, start)
	r.clamp(now)
}

// Update implements Estimator.
func (r *Remote) Update(now time.Time, _ Demand) Estimate {
	at := r.at(now)
	r.rest(now)
	used := r.sending.over(at, 500_000)
	return Estimate{
		Target: int64(r.target), State: r.state, Known: r.known, Limited: used < 0.8*r.target, Loss: r.loss, RTT: r.rtt,
		Acked: int64(used * (1 - r.loss)),
	}
}

// Stats implements Estimator.
func (r *Remote) Stats() Stats { return r.stats }
