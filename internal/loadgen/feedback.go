package loadgen

import (
	"encoding/binary"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// feedbackEvery is how often full receivers report the arrival of what they got (transport-wide congestion control); browsers do
// every 50 to 250 ms. Light receivers cannot: to them most packets would seem lost.
const feedbackEvery = 100 * time.Millisecond

// feedback records arrivals for transport-wide feedback. It has no lock.
type feedback struct {
	recorder *twcc.Recorder
	began    time.Time
}

func newFeedback(own uint32) *feedback {
	return &feedback{recorder: twcc.NewRecorder(own), began: time.Now()}
}

// add takes a packet, whatever it holds. One without the header extension is nothing to it.
func (f *feedback) add(h *rtp.Header, arrived time.Time) {
	if ext := h.GetExtension(extTransport); len(ext) == 2 {
		f.recorder.Record(h.SSRC, binary.BigEndian.Uint16(ext), arrived.Sub(f.began).Microseconds())
	}
}

// transport is the feedback due now, nil where nothing came.
func (r *receiver) transport() []rtcp.Packet {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.feedback == nil || r.feedback.recorder.PacketsHeld() == 0 {
		return nil
	}
	return r.feedback.recorder.BuildFeedbackPacket()
}

// reports are the receiver reports due now (RFC 3550, section 6.4.2). Light receivers estimate loss from their sample.
func (r *receiver) reports(own uint32) []rtcp.Packet {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := &rtcp.ReceiverReport{SSRC: own}
	for ssrc, in := range r.streams {
		if !in.sequence.started {
			continue
		}
		if report.Reports = append(report.Reports, in.block(ssrc)); len(report.Reports) == 31 { // the field has 5 bits
			break
		}
	}
	if len(report.Reports) == 0 {
		return nil
	}
	return []rtcp.Packet{report}
}

// block is what a report says of one stream, and begins the next interval.
func (in *inbound) block(ssrc uint32) rtcp.ReceptionReport {
	b := rtcp.ReceptionReport{
		SSRC: ssrc, LastSequenceNumber: uint32(in.sequence.highest - seqBase), TotalLost: in.lost, Jitter: uint32(in.jitter),
	}
	received, expected := in.sequence.received-in.told[0], in.sequence.expected()-in.told[1]
	in.told = [2]uint64{in.sequence.received, in.sequence.expected()}
	if expected > received && expected < 1<<32 {
		b.FractionLost = uint8(min((expected-received)*256/expected, 255))
		in.lost = min(in.lost+uint32(expected-received)*uint32(max(in.sequence.every, 1)), 1<<23-1)
		b.TotalLost = in.lost
	}
	if in.report != 0 {
		b.LastSenderReport = in.report
		b.Delay = uint32(time.Since(in.reportAt) * 65536 / time.Second)
	}
	return b
}

// time takes a packet's times for the jitter (RFC 3550, section A.8).
func (in *inbound) time(timestamp uint32, arrived time.Time) {
	hz := int64(48_000)
	if in.video {
		hz = 90_000
	}
	transit := uint32(arrived.UnixMicro()*hz/1_000_000) - timestamp
	if in.transit != 0 {
		d := float64(int32(transit - in.transit))
		in.jitter += (max(d, -d) - in.jitter) / 16
	}
	in.transit = transit
}
