package sfu

import (
	"errors"
	"slices"
	"time"

	"github.com/pion/rtcp"

	"github.com/parley/parley/sfu/internal/allocate"
	"github.com/parley/parley/sfu/internal/layer"
	"github.com/parley/parley/sfu/internal/ntp"
	"github.com/parley/parley/sfu/internal/pace"
	"github.com/parley/parley/sfu/internal/ring"
)

const (
	maxResends = 10                    // of one packet, as often as browsers ask; three are too few where a tenth is lost
	minResend  = 20 * time.Millisecond // between two of one packet, or the round trip if that is longer
)

// Sink is one line's subscription to one source: made by Source.Attach, ended by Detach or by the source's Close. After that
// its methods do nothing. All may be called from any goroutine, except from within Egress or Upstream.
type Sink struct {
	// What each packet needs lies together, from the counters to the choice: TestHotFields.
	sinkCounts // Owned by the source's loop, as are all but source and line.

	// Static after construction.
	source *Source
	line   *Line

	current     int    // the stream that flows, -1: none yet
	seen        uint64 // of source.offered
	redundancy  uint8  // packets that are repeated, where the receiver takes RED
	unsent      bool   // the transport is not up yet
	flooded     bool   // its receiver's link has just been found to have fallen behind
	behind      bool   // it has: nothing is sent up to the next keyframe
	restart     bool   // the transport has just come up
	detached    bool
	unsupported bool // the receiver does not take the source's codec
	twin        bool // its peer is shown the source in another slot, too, or was
	choice           // which layers flow and may

	queued  uint64          // packets that wait for the receiver's link
	shown   layer.Size      // on the viewer's screen
	target  int             // the option that should flow, -1: none is live, or none is allowed
	granted allocate.Grant  // why it may not more
	memory  allocate.Memory // the allocator's
	room    int             // bit/s that its network has for it, 0: no limit is known
	since   time.Time       // when it began to wait for a keyframe
	rtt     time.Duration
	lossAt  time.Time // of the last bad report
	lossy   uint8     // packets to repeat, by loss
	afford  uint8     // and by what the receiver's network takes
}

// Attach starts forwarding to l, which must not be attached to any source: Detach the sink it had before. Width and height
// are the size in device pixels at which the picture is shown, 0 by 0: the smallest layer. A viewer is served at once with
// the last keyframe if that is recent, else with the next. A closed source gives a sink that stays silent,
// and so does a line of the wrong medium.
func (s *Source) Attach(now time.Time, l *Line, width, height int) *Sink {
	k := &Sink{source: s, line: l, shown: layer.Size{Width: width, Height: height}, current: -1, target: -1, redundancy: redundancy, lossy: redundancy, afford: maxRedundancy}
	k.choice.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || l.rate != s.rate {
		k.detached = true
		return k
	}
	l.history.clear() // it refers to another source's ring
	if l.from = nil; l.cfg.loop != nil && l.cfg.loop != s.mu {
		l.from = s.mu
	}
	l.sink, k.seen = k, s.offered
	for _, o := range s.sinks {
		if o.beside(k) {
			o.twin, k.twin = true, true
		}
	}
	s.sinks = append(s.sinks, k)
	s.choose(k, now)
	s.serve(k, now)
	return k
}

// Source returns what the sink shows.
func (k *Sink) Source() *Source { return k.source }

// Detach stops forwarding. When it returns, the line may be attached to another source.
func (k *Sink) Detach() {
	k.source.mu.Lock()
	defer k.source.mu.Unlock()
	k.source.detach(k)
}

func (s *Source) detach(k *Sink) {
	if k.detached {
		return
	}
	k.settleUp()
	k.detached = true
	k.forsake(dropCut)
	s.leave(k)
	s.wait(k, false, time.Time{})
	s.sinks = slices.DeleteFunc(s.sinks, func(o *Sink) bool { return o == k })
	s.gone.add(&k.sinkCounts)
}

// Resize tells the size in device pixels at which the picture is now shown; the layer follows it.
func (k *Sink) Resize(now time.Time, width, height int) {
	s := k.source
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.detached {
		return
	}
	k.shown = layer.Size{Width: width, Height: height}
	s.choose(k, now)
	s.serve(k, now)
}

// forward sends one packet of the current layer.
func (k *Sink) forward(p *ring.Slot, index uint16) {
	if d := k.line.pacing(); d != nil && (k.flooded || d.flooded(p)) {
		k.overflow()
		return
	}
	at := k.line.next(p.Num)
	if p.Num <= k.line.maxNum || k.turning || p.Temporal > k.temporal || p.Needed&k.mask == 0 {
		var ok bool
		if at, ok = k.sift(p); !ok {
			return
		}
	}
	payload, pt := p.Payload(), k.line.payloadType
	if k.line.red != 0 {
		payload, pt = k.redundantly(k.source.streams[k.current], p)
	}
	n, err := k.line.send(k, p, index, at, pt, payload)
	if err != nil && errors.Is(err, errWaits) {
		k.queued++
		return
	}
	k.sent(n, err, p)
}

// sent counts what became of a packet that was written.
func (k *Sink) sent(n int, err error, p *ring.Slot) {
	switch {
	case err != nil:
		k.drops[dropWriteFailed]++
		return
	case n == 0:
		k.unsent = true
		k.drops[dropUnconnected]++
		return
	}
	if k.unsent {
		k.unsent, k.restart = false, true
		k.source.restarts.Store(true)
	}
	k.packets++
	k.bytes += uint64(len(p.Payload()))
}

