package bwesim

import (
	"fmt"
	"time"

	"github.com/pion/interceptor/pkg/twcc"

	"github.com/parley/parley/internal/netsim"
	"github.com/parley/parley/sfu/internal/bwe"
)

// Reports is what a receiver tells of what it gets.
type Reports uint8

// The kinds of reports.
const (
	Transport Reports = iota // transport-wide feedback
	REMB                     // an estimate of its own, which goes up by 8 % a second to 1.5 times what comes, and receiver reports
	Loss                     // receiver reports alone
	Deaf                     // receiver reports that know of no loss
	Stops                    // receiver reports, for ten seconds
)

// Estimator returns the one that is for such a receiver.
func (r Reports) Estimator() bwe.Estimator {
	if r == Transport {
		return bwe.New(bwe.Config{})
	}
	return bwe.NewRemote(bwe.Config{})
}

// receiver reports on what comes.
type receiver struct {
	sc    Scenario
	clock *netsim.Clock
	up    *netsim.Link
	s     *sender

	recorder *twcc.Recorder

	highest, reported uint16
	begun             bool
	came              int // since the last report
	bytes             int // in the last span
	estimate          float64
	least, newest     time.Duration // one way
}

// start returns what takes each packet that arrives.
func (r *receiver) start() func(seq uint16, size int, sent time.Duration) {
	if r.sc.Reports == Transport {
		r.recorder = twcc.NewRecorder(1)
		r.clock.Every(r.sc.Every, r.feedback)
		return r.record
	}
	r.clock.Every(time.Second, r.report)
	if r.sc.Reports == REMB {
		r.clock.Every(rembEvery, r.remb)
	}
	return r.account
}

func (r *receiver) record(seq uint16, _ int, _ time.Duration) {
	at := r.clock.Now() + time.Hour
	if r.sc.ClockJump != 0 && r.clock.Now() > r.sc.Length/2 {
		at += r.sc.ClockJump
	}
	r.recorder.Record(2, seq, at.Microseconds())
}

func (r *receiver) feedback() {
	for _, pkt := range r.recorder.BuildFeedbackPacket() {
		b, err := pkt.Marshal()
		if err != nil {
			panic(fmt.Sprintf("feedback: %v", err)) // of the simulation itself
		}
		r.up.Send(len(b), func() {
			r.s.does(func() {
				if err := r.s.est.TransportFeedback(r.s.at(), b); err != nil {
					panic(fmt.Sprintf("feedback: %v", err))
				}
				r.s.update()
			})
		})
	}
}

func (r *receiver) account(seq uint16, size int, sent time.Duration) {
	if !r.begun {
		r.begun, r.highest, r.reported, r.least = true, seq, seq-1, time.Hour
	}
	if int16(seq-r.highest) > 0 {
		r.highest = seq
	}
	r.came++
	r.bytes += size
	r.newest = r.clock.Now() - sent
	r.least = min(r.least, r.newest)
}

// report is a receiver report: once a second, about what came since.
func (r *receiver) report() {
	if r.sc.Reports == Stops && r.clock.Now() > 10*time.Second {
		return
	}
	p := bwe.Report{Packets: int(r.highest - r.reported), RTT: r.newest + r.sc.Delay}
	if p.Lost = p.Packets - r.came; r.sc.Reports == Deaf {
		p.Lost = 0
	}
	r.reported, r.came = r.highest, 0
	r.up.Send(60, func() {
		r.s.does(func() {
			r.s.est.ReceiverReport(r.s.at(), p)
			r.s.update()
		})
	})
}

const (
	rembEvery = 500 * time.Millisecond
	rembQueue = 60 * time.Millisecond
)

// remb is a receiver's own estimate.
func (r *receiver) remb() {
	rate := float64(r.bytes) * 8 / rembEvery.Seconds()
	if r.bytes = 0; rate == 0 {
		return
	}
	if r.estimate == 0 {
		r.estimate = 300_000
	}
	if r.newest-r.least > rembQueue {
		r.estimate = min(r.estimate, 0.85*rate)
	} else {
		r.estimate = min(r.estimate*1.04, max(1.5*rate+10_000, r.estimate))
	}
	estimate := int64(r.estimate)
	r.up.Send(60, func() {
		r.s.does(func() {
			r.s.est.REMB(r.s.at(), estimate)
			r.s.update()
		})
	})
}
