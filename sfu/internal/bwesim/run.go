package bwesim

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/parley/parley/internal/netsim"
	"github.com/parley/parley/sfu/internal/bwe"
)

// Scenario is one run.
type Scenario struct {
	Name   string
	Source Source
	Whole  bool          // frames leave whole, in one burst each, unless they are very large
	Pause  Span          // in which nothing is sent
	Length time.Duration // default 60 s

	Rate    []netsim.Step
	Delay   time.Duration // each way
	Queue   time.Duration // of the bottleneck, default 300 ms
	Jitter  time.Duration
	Reorder bool
	Loss    netsim.Loss
	LossEnd time.Duration // it does
	Turn    Turn          // for the worse

	Stall     Stall // of the sender's process
	Redundant bool  // sound is sent with repeats, as loss asks for…
	Greedy    bool  // …and whatever the pictures need

	Reports      Reports
	Blind        bool          // there is nothing to send probes with
	Every        time.Duration // between feedback messages, default 100 ms
	FeedbackLoss float64

	TCP, TCPEnd time.Duration // a TCP-like flow starts, if not 0, and ends
	ClockJump   time.Duration // of the receiver, at half of Length
}

// Turn is how a network changes that gets longer, jittery or lossy at a time, and stays as fast as it is.
type Turn struct {
	At            time.Duration // 0: never
	Delay, Jitter time.Duration // on top of it, of what is sent only
	Reorder       bool
	Loss          netsim.Loss
}

func (t Turn) to(l *netsim.Link) {
	l.Delay, l.Jitter, l.Reorder, l.Loss = l.Delay+t.Delay, t.Jitter, t.Reorder, t.Loss
}

// Stall stops a process again and again: what comes meanwhile is read afterwards, and half of the times something that is said to have
// left is still to leave.
type Stall struct{ Every, Least, Most time.Duration }

// Span is a part of a run.
type Span struct{ From, To time.Duration }

// Result is what came of a run. Times are from the start, or from the step; negative: never.
type Result struct {
	Utilisation float64       // of the whole run, of what the link could carry, or the source could use of it
	Converged   time.Duration // to 85 % of the first rate, over half a second
	Steady      float64       // utilisation since then, where the rate is constant
	QueueP95    time.Duration // since then
	QueueMax    time.Duration
	Followed    time.Duration // the first step down: until no more than the new rate is sent for good, over 200 ms
	Restored    time.Duration // the last step up: to 90 % of the new rate, over half a second
	Share       float64       // of what arrived while a TCP-like flow ran, to the sender
	Padding     float64       // share of what was sent
	Dropped     float64       // share of packets that the queue dropped
	Paused      time.Duration // the longest time without a picture
	Stats       bwe.Stats
	Trace       []Sample
}

// Sample is the state of a run at a time; there is one every 50 ms.
type Sample struct {
	At                      time.Duration
	Capacity, Sent, Arrived float64 // bit/s; sent and arrived in these 50 ms
	Target                  int64
	State                   bwe.State
	Backlog, Queue          time.Duration // the link's, and as estimated
	TCP                     int           // bytes so far
	Loss                    float64
}

const sampleEvery = 50 * time.Millisecond

func (s Scenario) withDefaults() Scenario {
	s.Length = cmp.Or(s.Length, time.Minute)
	s.Queue = cmp.Or(s.Queue, 300*time.Millisecond)
	s.Every = cmp.Or(s.Every, 100*time.Millisecond)
	return s
}

// Run runs a scenario with an estimator.
func Run(sc Scenario, est bwe.Estimator, seed uint64) Result {
	sc = sc.withDefaults()
	var clock netsim.Clock
	rng := rand.New(rand.NewPCG(seed, 77))
	epoch := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	down := &netsim.Link{
		Clock: &clock, Rand: rng, Rate: sc.Rate, Queue: sc.Queue, Delay: sc.Delay, Jitter: sc.Jitter, Reorder: sc.Reorder, Loss: sc.Loss,
	}
	up := &netsim.Link{Clock: &clock, Rand: rng, Delay: sc.Delay, Loss: netsim.Loss{Share: sc.FeedbackLoss}}
	if sc.Turn.At > 0 {
		clock.At(sc.Turn.At, func() { sc.Turn.to(down) })
	}
	if sc.LossEnd > 0 {
		clock.At(sc.LossEnd, func() { down.Loss = netsim.Loss{} })
	}
	var arrived int
	s := &sender{
		clock: &clock, link: down, rand: rng, est: est, src: sc.Source, whole: sc.Whole, pause: sc.Pause, at: func() time.Time { return epoch.Add(clock.Now()) },
		blind: sc.Blind || sc.Reports != Transport, open: sc.Reports != Transport,
		stall: sc.Stall, redundant: sc.Redundant, greedy: sc.Greedy,
	}
	r := receiver{sc: sc, clock: &clock, up: up, s: s}
	took := r.start()
	s.recv = func(seq uint16, size int, sent time.Duration) {
		arrived += size
		took(seq, size, sent)
	}
	s.start()
	tcp := &netsim.TCP{Link: down, Back: sc.Delay}
	if sc.TCP > 0 {
		clock.At(sc.TCP, tcp.Start)
		clock.At(cmp.Or(sc.TCPEnd, sc.Length), tcp.Stop)
	}
	var out Result
	sentThen, arrivedThen, paused := 0, 0, time.Duration(0)
	clock.Every(sampleEvery, func() {
		if paused += sampleEvery; s.rung >= 0 || !s.pictures() {
			paused = 0
		}
		out.Paused = max(out.Paused, paused)
		out.Trace = append(out.Trace, Sample{
			At: clock.Now(), Capacity: down.RateAt(clock.Now()), Backlog: down.Backlog(), Target: s.estimate.Target, State: s.estimate.State,
			Sent: float64(s.sentBytes-sentThen) * 8 / sampleEvery.Seconds(), Arrived: float64(arrived-arrivedThen) * 8 / sampleEvery.Seconds(),
			Queue: s.estimate.Queue, TCP: tcp.Delivered, Loss: s.estimate.Loss,
		})
		sentThen, arrivedThen = s.sentBytes, arrived
	})
	clock.Run(sc.Length)
	out.Stats = est.Stats()
	out.Padding = float64(s.paddingBytes) / float64(max(s.sentBytes, 1))
	out.Dropped = float64(down.Dropped) / float64(max(down.Sent, 1))
	out.measure(sc)
	return out
}

