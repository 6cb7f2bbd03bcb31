package bwe

import (
	"errors"
	"fmt"
	"time"
)

// Estimator says how much one receiver's network can take. It is for one goroutine at a time. Rates are bit/s of UDP payload.
type Estimator interface {
	// Sent notes a packet that leaves now.
	Sent(now time.Time, p Packet)
	// Late tells that what was sent since then may have left only now.
	Late(since time.Time)
	// TransportFeedback takes one transport-wide feedback message (RTCP, PT 205, FMT 15), header included. It keeps nothing of b.
	// The error is ErrMalformed; the estimate has then not changed.
	TransportFeedback(now time.Time, b []byte) error
	// ReceiverReport takes what a receiver report says.
	ReceiverReport(now time.Time, r Report)
	// REMB takes a receiver's own estimate. One that sends transport-wide feedback, too, is not listened to.
	REMB(now time.Time, rate int64)
	// Update says what to send from now on.
	Update(now time.Time, d Demand) Estimate
	// Stats counts since the start.
	Stats() Stats
}

// ErrMalformed is what is returned for messages that cannot be what they claim.
var ErrMalformed = errors.New("bwe: malformed feedback")

// Packet is one that was sent.
type Packet struct {
	Seq   uint16 // transport-wide, one more than the last packet's
	Size  int    // bytes of UDP payload, authentication tag included
	Probe uint8  // Probe.ID where it belongs to one, or 0
}

// Report is what a receiver report says of the packets since the last.
type Report struct {
	Packets int           // that were expected
	Lost    int           // of these; below 0 where more came that were thought to be lost
	RTT     time.Duration // 0: unknown
}

// Demand is what the owner would like to send. Zero values mean nothing more than it sends.
type Demand struct {
	Wanted int64 // bit/s, if the network had no limit
	Next   int64 // bit/s in all that the next upgrade needs; 0: any rate is of use, or nothing is wanted
	Paused bool  // Next is for a video of which not even the least is sent
	Blind  bool  // no probe can be sent
}

// State is what an estimator is doing.
type State uint8

// The states.
const (
	Hold     State = iota // waits: for a queue to drain, for feedback
	Increase              // goes up slowly
	Decrease              // has just gone down
	Probing               // a probe is under way
)

func (s State) String() string {
	return [...]string{"hold", "increase", "decrease", "probe"}[s&3]
}

// Estimate is the verdict.
type Estimate struct {
	Target  int64 // bit/s; send no more
	Base    int64 // bit/s; what Target goes back to when the queue that is being emptied is gone, else Target
	State   State
	Known   bool          // feedback has come: Target is more than the start rate
	Calm    bool          // nothing queues, and nothing is lost beyond the path's own
	Limited bool          // less is sent than could be: Target is not challenged
	Loss    float64       // share lost, smoothed over about a second, 0 to 1
	RTT     time.Duration // without the queue's changes of the moment; 0: unknown
	Queue   time.Duration // delay in queues, the receiver's bottleneck's mostly
	Acked   int64         // bit/s that arrive
	Probe   Probe         // to start now, if its ID is not 0
}

// Probe asks for a burst that shows whether more fits.
type Probe struct {
	ID       uint8
	Rate     int64         // bit/s, all packets together
	Duration time.Duration // to spread them over
	Bytes    int           // at least
	Packets  int           // at least
	Size     int           // bytes a packet at most: large ones measure badly at low rates
}

// Stats are counters since the start.
type Stats struct {
	Feedbacks  uint64 // transport-wide messages taken
	Malformed  uint64 // messages refused
	Unknown    uint64 // reports on packets that were never sent, or so long ago that they are forgotten
	Repeated   uint64 // reports on packets already reported received
	Acked      uint64 // packets reported received
	Lost       uint64 // packets reported lost, less those that came later
	Unreported uint64 // packets that feedback skipped: the message about them was lost
	Probes     uint64 // asked for
	ProbesUp   uint64 // of these, those that raised Target
	Decreases  uint64 // of Target, for a queue or loss
	Leaps      uint64 // delays that became longer at once and were no queue
	ClockJumps uint64 // of the receiver's clock
	Lags       uint64 // times in which nothing was done
}

// Config tunes an estimator. The zero value is good.
type Config struct {
	Start int64 // bit/s until feedback comes; default 600 kb/s
	Min   int64 // bit/s; default 30 kb/s
	Max   int64 // bit/s; default 50 Mb/s
}

// Validate says what is wrong.
func (c Config) Validate() error {
	d := c.withDefaults()
	if c.Start < 0 || c.Min < 0 || c.Max < 0 || d.Min > d.Start || d.Start > d.Max {
		return fmt.Errorf("bwe: rates must be min %d <= start %d <= max %d", d.Min, d.Start, d.Max)
	}
	return nil
}

func (c Config) withDefaults() Config {
	def := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&c.Min, 30_000)
	def(&c.Max, 50_000_000)
	def(&c.Start, min(max(600_000, c.Min), c.Max))
	return c
}
