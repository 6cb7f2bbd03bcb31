package sfu

import (
	"time"

	"github.com/parley/parley/sfu/internal/pace"
	"github.com/parley/parley/sfu/internal/ring"
)

// admits reports whether a packet of k may be written now, where there is a rate. If not, it waits in the pacer, known by its number in the line. The
// caller is in the loop.
func (d *downlink) admits(k *Sink, seq uint16, payload int, key bool) bool {
	size := payload + udpOverhead
	now := d.loop.clock()
	if d.paid = d.pacer.Media(now, size); d.paid {
		return true
	}
	d.counts.paced++
	d.pacer.Queue(pace.Packet[*Sink]{Line: k, Seq: seq, Size: size, Key: key})
	d.wake(now)
	return false
}

// repairs is admits for a retransmission; refused: it is not to be sent at all.
func (d *downlink) repairs(k *Sink, seq uint16, payload int) pace.Verdict {
	size := payload + udpOverhead
	now := d.loop.clock()
	v := d.pacer.Repair(now, size)
	d.paid = v == pace.Send
	if v == pace.Wait {
		d.pacer.Queue(pace.Packet[*Sink]{Line: k, Seq: seq, Size: size, Repair: true})
		d.wake(now)
	}
	return v
}

// thin reports whether congestion was met lately.
func (d *downlink) thin(now time.Time) bool {
	return d != nil && d.decreases > 0 && now.Sub(d.decreased) < cautious
}

// written ends what admits and repairs began.
func (d *downlink) written() { d.paid = false }

// wake makes sure that beat is called when the next run may leave.
func (d *downlink) wake(now time.Time) {
	if d.probe.active() { // which does not wait for what the pacer waits for
		d.beating = true
		d.peer.node.metronome.at(d, now.Add(probeStep))
		return
	}
	if d.beating {
		return
	}
	if wait, ok := d.pacer.Wait(now); ok {
		d.beating = true
		d.peer.node.metronome.at(d, now.Add(wait))
	}
}

// wakeAt asks for a beat at a time, at the latest.
func (d *downlink) wakeAt(when time.Time) { d.peer.node.metronome.at(d, when) }

// beat sends what is due. The caller is in the loop.
func (d *downlink) beat(now time.Time) {
	defer d.peer.guard("pace")
	d.beating = false
	if d.peer.closed.Load() {
		return
	}
	for {
		q, ok := d.pacer.Next(now)
		if !ok {
			break
		}
		d.paid = true
		q.Line.release(q)
		d.paid = false
	}
	if d.probe.active() {
		d.pad(now)
	}
	if d.urgent && d.est != nil {
		d.share(now)
	}
	d.wake(now)
}

// release sends a packet that waited. The caller is in the loop.
func (k *Sink) release(q pace.Packet[*Sink]) {
	if k.detached {
		return
	}
	gone := dropNackEvicted
	if !q.Repair {
		k.queued--
		gone = dropPacedLate
	}
	e := k.line.history.find(q.Seq)
	if e == nil {
		k.drops[gone]++
		return
	}
	from := k.source.streams[e.layerIndex()]
	slot := from.ring.At(e.index, e.serial)
	if slot == nil {
		k.drops[gone]++
		return
	}
	if !q.Repair {
		n, err := k.line.delayed(slot, e, &from.reader)
		k.sent(n, err, slot)
		return
	}
	if _, err := k.line.resend(slot, e, &from.reader); err != nil {
		k.drops[dropNackFailed]++
		return
	}
	k.resent++
}

// flooded reports whether more waits of a line than its link will take in time: then the rest up to the next keyframe is dropped.
func (d *downlink) flooded(p *ring.Slot) bool {
	return d.pacer.Waiting() > 0 && !p.Start && d.pacer.Full()
}