// usable is what of a capacity the source could use: a layered one its best rung with 5 % to spare.
func usable(src Source, capacity float64) float64 {
	switch src {
	case Layered:
		best := 0.0
		for _, r := range ladder {
			if r.rate*1.05+soundRate <= capacity*0.97 {
				best = r.rate
			}
		}
		return best + soundRate
	case Sound:
		return soundRate
	case Single:
		if soundRate+singleRate > capacity*0.97 {
			return soundRate
		}
		return soundRate + singleRate
	default:
		return capacity
	}
}

// over is the mean of f over the samples of a span that ends at i.
func over(trace []Sample, i int, span time.Duration, f func(Sample) float64) float64 {
	n := min(int(span/sampleEvery), i+1)
	sum := 0.0
	for _, s := range trace[i+1-n : i+1] {
		sum += f(s)
	}
	return sum / float64(n)
}

func (r *Result) measure(sc Scenario) {
	sent := func(s Sample) float64 { return s.Sent }
	r.Converged, r.Followed, r.Restored = -1, -1, -1
	first := usable(sc.Source, r.Trace[0].Capacity)
	for i, s := range r.Trace {
		if s.At >= 500*time.Millisecond && over(r.Trace, i, 500*time.Millisecond, sent) >= 0.85*first {
			r.Converged = s.At
			break
		}
	}
	var used, could, steadyUsed, steadyCould float64
	var queues []time.Duration
	for _, s := range r.Trace {
		can := usable(sc.Source, s.Capacity)
		if s.At >= sc.Pause.From && s.At < sc.Pause.To {
			continue
		}
		got := min(s.Sent, max(s.Capacity, can))
		used, could = used+got, could+can
		r.QueueMax = max(r.QueueMax, s.Backlog)
		if r.Converged >= 0 && s.At > r.Converged {
			steadyUsed, steadyCould = steadyUsed+got, steadyCould+can
			queues = append(queues, s.Backlog)
		}
	}
	r.Utilisation = used / could
	if steadyCould > 0 {
		r.Steady = steadyUsed / steadyCould
	}
	if len(queues) > 0 {
		slices.Sort(queues)
		r.QueueP95 = queues[len(queues)*95/100]
	}
	r.steps(sc)
	if sc.TCP > 0 {
		r.share(sc)
	}
}

// steps measures the answers to the first step down and the last step up.
func (r *Result) steps(sc Scenario) {
	if len(sc.Rate) < 2 {
		return
	}
	sent := func(s Sample) float64 { return s.Sent }
	for i, st := range sc.Rate[1:] {
		if st.Rate >= sc.Rate[i].Rate {
			continue
		}
		end := sc.Length
		if i+2 < len(sc.Rate) {
			end = sc.Rate[i+2].At
		}
		for j, s := range r.Trace { // the last time that too much was sent in the first 3 s
			if s.At >= st.At+50*time.Millisecond && s.At < min(end, st.At+3*time.Second) && over(r.Trace, j, 200*time.Millisecond, sent) > st.Rate {
				if r.Followed < 0 || s.At-st.At == r.Followed+sampleEvery || s.Backlog > 150*time.Millisecond {
					r.Followed = s.At - st.At
				}
			}
		}
		r.Followed = max(r.Followed, 0) + sampleEvery
		break
	}
	last := sc.Rate[len(sc.Rate)-1]
	if last.Rate <= sc.Rate[len(sc.Rate)-2].Rate {
		return
	}
	for j, s := range r.Trace {
		if s.At > last.At+100*time.Millisecond && over(r.Trace, j, 500*time.Millisecond, sent) >= 0.9*usable(sc.Source, last.Rate) {
			r.Restored = s.At - last.At
			break
		}
	}
}

// share compares with the TCP-like flow, from 5 s after its start on.
func (r *Result) share(sc Scenario) {
	var ours, theirs float64
	was := -1
	for _, s := range r.Trace {
		if s.At < sc.TCP+5*time.Second || s.At > cmp.Or(sc.TCPEnd, sc.Length) {
			continue
		}
		if was >= 0 {
			ours += s.Arrived * sampleEvery.Seconds() / 8
			theirs += float64(s.TCP - was)
		}
		was = s.TCP
	}
	r.Share = ours / max(ours+theirs, 1)
}
