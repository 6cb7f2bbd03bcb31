package sfu

import (
	"io"
	"slices"
	"time"

	"github.com/pion/rtcp"

	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/sfu/internal/ntp"
)

const maxRTT = 5 * time.Second // longer ones are taken for a mistake in the report

// rtcpStream takes the RTCP that is addressed to one SSRC. pion's SRTCP session parses and splits compound packets, and
// writes each part to the streams of all SSRCs it is about, in the one goroutine that reads the session. See edge.go.
type rtcpStream struct {
	peer *Peer
	ssrc uint32
}

// Write takes one RTCP packet from the SRTCP session.
func (s *rtcpStream) Write(b []byte) (int, error) {
	defer s.peer.guard("rtcp")
	pkts, err := rtcp.Unmarshal(b)
	if err != nil {
		s.peer.count.malformed.Add(1)
		return len(b), nil
	}
	now := steady.Now()
	for _, pkt := range pkts {
		s.peer.receiveRTCP(s.ssrc, pkt, now)
	}
	return len(b), nil
}

// Read has nothing: see Write.
func (s *rtcpStream) Read([]byte) (int, error) { return 0, io.EOF }

// Close does nothing: see inStream.
func (s *rtcpStream) Close() error { return nil }

// receiveRTCP acts on what pkt says about ssrc: one of the client's streams, or one of our lines.
func (p *Peer) receiveRTCP(ssrc uint32, pkt rtcp.Packet, now time.Time) {
	l := p.send.Load().bySSRC[ssrc]
	switch pkt := pkt.(type) {
	case *rtcp.SenderReport:
		if pkt.SSRC == ssrc {
			p.receiveSenderReport(pkt, now)
		}
		p.receiveReports(l, pkt.Reports, now)
	case *rtcp.ReceiverReport:
		p.receiveReports(l, pkt.Reports, now)
	case *rtcp.TransportLayerNack:
		if l == nil || pkt.MediaSSRC != ssrc {
			return
		}
		if k := l.sink.Load(); k != nil {
			var seqs []uint16
			for _, pair := range pkt.Nacks {
				if len(seqs) >= videoHistory { // a line remembers no more, and the loop is everybody's
					break
				}
				seqs = append(seqs, pair.PacketList()...)
			}
			p.count.nacksIn.Add(uint64(len(seqs)))
			k.Nack(now, seqs)
		}
	case *rtcp.ReceiverEstimatedMaximumBitrate:
		if len(pkt.SSRCs) > 0 && pkt.SSRCs[0] == ssrc { // it comes once for each
			p.downlink.remb(now, pkt.Bitrate)
		}
	case *rtcp.PictureLossIndication:
		p.wantKeyframe(l, pkt.MediaSSRC == ssrc, now)
	case *rtcp.FullIntraRequest:
		about := slices.ContainsFunc(pkt.FIR, func(e rtcp.FIREntry) bool { return e.SSRC == ssrc })
		p.wantKeyframe(l, about, now)
	}
}

func (p *Peer) wantKeyframe(l *slotLine, about bool, now time.Time) {
	if l == nil || !about {
		return
	}
	p.count.keyframesAsked.Add(1)
	if k := l.sink.Load(); k != nil {
		k.RequestKeyframe(now)
	}
}

func (p *Peer) receiveSenderReport(sr *rtcp.SenderReport, now time.Time) {
	s := p.stream(sr.SSRC)
	if s == nil {
		return
	}
	p.feedback.senderReport(s, sr.NTPTime, now)
	if to := s.to.Load(); to != nil && !to.repair {
		to.line.source.HandleSenderReport(now, sr.SSRC, sr.NTPTime, sr.RTPTime)
	}
}

// receiveReports takes the round trip time from the blocks about our line (RFC 3550, section 6.4.1). It is the client's as a
// whole: its sources and all its sinks get it.
func (p *Peer) receiveReports(l *slotLine, reports []rtcp.ReceptionReport, now time.Time) {
	if l == nil {
		return
	}
	for _, r := range reports {
		if r.SSRC != l.ssrc {
			continue
		}
		p.downlink.received(now, l, &r, p.RTT())
		if r.LastSenderReport == 0 {
			continue
		}
		units := uint32(ntp.FromTime(now)>>16) - r.LastSenderReport - r.Delay
		rtt := time.Duration(units) * time.Second >> 16
		if units > 1<<31 || rtt > maxRTT {
			continue
		}
		if old := p.RTT(); old > 0 {
			rtt = (3*old + rtt) / 4
		}
		rtt = max(rtt, time.Millisecond/10)
		p.rtt.Store(int64(rtt))
		if k := l.sink.Load(); k != nil {
			k.SetRTT(rtt)
		}
		for _, s := range p.receive.Load().lines {
			s.source.SetRTT(rtt)
		}
	}
}

