package sfu

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/parley/parley/internal/batch"
)

// TestFramesAreMadeEven: parts of a frame that differ by a byte leave as one GSO run, and the receiver gets the payloads.
func TestFramesAreMadeEven(t *testing.T) {
	t.Parallel()
	r := newRawPlane(t, func(c *Config) { c.Plane = PlaneBatched })
	if !r.node.plane.segments() {
		t.Skip("no GSO here")
	}
	up(t, r.pub, r.from)
	sink, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	defer sink.Close()
	v := newBrowser(t, r.node, "v", browserConfig{slots: 1, noSend: true})
	answerOnly(t, v)
	up(t, v.peer, sink.LocalAddr().(*net.UDPAddr).AddrPort())
	must(t, v.peer.Show([]SlotView{{Video: r.cam, Width: 640, Height: 360}}))
	keys := testKeys()
	in, err := srtp.CreateContext(keys.Local.Key, keys.Local.Salt, keys.Profile)
	must(t, err)

	const frames = 20
	sizes := []int{998, 999, 999, 1000, 1000} // bytes, as encoders split
	var sent [][]byte
	seq := uint16(0)
	before := r.node.Stats().Socket
	for f := range uint16(frames) {
		for i, size := range sizes {
			payload := vp8Packets(f, f == 0 && i == 0, 640, 360, 1)[min(i, 1)]
			payload = append(payload, bytes.Repeat([]byte{byte(i)}, size-len(payload))...)
			sent = append(sent, payload)
			r.node.plane.readers[0].Packet(r.protectAt(t, seq, f, i == len(sizes)-1, payload), r.from, netip.Addr{})
			seq++
		}
		r.node.plane.readers[0].Done()
	}
	after := r.node.Stats().Socket
	must(t, sink.SetReadDeadline(time.Now().Add(patience)))
	b := make([]byte, batch.MaxPacket)
	padded := 0
	for i := range sent {
		n, _, err := sink.ReadFromUDPAddrPort(b)
		must(t, err)
		plain, err := in.DecryptRTP(nil, b[:n], nil)
		must(t, err)
		var p rtp.Packet
		must(t, p.Unmarshal(plain))
		if p.Padding {
			padded++
		}
		if p.Header.PaddingSize > evenMost {
			t.Errorf("packet %d: %d bytes of padding", i, p.Header.PaddingSize)
		}
		if tail := sent[i][20:]; !bytes.Equal(p.Payload[20:], tail) { // the picture id at the start is the line's
			t.Fatalf("packet %d: %d bytes, not %d", i, len(p.Payload), len(sent[i]))
		}
	}
	if messages := after.Messages - before.Messages; messages > frames+1 || padded == 0 {
		t.Errorf("%d frames left in %d messages, %d packets were padded", frames, messages, padded)
	}
}
