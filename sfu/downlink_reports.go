package sfu

import (
	"math"
	"time"

	"github.com/pion/rtcp"

	"github.com/parley/parley/sfu/internal/bwe"
)

// mute is how long transport-wide feedback may stay away, while packets leave that it could be about, until it is not waited for.
const mute = 10 * time.Second

// reports is what a receiver agreed to tell us of what it gets.
type reports uint8

const (
	reportsNone reports = iota
	reportsLoss         // receiver reports alone
	reportsREMB
	reportsTransport // transport-wide feedback
)

func (r reports) String() string { return [...]string{"none", "rr", "remb", "twcc"}[r] }

type downlinkCounts struct {
	paced, overflows, probes     uint64
	rembAbsurd, feedbackUnwanted uint64
}

// agree is told of a line that was negotiated.
func (d *downlink) agree(l *slotLine) {
	d.loop.Lock()
	defer d.loop.Unlock()
	switch {
	case !l.video || d.peer.leg == nil:
	case l.numbered && !d.deaf:
		if d.reports != reportsTransport {
			d.reports, d.est = reportsTransport, bwe.New(bwe.Config{})
		}
	case d.est == nil:
		d.reports, d.est = l.tells(), bwe.NewRemote(bwe.Config{})
	case d.reports == reportsLoss:
		d.reports = l.tells()
	}
}

// tells is what is reported on the line where transport-wide feedback is not.
func (l *slotLine) tells() reports {
	if l.agreed.remb {
		return reportsREMB
	}
	return reportsLoss
}

// unanswered reports whether transport-wide feedback has not come for so long that it never will. The caller is in the loop.
func (d *downlink) unanswered(now time.Time) bool {
	if d.reports != reportsTransport || !d.video {
		return false
	}
	if d.silent.IsZero() && d.counted.After(d.began) {
		d.silent = now
	}
	return !d.verdict.Known && now.Sub(d.began) > mute || !d.silent.IsZero() && now.Sub(d.silent) > mute
}

// fallBack goes by what else the receiver reports.
func (d *downlink) fallBack(now time.Time) {
	d.deaf, d.reports = true, reportsLoss
	for _, l := range d.peer.send.Load().lines {
		if l.video {
			d.reports = max(d.reports, l.tells())
		}
	}
	d.est, d.verdict, d.told, d.decreases = bwe.NewRemote(bwe.Config{}), bwe.Estimate{}, bwe.Stats{}, 0
	d.pacer.SetRate(now, 0)
}

// feedback takes a transport-wide feedback message as it came.
func (d *downlink) feedback(now time.Time, b []byte) {
	d.loop.Lock()
	defer d.loop.Unlock()
	if d.reports != reportsTransport || d.est == nil {
		d.counts.feedbackUnwanted++
		return
	}
	if err := d.est.TransportFeedback(now, b); err != nil {
		d.peer.count.malformed.Add(1)
		return
	}
	d.silent = time.Time{}
	d.update(now)
}

// remb takes the receiver's own estimate, in bit/s.
func (d *downlink) remb(now time.Time, rate float32) {
	d.loop.Lock()
	defer d.loop.Unlock()
	if d.est == nil {
		return
	}
	if !(rate >= 1000 && rate <= 1e11) { // not a number, too
		d.counts.rembAbsurd++
		return
	}
	d.est.REMB(now, int64(rate))
	d.update(now)
}

// received takes a block of a receiver report about a line. The caller is in no loop.
func (d *downlink) received(now time.Time, l *slotLine, r *rtcp.ReceptionReport, rtt time.Duration) {
	d.loop.Lock()
	packets, lost := l.told.since(r)
	if l.video && d.est != nil {
		d.est.ReceiverReport(now, bwe.Report{Packets: packets, Lost: lost, RTT: rtt})
	}
	if l.video && d.reports != reportsTransport {
		d.loss.add(now, packets, lost)
	}
	share, enough := l.told.sample(packets, lost)
	if d.decreases > 0 && now.Sub(d.decreased) < ownLoss { // sent twice, it would fill that queue again
		share = 0
	}
	if enough = enough && !l.video; enough {
		l.lost(now, share)
	}
	d.loop.Unlock()
	if k := l.sink.Load(); k != nil && enough {
		k.SetLoss(now, share)
	}
}

// follow takes the loss that transport-wide feedback tells of.
func (d *downlink) follow(now time.Time, s bwe.Stats) {
	if d.reports == reportsTransport {
		d.loss.add(now, int(s.Acked+s.Lost-d.told.Acked-d.told.Lost), int(s.Lost-d.told.Lost))
	}
	d.told = s
}

const (
	soundSample = 25              // packets that the loss of sound is judged by
	ownLoss     = 3 * time.Second // after congestion, what is reported as lost was lost in our queue
)

// toldOf is what receiver reports say of a line (RFC 3550, section 6.4.1). Some receivers send many reports, each about a few packets.
type toldOf struct {
	begun         bool
	highest       uint16
	total         uint32 // 24 bits, with a sign
	packets, lost int    // of the sample
}

// since returns how many packets there were since the last block, and how many of them are missing: fewer than none where some came late.
func (t *toldOf) since(r *rtcp.ReceptionReport) (packets, lost int) {
	highest := uint16(r.LastSequenceNumber)
	packets = int(int16(highest - t.highest))
	lost = int(int32((r.TotalLost-t.total)<<8) >> 8)
	if t.begun && packets < 0 { // overtaken
		return 0, 0
	}
	begun := t.begun
	t.begun, t.highest, t.total = true, highest, r.TotalLost
	if !begun {
		return 0, 0
	}
	return packets, max(min(lost, packets), -packets)
}

// sample adds up, until there are enough to judge by.
func (t *toldOf) sample(packets, lost int) (share float64, enough bool) {
	t.packets += packets
	t.lost += lost
	if t.packets < soundSample {
		return 0, false
	}
	share = max(float64(t.lost)/float64(t.packets), 0)
	t.packets, t.lost = 0, 0
	return share, true
}

const (
	lossMemory = 3.0 // seconds
	lossLeast  = 10  // packets: of fewer no share is known
)

// lossMeter is the share of packets that were lost in the last seconds. Each packet counts the same, whatever report it was in.
type lossMeter struct {
	at            time.Time
	packets, lost float64
}

func (m *lossMeter) add(now time.Time, packets, lost int) {
	m.fade(now)
	m.packets += float64(packets)
	m.lost += float64(lost)
}

func (m *lossMeter) fade(now time.Time) {
	if d := now.Sub(m.at); d > 0 {
		left := math.Exp(-d.Seconds() / lossMemory)
		m.packets, m.lost, m.at = m.packets*left, m.lost*left, now
	}
}

// share is 0 to 1.
func (m *lossMeter) share(now time.Time) float64 {
	if m.fade(now); m.packets < lossLeast {
		return 0
	}
	return min(max(m.lost/m.packets, 0), 1)
}
