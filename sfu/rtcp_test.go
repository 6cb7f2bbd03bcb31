package sfu

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// TestReportsGoTogether: the sender reports of a receiver's lines share compound packets, of maxReports at most, and each line's are a
// second apart.
func TestReportsGoTogether(t *testing.T) {
	t.Parallel()
	r := newRawPlane(t, func(c *Config) { c.Plane = PlaneBatched })
	up(t, r.pub, r.from)
	const slots = maxReports + 2
	v := newSocketViewerAs(t, r, browserConfig{slots: slots, noSend: true})
	v.peer.loop.ticks.running.Lock() // nothing is reported but from here
	defer v.peer.loop.ticks.running.Unlock()
	seq := uint16(1)
	r.frame(t, &seq, 1, true, 1)
	now := time.Now()
	for i, l := range v.peer.send.Load().lines {
		l.reportDue.Store(now.Add(time.Duration(i-5) * time.Millisecond).UnixNano())
	}
	for _, c := range []struct {
		after time.Duration
		want  []int // packets of each compound: a report and a description for each line
	}{
		{0, []int{2 * maxReports, 4}},
		{senderReportEvery * 3 / 4, nil},
		{senderReportEvery, []int{2 * maxReports, 4}},
	} {
		var got []int
		for _, compound := range v.peer.senderReports(now.Add(c.after)) {
			got = append(got, len(compound))
			if raw, err := rtcp.Marshal(compound); err != nil || len(raw) > 1200 {
				t.Errorf("%d bytes, %v", len(raw), err)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("after %v: %v, want %v", c.after, got, c.want)
		}
	}
}

// TestNackIsBounded guards the loop's time: a NACK of one datagram can name 6000 packets.
func TestNackIsBounded(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	a, b := join(t, n, "a", browserConfig{}), join(t, n, "b", browserConfig{slots: 1})
	cam, err := a.peer.Publish(Camera, false)
	must(t, err)
	must(t, b.peer.Show([]SlotView{{Video: cam, Width: 640, Height: 360}}))
	line := b.peer.slots[0].video
	nack := &rtcp.TransportLayerNack{MediaSSRC: line.ssrc}
	for i := range 350 {
		nack.Nacks = append(nack.Nacks, rtcp.NackPair{PacketID: uint16(17 * i), LostPackets: 0xffff})
	}
	before := b.peer.count.nacksIn.Load()
	b.peer.receiveRTCP(line.ssrc, nack, time.Now())
	if got := b.peer.count.nacksIn.Load() - before; got < videoHistory || got > videoHistory+17 {
		t.Errorf("%d packets were looked for", got)
	}
}