// begin is called when the sink's transport has come up. The caller is in the source's loop.
func (k *Sink) begin(now time.Time) {
	switch {
	case k.detached || k.source.muted.Load():
		return
	case !k.source.cfg.Kind.Video():
		k.source.greet(k, now)
		return
	case !k.unsent:
		return
	}
	k.unsent, k.restart = false, true
	k.source.restart(now)
}

// restart lets the sinks whose transport has just come up begin as if they were new: what they missed is most of a picture.
func (s *Source) restart(now time.Time) {
	s.restarts.Store(false)
	for _, k := range s.sinks {
		if !k.restart {
			continue
		}
		k.restart = false
		s.leave(k)
		s.choose(k, now)
		s.serveCached(k, now)
	}
	s.askKeyframes(now)
}

// Nack answers a receiver's RTCP NACK for the line's SSRC: it resends what is still there, at most ten times each.
func (k *Sink) Nack(now time.Time, seqs []uint16) {
	k.source.mu.Lock()
	defer k.source.mu.Unlock()
	if k.detached {
		return
	}
	for _, seq := range seqs {
		k.resend(now, seq)
	}
}

func (k *Sink) resend(now time.Time, seq uint16) {
	if !k.line.remembers() {
		k.drops[dropNackAlone]++
		return
	}
	e := k.line.history.find(seq)
	if e == nil || int16(seq-k.line.writtenSeq) > 0 { // it may wait to be sent at all
		k.drops[dropNackUnknown]++
		return
	}
	d := k.line.pacing()
	// On a thin link what is of little use would keep the keyframe waiting that shall replace it.
	if d.thin(now) && (k.current < 0 || k.line.stale(seq)) {
		k.drops[dropNackStale]++
		return
	}
	from := k.source.streams[e.layerIndex()]
	slot := from.ring.At(e.index, e.serial)
	if slot == nil {
		k.drops[dropNackEvicted]++
		return
	}
	if !k.line.hasRTX() {
		k.drops[dropNackAlone]++
		return
	}
	ms := uint32(now.UnixMilli())
	spacing := uint32(max(k.rtt, minResend) / time.Millisecond)
	if e.resends() >= maxResends || (e.resends() > 0 && ms-e.resentAt < spacing) {
		k.drops[dropNackRepeat]++
		return
	}
	e.layer += sentResend
	e.resentAt = ms
	if d != nil {
		switch d.repairs(k, seq, len(slot.Payload())) {
		case pace.Refuse:
			k.drops[dropNackRefused]++
			return
		case pace.Wait:
			return
		}
		defer d.written()
	}
	if _, err := k.line.resend(slot, e, &from.reader); err != nil {
		k.drops[dropNackFailed]++
		return
	}
	k.resent++
}

// RequestKeyframe passes on a receiver's PLI or FIR. It is throttled, and repeated until a keyframe flows.
func (k *Sink) RequestKeyframe(now time.Time) {
	s := k.source
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.detached || s.muted.Load() {
		return
	}
	if k.current >= 0 {
		if key := &s.streams[k.current].key; key.Wanted() || s.asking.take(k.line, now) {
			key.Ask()
		}
	}
	s.askKeyframes(now)
}

// SetRTT tells the round trip time to the receiver. It spaces retransmissions of one packet.
func (k *Sink) SetRTT(rtt time.Duration) {
	k.source.mu.Lock()
	defer k.source.mu.Unlock()
	k.rtt = rtt
}

// align returns the line's timestamp for a packet of the layer l, when sender reports tell how l's clock relates to that of
// the layer that the sink shows now.
func (s *Source) align(k *Sink, l *stream, timestamp uint32) (at uint32, known bool) {
	if k.current == l.index {
		return k.line.times.live(timestamp), true
	}
	if k.current < 0 || !l.reported || !s.streams[k.current].reported {
		return 0, false
	}
	old := s.streams[k.current]
	between := ntp.Ticks(ntp.Since(l.reportNTP, old.reportNTP), s.rate)
	same := old.reportRTP + uint32(between) + (timestamp - l.reportRTP) // in the old layer's clock
	return k.line.times.live(same), true
}

// SenderReport returns the RTCP sender report for the line, false when nothing was sent yet. NTP times are this machine's.
func (k *Sink) SenderReport(now time.Time) (rtcp.SenderReport, bool) {
	s, l := k.source, k.line
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.detached || k.current < 0 || !l.started {
		return rtcp.SenderReport{}, false
	}
	at := l.timeAt(now)
	if stream := s.streams[k.current]; stream.reported {
		passed := now.Sub(s.clock.local(stream.reportNTP))
		exact := l.times.live(stream.reportRTP + uint32(ntp.Ticks(passed, s.rate)))
		if d := int32(exact - at); d < int32(s.rate) && d > -int32(s.rate) { // reports off by over 1 s are wrong
			at = exact
		}
	}
	return rtcp.SenderReport{
		SSRC: l.cfg.SSRC, NTPTime: ntp.FromTime(now), RTPTime: at,
		PacketCount: l.packets, OctetCount: l.octets,
	}, true
}
