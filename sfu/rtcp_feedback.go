package sfu

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
)

const (
	// Encoders estimate their bandwidth from these; libwebrtc's receivers send them every 50 to 250 ms.
	transportFeedbackEvery = 50 * time.Millisecond
	receiverReportEvery    = time.Second
	maxReportBlocks        = 31 // RFC 3550, section 6.4.1: a 5-bit count
)

// feedback is what the client's encoders are told about the arrival of their packets: transport-wide congestion control
// feedback, and receiver reports. One lock is taken once per packet that comes in, by the only goroutine that receives.
type feedback struct {
	mu       sync.Mutex
	recorder *twcc.Recorder // Guarded by mu.
	start    time.Time
	streams  []*inStream // Guarded by mu: those to report on.
	ssrc     uint32

	lastTransport, lastReports time.Time // Owned by who ticks.
}

// reception is what a receiver report says of one stream (RFC 3550, appendices A.3 and A.8).
type reception struct {
	started                    bool
	base, highest              uint32 // extended sequence numbers
	received                   uint32
	expectedThen, receivedThen uint32 // at the last report
	lastExpected, lastLost     uint32 // between the last two
	clock                      uint32 // Hz
	transit                    uint32
	jitter                     float64 // in clock ticks
	lastSR                     uint32  // the middle of its NTP time
	lastSRAt                   time.Time
}

func (f *feedback) init(ssrc uint32) {
	f.recorder, f.ssrc, f.start = twcc.NewRecorder(ssrc), ssrc, time.Now()
}

// received accounts for one packet, retransmissions and probes included.
func (f *feedback) received(s *inStream, h header, b []byte, m *receiveMap, now time.Time) {
	ext := h.extension(b, m.ext.transportCC)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(ext) == 2 {
		f.recorder.Record(s.ssrc, binary.BigEndian.Uint16(ext), now.Sub(f.start).Microseconds())
	}
	if hz := m.clocks[h.payloadType]; hz != 0 {
		if !s.reception.started {
			f.streams = append(f.streams, s)
		}
		s.reception.add(h, hz, uint32(now.Sub(f.start).Seconds()*float64(hz)))
	}
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
	if now.Sub(f.lastTransport) >= transportFeedbackEvery && f.recorder.PacketsHeld() > 0 {
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
		}
	}
	f.mu.Unlock()
	for len(blocks) > 0 {
		n := min(len(blocks), maxReportBlocks)
		p.writeRTCP(&rtcp.ReceiverReport{SSRC: p.ssrc, Reports: blocks[:n]})
		blocks = blocks[n:]
	}
	for _, pkt := range pkts { // each by itself: together they may not fit a datagram
		p.writeRTCP(pkt)
	}
}