// RTT returns the smoothed round trip time to the client, 0 while it is not known. It is measured on what the client is shown.
func (p *Peer) RTT() time.Duration { return time.Duration(p.rtt.Load()) }

// RequestKeyframe sends a PLI, or a FIR where the client does not take PLI.
func (l *sendLine) RequestKeyframe(ssrc uint32) {
	l.peer.count.keyframesSent.Add(1)
	var pkt rtcp.Packet = &rtcp.PictureLossIndication{SenderSSRC: l.peer.ssrc, MediaSSRC: ssrc}
	if !l.pli {
		l.fir++
		pkt = &rtcp.FullIntraRequest{
			SenderSSRC: l.peer.ssrc, MediaSSRC: ssrc,
			FIR: []rtcp.FIREntry{{SSRC: ssrc, SequenceNumber: l.fir}},
		}
	}
	l.peer.writeRTCPInLoop(pkt)
}

// Nack asks the client to send packets again.
func (l *sendLine) Nack(ssrc uint32, seqs []uint16) {
	l.peer.count.nacksOut.Add(uint64(len(seqs)))
	l.peer.writeRTCPInLoop(&rtcp.TransportLayerNack{
		SenderSSRC: l.peer.ssrc, MediaSSRC: ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs),
	})
}

var _ Upstream = (*sendLine)(nil)

// writeRTCP sends packets to the client, as one compound packet. Before the transport is there, and after its end, they are lost:
// RTCP always may be.
func (p *Peer) writeRTCP(pkts ...rtcp.Packet) {
	p.loop.Lock()
	defer p.loop.Unlock()
	p.writeRTCPInLoop(pkts...)
}

// writeRTCPInLoop is writeRTCP for who is in the peer's loop.
func (p *Peer) writeRTCPInLoop(pkts ...rtcp.Packet) {
	if p.State() != PeerConnected && p.State() != PeerDisconnected {
		return
	}
	if err := p.transport.writeRTCP(pkts); err != nil {
		p.count.rtcpFailed.Add(1)
	}
}

// sendSenderReports tells the receiver how the clocks of the lines run, each line's once a second.
func (p *Peer) sendSenderReports(now time.Time) {
	for _, compound := range p.senderReports(now) {
		p.writeRTCP(compound...)
	}
}

// senderReports returns what is due, as compound packets. When one line's is due, those that are due within half that time go with it,
// and from then on together: each packet is a send of its own.
func (p *Peer) senderReports(now time.Time) (compounds [][]rtcp.Packet) {
	lines := p.send.Load().lines
	if !slices.ContainsFunc(lines, func(l *slotLine) bool { return l.reports(now) }) {
		return nil
	}
	var pkts []rtcp.Packet
	for _, l := range lines {
		k := l.sink.Load()
		if k == nil || !l.reports(now.Add(senderReportEvery/2)) {
			continue
		}
		sr, ok := k.SenderReport(now)
		if !ok {
			continue
		}
		l.reportDue.Store(now.Add(senderReportEvery).UnixNano())
		if pkts = append(pkts, &sr, l.describes()); len(pkts) == 2*maxReports {
			compounds, pkts = append(compounds, pkts), nil
		}
	}
	if len(pkts) > 0 {
		compounds = append(compounds, pkts)
	}
	return compounds
}

// maxReports is how many sender reports with descriptions a packet holds: up to 100 bytes each.
const maxReports = 10

// reports says whether a sender report is due.
func (l *slotLine) reports(now time.Time) bool {
	wait := time.Duration(l.reportDue.Load() - now.UnixNano())
	return l.sink.Load() != nil && (wait <= 0 || wait > senderReportEvery) // longer: the machine's clock was set back
}

// describes returns what goes with the line's sender reports.
func (l *slotLine) describes() *rtcp.SourceDescription {
	return &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
		Source: l.ssrc,
		Items:  []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: l.stream}},
	}}}
}
