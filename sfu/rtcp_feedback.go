package sfu

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"

	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/sfu/internal/uplink"
)

const (
	// Encoders estimate their bandwidth from these; libwebrtc's receivers send them every 50 to 250 ms. Few packets say little:
	// sound alone, or a thin uplink, gets them half as often.
	transportFeedbackEvery  = 50 * time.Millisecond
	transportFeedbackWithin = 100 * time.Millisecond
	transportFeedbackMany   = 20 // packets
	transportJump           = 4096
	transportJumps          = 3
	receiverReportEvery     = time.Second
	maxReportBlocks         = 31 // RFC 3550, section 6.4.1: a 5-bit count
)

// feedback is what the client's encoders are told about the arrival of their packets: transport-wide congestion control
// feedback, and receiver reports. One lock is taken once per packet that comes in, by the only goroutine that receives.
type feedback struct {
	mu       sync.Mutex
	recorder *twcc.Recorder // Guarded by mu.
	numbers  numbers        // Guarded by mu.
	start    time.Time
	gauge    uplink.Gauge // Guarded by mu.
	loss     lossMeter    // Guarded by mu.
	streams  []*inStream  // Guarded by mu: those to report on.
	ssrc     uint32

	lastTransport, lastReports time.Time // Owned by who ticks.
	thin                       thin      // Owned by who ticks.
}

// reception is what a receiver report says of one stream (RFC 3550, appendices A.3 and A.8).
type reception struct {
	started                    bool
	base, highest              uint32 // extended sequence numbers
	received                   uint32
	expectedThen, receivedThen uint32 // at the last report
	lastExpected, lastLost     uint32 // between the last two
	loss                       lossMeter
	clock                      uint32 // Hz
	transit                    uint32
	jitter                     float64 // in clock ticks
	lastSR                     uint32  // the middle of its NTP time
	lastSRAt                   time.Time
}

func (f *feedback) init(ssrc uint32) {
	f.recorder, f.ssrc, f.start = twcc.NewRecorder(ssrc), ssrc, steady.Now()
}

// received accounts for one packet, retransmissions and probes included.
func (f *feedback) received(s *inStream, h header, b []byte, m *receiveMap, now time.Time) {
	ext := h.extension(b, m.ext.transportCC)
	f.mu.Lock()
	defer f.mu.Unlock()
	lost := 0
	if len(ext) == 2 {
		lost = f.arrived(s.ssrc, binary.BigEndian.Uint16(ext), now)
	}
	f.gauge.Came(now, len(b), lost)
	if hz := m.clocks[h.payloadType]; hz != 0 {
		if !s.reception.started {
			f.streams = append(f.streams, s)
		}
		s.reception.add(h, hz, uint32(now.Sub(f.start).Seconds()*float64(hz)))
		if m.rtx[h.payloadType] == 0 {
			f.gauge.Media(now, &s.clock, h.timestamp, hz)
		}
	}
}

// arrived records a packet's transport-wide number, and returns how many before it are missing. The caller holds mu.
func (f *feedback) arrived(ssrc uint32, seq uint16, now time.Time) (missing int) {
	if d := int16(seq - f.numbers.newest); f.numbers.started && d > 1 && d <= transportJump {
		missing = int(d) - 1
	}
	ok, again := f.numbers.next(seq)
	if again {
		f.recorder = twcc.NewRecorder(f.ssrc)
	}
	if ok {
		f.recorder.Record(ssrc, seq, now.Sub(f.start).Microseconds())
	}
	return missing
}

// numbers follows the transport-wide numbers of a client. The recorder remembers all between the lowest and the highest, so that one
// forged number would make it reserve and walk through half of all: jumps are believed when several packets in a row agree.
type numbers struct {
	started bool
	newest  uint16
	strange int    // numbers in a row that are far from newest
	far     uint16 // the last of these
}

