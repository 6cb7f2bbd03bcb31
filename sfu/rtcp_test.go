package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

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
