package sfu

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtp"

	"github.com/parley/parley/sfu/internal/allocate"
	"github.com/parley/parley/sfu/internal/bwe"
	"github.com/parley/parley/sfu/internal/pace"
)

const (
	updateEvery  = 50 * time.Millisecond // without feedback
	cautious     = 20 * time.Second      // after congestion, so long bursts are kept small
	udpOverhead  = 12 + 8 + 16           // of a packet: RTP header, header extension, tag
	carefulBurst = 1.3                   // of the estimate: what is sent at most, where a bottleneck was met…
	calmBurst    = 1.08                  // …of what it will be without the queue of the moment…
	fullQueue    = 60 * time.Millisecond // and more: a burst may find no place in it
	freeBurst    = 2.5                   // …and where not
	freeBurstMin = 10_000_000            // bit/s
)

// downlink controls what one receiver is sent: it numbers its packets, learns from its reports what its network takes, shares
// that among its slots, and spreads what comes in bursts. It belongs to the peer's loop.
//
// A receiver that reports nothing has no limit: the sizes of its tiles decide alone.
type downlink struct {
	// What each packet needs comes first: TestHotFields.

	// Static after construction.
	loop *loop

	// Owned by the loop.
	est     bwe.Estimator // nil: nothing is reported
	seq     uint16        // transport-wide, of the next packet
	digits  [2]byte       // seq, for the header
	reports reports
	paid    bool // the packet that is being written was paid for
	video   bool // some was sent: began is set
	beating bool
	sent    throughput
	pacer   pace.Pacer[*Sink]

	sound, repaired throughput
	probe           probe

	peer *Peer // Static after construction.

	// Owned by the loop.
	verdict   bwe.Estimate
	updated   time.Time
	began     time.Time // the first video was sent
	counted   time.Time // the last packet with a number
	decreases uint64
	decreased time.Time // when congestion was last seen
	demand    bwe.Demand
	loss      lossMeter
	told      bwe.Stats // what loss has of them
	silent    time.Time // since when numbered packets have no answer; zero: they have
	deaf      bool      // transport-wide feedback was agreed, and does not come
	repeats   uint8     // packets of sound at most, with the next
	repeated  time.Time // that was decided
	granted   int       // bit/s, sound included

	allocator allocate.Allocator
	streams   []allocate.Stream
	rungs     []rung
	sinks     []*Sink
	allocated time.Time
	urgent    bool // allocate at the next occasion

	counts downlinkCounts
}

// numbers reports whether packets of a line carry transport-wide numbers.
func (d *downlink) numbers(l *slotLine) bool {
	return l.numbered && d.reports == reportsTransport
}

// number puts the next transport-wide number into a header that has other extensions, too, and returns the header's length. Without
// others it is left to writeNumber.
func (d *downlink) number(h *rtp.Header, l *slotLine, numbered bool) (length int, err error) {
	switch {
	case h.Extension && numbered:
		binary.BigEndian.PutUint16(d.digits[:], d.seq)
		err = h.SetExtension(l.agreed.ext.transportCC, d.digits[:])
		return h.MarshalSize(), err
	case h.Extension:
		return h.MarshalSize(), nil
	case numbered:
		return 20, nil
	}
	return 12, nil
}

// writeNumber writes the transport-wide number as the only header extension (RFC 8285, section 4.2) to a header of 20 bytes.
func writeNumber(b []byte, id uint8, seq uint16) {
	b[0] |= 0x10
	copy(b[12:], []byte{0xBE, 0xDE, 0, 1, id<<4 | 1, byte(seq >> 8), byte(seq), 0})
}

// leaves notes a packet of size bytes on the wire, headers of UDP and IP left out.
func (d *downlink) leaves(l *slotLine, ssrc uint32, size int, numbered bool) {
	now := d.loop.clock()
	if !d.paid && d.pacer.Rate() > 0 {
		d.pacer.Sound(now, size)
	}
	if l.video && !d.video {
		d.video, d.began = true, now
	}
	d.sent.add(now, size)
	switch {
	case d.est == nil: // nothing is shared out
	case !l.video:
		d.sound.add(now, size)
	case ssrc != l.ssrc && !d.probe.active():
		d.repaired.add(now, size)
	}
	if !numbered {
		if d.est != nil && d.reports != reportsTransport { // it counts bytes alone
			d.est.Sent(now, bwe.Packet{Size: size})
		}
		return
	}
	id := d.probe.count(size)
	d.est.Sent(now, bwe.Packet{Seq: d.seq, Size: size, Probe: id})
	d.seq++
	d.counted = now
}