// next reports whether a number is to be recorded, and whether the recorder must start anew before that.
func (n *numbers) next(seq uint16) (ok, again bool) {
	near := func(a uint16) bool { d := int16(seq - a); return d <= transportJump && d >= -transportJump }
	switch {
	case !n.started:
		n.started = true
	case near(n.newest):
		n.strange = 0
		if int16(seq-n.newest) < 0 {
			return true, false
		}
	case n.strange > 0 && near(n.far):
		if n.strange++; n.strange < transportJumps {
			n.far = seq
			return false, false
		}
		n.strange, again = 0, true
	default:
		n.strange, n.far = 1, seq
		return false, false
	}
	n.newest = seq
	return true, again
}

// due reports whether transport-wide feedback is to be sent now, with so many packets to report on.
func (f *feedback) due(now time.Time, held int) bool {
	since := now.Sub(f.lastTransport)
	return held > 0 && since >= transportFeedbackEvery && (held >= transportFeedbackMany || since >= transportFeedbackWithin)
}

func (f *feedback) senderReport(s *inStream, ntpTime uint64, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s.reception.lastSR, s.reception.lastSRAt = uint32(ntpTime>>16), now
}

// add takes one packet; arrival is in clock ticks.
func (r *reception) add(h header, hz, arrival uint32) {
	transit := arrival - h.timestamp
	if !r.started {
		sr, at := r.lastSR, r.lastSRAt
		*r = reception{
			started: true, base: uint32(h.seq), highest: uint32(h.seq), received: 1, clock: hz, transit: transit,
			lastSR: sr, lastSRAt: at,
		}
		return
	}
	r.received++
	delta := int16(h.seq - uint16(r.highest))
	if delta > 0 {
		r.highest += uint32(delta)
	}
	d := float64(int32(transit - r.transit))
	r.transit = transit
	if d < 0 {
		d = -d
	}
	r.jitter += (d - r.jitter) / 16
}

// block returns the report of now, and starts the next interval. It is false where nothing came since the last.
func (r *reception) block(ssrc uint32, now time.Time) (rtcp.ReceptionReport, bool) {
	if r.received == r.receivedThen {
		r.lastExpected, r.lastLost = 0, 0
		return rtcp.ReceptionReport{}, false
	}
	expected := r.highest - r.base + 1
	out := rtcp.ReceptionReport{
		SSRC: ssrc, LastSequenceNumber: r.highest, Jitter: uint32(r.jitter), LastSenderReport: r.lastSR,
	}
	if expected > r.received {
		out.TotalLost = min(expected-r.received, 1<<23-1)
	}
	if want, got := expected-r.expectedThen, r.received-r.receivedThen; want > got {
		out.FractionLost = uint8(min((want-got)*256/want, 255))
	}
	r.lastExpected, r.lastLost = expected-r.expectedThen, 0
	if got := r.received - r.receivedThen; got < r.lastExpected {
		r.lastLost = r.lastExpected - got
	}
	r.expectedThen, r.receivedThen = expected, r.received
	if r.lastSR != 0 {
		out.Delay = uint32(now.Sub(r.lastSRAt).Seconds() * 65536)
	}
	return out, true
}

// sendFeedback sends what is due to the client's encoders.
func (p *Peer) sendFeedback(now time.Time) {
	f := &p.feedback
	var pkts []rtcp.Packet
	f.mu.Lock()
	if f.due(now, f.recorder.PacketsHeld()) {
		f.lastTransport = now
		pkts = f.recorder.BuildFeedbackPacket()
	}
	var blocks []rtcp.ReceptionReport
	if now.Sub(f.lastReports) >= receiverReportEvery {
		f.lastReports = now
		for _, s := range f.streams {
			if b, ok := s.reception.block(s.ssrc, now); ok {
				blocks = append(blocks, b)
			}
			f.loss.add(now, int(s.reception.lastExpected), int(s.reception.lastLost))
			s.reception.loss.add(now, int(s.reception.lastExpected), int(s.reception.lastLost))
		}
	}
	limit, collapsed := f.gauge.Collapsed(now)
	f.mu.Unlock()
	p.followUplink(now, limit, collapsed)
	for len(blocks) > 0 {
		n := min(len(blocks), maxReportBlocks)
		p.writeRTCP(&rtcp.ReceiverReport{SSRC: p.ssrc, Reports: blocks[:n]})
		blocks = blocks[n:]
	}
	for _, pkt := range pkts { // each by itself: together they may not fit a datagram
		p.writeRTCP(pkt)
	}
}
