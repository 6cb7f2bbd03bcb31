package sfu

import (
	"time"

	"github.com/parley/parley/sfu/internal/bwe"
)

const (
	probeStep   = 5 * time.Millisecond
	probeRun    = 16                    // packets of padding at most, in one step
	maxPadding  = 255                   // bytes, of one packet without payload
	probeExpiry = 50 * time.Millisecond // after its duration
	aliveEvery  = 200 * time.Millisecond
)

// probe is a burst that shows whether the network takes more: what is sent anyway, and retransmissions or padding.
type probe struct {
	asked   bwe.Probe
	since   time.Time
	bytes   int
	packets int
}

func (p *probe) active() bool { return p.asked.ID != 0 }

// count accounts for a packet, and returns the id of the probe that it belongs to, or 0.
func (p *probe) count(size int) uint8 {
	if !p.active() {
		return 0
	}
	p.bytes += size
	p.packets++
	id := p.asked.ID
	if p.packets >= p.asked.Packets && p.bytes >= p.asked.Bytes {
		p.asked.ID = 0
	}
	return id
}

func (d *downlink) startProbe(now time.Time, asked bwe.Probe) {
	if d.padded() == nil {
		return
	}
	d.counts.probes++
	d.probe = probe{asked: asked, since: now}
	d.setPace(now)
	d.pad(now)
	d.wake(now)
}

// padded returns the line whose retransmissions serve as padding: one that has sent something, and has RTX; or one without, while nothing
// flows on it, since padding takes numbers of its own there. A line that is not attached to a source of this loop is another's.
func (d *downlink) padded() *slotLine {
	for _, l := range d.peer.send.Load().lines {
		k := l.sink.Load()
		if !l.video || k == nil || k.source.mu != d.loop || k.detached {
			continue
		}
		if l.line.started && (l.line.hasRTX() || k.paused && k.current < 0) && d.numbers(l) {
			return l
		}
	}
	return nil
}

// pad sends as much as the probe's pace asks for beyond what was sent meanwhile. The caller is in the loop.
func (d *downlink) pad(now time.Time) {
	p := &d.probe
	elapsed := now.Sub(p.since)
	l := d.padded()
	if l == nil || elapsed > p.asked.Duration+probeExpiry {
		p.asked.ID = 0
		return
	}
	due := int(float64(p.asked.Rate) / 8 * (elapsed + probeStep).Seconds())
	d.paid = true
	defer func() { d.paid = false }()
	seq := l.line.writtenSeq // what waits may yet be dropped, and its numbers given to others
	for n := 0; n < probeRun && p.active() && p.bytes < due; n++ {
		before := p.packets
		size := min(p.asked.Size, due-p.bytes)
		if k := l.sink.Load(); size > 2*maxPadding && l.line.hasRTX() && k != nil && !k.detached && k.recent(&seq) {
			continue
		}
		if err := l.padding(min(size, maxPadding)); err != nil || p.packets == before {
			return
		}
	}
}

// recent sends one of the newest packets again, from seq on backward; false: none is remembered. The caller is in the loop.
func (k *Sink) recent(seq *uint16) bool {
	for range 8 {
		e := k.line.history.find(*seq)
		*seq--
		if e == nil {
			continue
		}
		from := k.source.streams[e.layerIndex()]
		if slot := from.ring.At(e.index, e.serial); slot != nil {
			_, err := k.line.resend(slot, e, &from.reader)
			return err == nil
		}
	}
	return false
}

// padding sends a packet of padding alone (RFC 3550, 5.1): on the line's RTX stream, which has numbers of its own (RFC 4588), or as the
// next of a line that has none.
func (l *slotLine) padding(n int) error {
	line := l.line
	h := line.header()
	h.Padding, h.Timestamp = true, line.lastTime
	if line.hasRTX() {
		line.rtxSeq++
		h.SSRC, h.PayloadType, h.SequenceNumber = line.cfg.RTXSSRC, line.rtxPayloadType, line.rtxSeq
	} else {
		line.lastSeq++
		line.packets++
		h.SSRC, h.PayloadType, h.SequenceNumber = line.cfg.SSRC, line.payloadType, line.lastSeq
	}
	var zeros [maxPadding]byte
	zeros[n-1] = byte(n)
	_, err := line.emit(h, zeros[:n])
	return err
}

// keepReports sends a little padding where a receiver is shown less than it might be and is sent nothing else: without reports nothing
// would be known of its network ever again, and what is paused would stay so. The caller is in the loop.
func (d *downlink) keepReports(now time.Time) {
	if !d.verdict.Known || now.Sub(d.counted) < aliveEvery {
		return
	}
	for _, k := range d.sinks {
		if !k.granted.Limited || k.detached {
			continue
		}
		if l := d.padded(); l != nil {
			for range 2 {
				if l.padding(maxPadding) != nil {
					return
				}
			}
		}
		return
	}
}
