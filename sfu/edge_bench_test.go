package sfu

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// sinkConn counts the RTP that a node sends instead of sending it, so that a benchmark bills neither the system call nor the
// receivers.
type sinkConn struct {
	*net.UDPConn
	on   atomic.Bool
	sent atomic.Uint64
}

func (c *sinkConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	return c.UDPConn.ReadFromUDPAddrPort(b)
}

func (c *sinkConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if c.on.Load() && len(b) > 2 && b[0]>>6 == 2 && (b[1] < 192 || b[1] > 223) {
		c.sent.Add(1)
		return len(b), nil
	}
	return c.UDPConn.WriteToUDPAddrPort(b, to)
}

// BenchmarkForward is one 1200-byte packet from the source's door to pion's write at the socket (without the system call), for
// 1, 5 and 20 viewers; ns/packet is for each packet that leaves.
func BenchmarkForward(b *testing.B) {
	for _, viewers := range []int{1, 5, 20} {
		b.Run(fmt.Sprint(viewers), func(b *testing.B) { benchmarkForward(b, viewers) })
	}
}

func benchmarkForward(b *testing.B, viewers int) {
	var conn *sinkConn
	n := newTestNode(b, func(c *Config) {
		conn = &sinkConn{UDPConn: c.Conn.(*net.UDPConn)}
		c.Conn = conn
	})
	pub := join(b, n, "pub", browserConfig{})
	cam, err := pub.peer.Publish(Camera, false)
	must(b, err)
	for range viewers {
		v := join(b, n, "v", browserConfig{slots: 1, noSend: true})
		must(b, v.peer.Show([]SlotView{{Video: cam, Width: 640, Height: 360}}))
	}
	conn.on.Store(true)
	seq := uint16(0)
	packet := func(key bool) []byte {
		payload := append(vp8Packets(seq, key, 640, 360, 1)[0], make([]byte, 1000)...)
		raw, err := (&rtp.Packet{
			Header:  rtp.Header{Version: 2, PayloadType: 120, SSRC: 7, SequenceNumber: seq, Timestamp: uint32(seq) * 3000, Marker: true},
			Payload: payload,
		}).Marshal()
		must(b, err)
		return raw
	}
	cam.Receive(time.Now(), 0, packet(true))
	raw := packet(false)
	one := [1][]byte{raw}
	b.ReportAllocs()
	b.ResetTimer()
	start := conn.sent.Load()
	for b.Loop() {
		seq++
		raw[2], raw[3] = byte(seq>>8), byte(seq)
		cam.Receive(time.Now(), 0, one[:]...)
	}
	if out := conn.sent.Load() - start; out > 0 {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(out), "ns/packet")
	} else {
		b.Fatal("nothing was forwarded")
	}
}

// TestReceiveEdgeAllocatesNothing guards the zero allocations per packet of the receive edge, feedback included.
func TestReceiveEdgeAllocatesNothing(t *testing.T) {
	n := newTestNode(t, nil)
	a := join(t, n, "a", browserConfig{})
	_, err := a.peer.Publish(Camera, true) // muted: the source's part is measured elsewhere
	must(t, err)
	media := uint32(a.senders[Camera].GetParameters().Encodings[0].SSRC)
	st := a.peer.buffer(0, media).(*inStream)
	p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 120, SSRC: media}, Payload: make([]byte, 1100)}
	must(t, p.SetExtension(a.peer.receive.Load().ext.transportCC, []byte{0, 0}))
	raw, err := p.Marshal()
	must(t, err)
	seq := uint16(0)
	now := time.Now()
	write := func() {
		seq++
		now = now.Add(time.Millisecond)
		raw[2], raw[3] = byte(seq>>8), byte(seq)
		raw[17], raw[18] = byte(seq>>8), byte(seq)
		a.peer.receiveRTP(st, raw, now)
	}
	for range 2000 {
		write()
	}
	if got := testing.AllocsPerRun(2000, write); got > 0.02 { // the recorder's map grows now and then
		t.Errorf("%.2f allocations per packet", got)
	}
}
