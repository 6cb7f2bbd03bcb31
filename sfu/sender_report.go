package sfu

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/parley/parley/sfu/internal/ntp"
)

const (
	senderReportEvery = time.Second
	// After a switch the receiver should soon know how the new source's audio and video line up.
	senderReportAfterSwitch = 100 * time.Millisecond
	// reportPatience is how long a sender report waits for media to leave with. By itself it is a system call of 20 µs, or more.
	reportPatience = 100 * time.Millisecond
	maxReporting   = 32 // receivers whose reports leave with one batch, which they hold up
	maxReports     = 10 // sender reports with descriptions in one packet: up to 100 bytes each
)

// reportWithMedia lets sender reports leave with what has just been written. The caller is in the loop.
func (l *loop) reportWithMedia() {
	if l.out == nil || !l.out.Pending() {
		return
	}
	l.reporting = l.ticks.reports(l.now, 0, maxReporting, l.reporting[:0])
	for _, p := range l.reporting {
		p.reportHere(l.now)
	}
	clear(l.reporting)
}

// reportAlone sends to receivers for which nothing else was written. The caller is in no loop.
func (l *loop) reportAlone(to []*Peer, now time.Time) {
	l.Lock()
	defer l.Unlock()
	for _, p := range to {
		p.reportHere(now)
	}
}

// reportHere tells the receiver how the clocks of the lines run whose sources are in the loop. The caller is in it.
func (p *Peer) reportHere(now time.Time) {
	defer p.guard("report")
	if p.closed.Load() {
		return
	}
	compounds, next := p.senderReports(now, true)
	for _, pkts := range compounds {
		p.writeRTCPInLoop(pkts...)
	}
	p.loop.ticks.reportBy(p, next)
}

// reportElsewhere does it for lines whose sources are in other loops, and returns when it is next. The caller is in none.
func (p *Peer) reportElsewhere(now time.Time) (next int64) {
	if !p.elsewhere.Load() {
		return never
	}
	compounds, next := p.senderReports(now, false)
	for _, pkts := range compounds {
		p.writeRTCP(pkts...)
	}
	return next
}

// senderReports returns what is due for the lines whose sources are here, in the peer's loop, or for the others, as compound packets,
// and when something is next, Unix nanoseconds. Each line's is due once a second. When one's is, those that are due within half that time
// go with it, and from then on together. The caller is in the loop for what is here, else in none.
func (p *Peer) senderReports(now time.Time, here bool) (compounds [][]rtcp.Packet, next int64) {
	lines := p.send.Load().lines
	if next = nextReport(lines, here); !isDue(next, now, senderReportEvery) {
		return nil, next
	}
	due := next // the receivers of a loop are to keep their distance
	if late := now.UnixNano() - due; late < 0 || late > int64(senderReportEvery/2) {
		due = now.UnixNano()
	}
	var pkts []rtcp.Packet
	for _, l := range lines {
		k := l.sink.Load()
		if k == nil || l.here(k) != here || !isDue(l.reportDue.Load(), now.Add(senderReportEvery/2), senderReportEvery) {
			continue
		}
		report := k.SenderReport
		if here {
			report = k.senderReport
		}
		sr, ok := report(now)
		if !ok {
			l.reportDue.Store(now.Add(k.reportLater()).UnixNano())
			continue
		}
		l.reportDue.Store(due + int64(senderReportEvery))
		if pkts = append(pkts, &sr, l.describes()); len(pkts) == 2*maxReports {
			compounds, pkts = append(compounds, pkts), nil
		}
	}
	if len(pkts) > 0 {
		compounds = append(compounds, pkts)
	}
	return compounds, nextReport(lines, here)
}

// nextReport returns when the first line's report is due.
func nextReport(lines []*slotLine, here bool) int64 {
	next := int64(never)
	for _, l := range lines {
		if k := l.sink.Load(); k != nil && l.here(k) == here {
			next = min(next, l.reportDue.Load())
		}
	}
	return next
}

// here reports whether k's source is in the loop of the line's peer.
func (l *slotLine) here(k *Sink) bool { return k.source.mu == l.peer.loop }

// describes returns what goes with the line's sender reports.
func (l *slotLine) describes() *rtcp.SourceDescription {
	return &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
		Source: l.ssrc,
		Items:  []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: l.stream}},
	}}}
}

// SenderReport returns the RTCP sender report for the line, false when nothing was sent yet. NTP times are this machine's.
func (k *Sink) SenderReport(now time.Time) (rtcp.SenderReport, bool) {
	k.source.mu.Lock()
	defer k.source.mu.Unlock()
	return k.senderReport(now)
}

// senderReport is SenderReport for who is in the source's loop.
func (k *Sink) senderReport(now time.Time) (rtcp.SenderReport, bool) {
	s, l := k.source, k.line
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

// reportLater is in how long to look again for something to report on.
func (k *Sink) reportLater() time.Duration {
	if k.source.muted.Load() {
		return senderReportEvery / 4
	}
	return senderReportAfterSwitch
}