// tick is called now and then, at least every 100 ms.
func (d *downlink) tick(now time.Time) {
	d.loop.Lock()
	defer d.loop.Unlock()
	if d.est == nil || !d.video || now.Sub(d.updated) < updateEvery {
		return
	}
	d.update(now)
	d.keepReports(now)
}

// changed makes the next update share anew.
func (d *downlink) changed() { d.allocated = time.Time{} }

// update follows the estimate.
func (d *downlink) update(now time.Time) {
	d.updated = now
	if d.unanswered(now) {
		d.fallBack(now)
	}
	demand := d.demand
	if !d.verdict.Known {
		demand = bwe.Demand{} // no probes for who may never report on them
	}
	d.verdict = d.est.Update(now, demand)
	full := false
	stats := d.est.Stats()
	d.follow(now, stats)
	if n := stats.Decreases; n != d.decreases {
		d.decreases, d.decreased, d.urgent = n, now, true
		full = d.verdict.Queue > fullQueue
	}
	if d.setPace(now); full {
		d.pacer.Exhaust(now)
	}
	if p := d.verdict.Probe; p.ID != 0 {
		d.startProbe(now, p)
	}
	d.share(now)
	if d.pacer.Waiting() > 0 {
		d.wake(now)
	}
}

// limit returns what the receiver may be sent, in bit/s; false: there is no limit that is known. The first estimates say more of
// how the estimator begins than of the network: until congestion is met or a few seconds have passed they are not obeyed.
func (d *downlink) limit(now time.Time) (int, bool) {
	if d.est == nil || !d.verdict.Known {
		return 0, false
	}
	if d.decreases == 0 && now.Sub(d.began) < openStart {
		return 0, false
	}
	return int(d.verdict.Target), true
}

const openStart = 4 * time.Second

// setPace derives the pace of bursts from the estimate.
func (d *downlink) setPace(now time.Time) {
	rate := 0
	switch target := float64(d.verdict.Target); {
	case !d.verdict.Known:
	case d.thin(now):
		rate = int(min(target*carefulBurst, max(target, float64(d.verdict.Base))*calmBurst))
		if d.verdict.Calm { // what flows shows that it fits
			rate = max(rate, int(float64(d.granted)*calmBurst))
		}
	default:
		rate = int(max(target*freeBurst, freeBurstMin))
	}
	if rate > 0 && d.probe.active() {
		rate = max(rate, int(d.probe.asked.Rate))
	}
	if rate != d.pacer.Rate() {
		d.pacer.SetRate(now, rate)
	}
}

// count adds what was counted.
func (d *downlink) count(c *Counts) {
	d.loop.Lock()
	defer d.loop.Unlock()
	if k := d.peer.leg; k != nil {
		c.PacketsOut += k.sent.packets
		c.BytesOut += k.sent.bytes
		c.RTXOut += k.sent.resent
	}
	n := &d.counts
	c.Paced, c.ProbesOut = n.paced, n.probes
	unknown := n.feedbackUnwanted
	if d.est != nil {
		unknown += d.est.Stats().Unknown
	}
	c.drop(dropFeedbackUnknown, unknown)
	c.drop(dropREMBAbsurd, n.rembAbsurd)
}

// throughput measures what is sent, over the last second or so.
type throughput struct {
	at    int64     // number of the newest slot
	slots [8]uint32 // bytes, of 125 ms each
}

func (t *throughput) add(now time.Time, size int) {
	t.advance(now)
	t.slots[t.at%int64(len(t.slots))] += uint32(size)
}

func (t *throughput) advance(now time.Time) {
	at := now.UnixMilli() / 125
	if n := int64(len(t.slots)); at-t.at >= n || t.at-at >= n { // the machine's clock may have been set back
		t.slots, t.at = [8]uint32{}, at
	}
	for t.at < at {
		t.at++
		t.slots[t.at%int64(len(t.slots))] = 0
	}
}

// rate returns bit/s.
func (t *throughput) rate(now time.Time) int {
	t.advance(now)
	sum := 0
	for _, n := range t.slots {
		sum += int(n)
	}
	return sum * 8
}
