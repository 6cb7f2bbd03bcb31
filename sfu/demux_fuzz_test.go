package sfu

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/parley/parley/internal/mux"
)

// demuxed is how many datagrams the port has classified or refused.
func demuxed(u *mux.UDP) (n uint64) {
	st := u.Stats()
	for _, m := range []map[string]uint64{st.Received, st.Dropped} {
		for _, v := range m {
			n += v
		}
	}
	return n
}

// FuzzDemux throws datagrams at the port itself while a publisher's media flows to a viewer: from a stranger, from another port of the
// publisher's machine, and from the publisher's own. Whatever they are, the next packet of the publisher's arrives, nothing else
// does, and every one is counted.
func FuzzDemux(f *testing.F) {
	shared, err := mux.ListenUDP("127.0.0.1:0", 1)
	must(f, err)
	f.Cleanup(func() { _ = shared.Close() })
	at := shared.Media().LocalAddr()
	r := newRawPlane(f, func(c *Config) {
		must(f, c.Conn.Close())
		c.Conn, c.Plane = shared.Media(), PlaneBatched
	})
	dial := func(ip byte) *net.UDPConn {
		c, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, ip)}, at.(*net.UDPAddr))
		must(f, err)
		f.Cleanup(func() { _ = c.Close() })
		return c
	}
	from := []*net.UDPConn{dial(1), dial(1), dial(9)}
	r.from = from[0].LocalAddr().(*net.UDPAddr).AddrPort()
	up(f, r.pub, r.from)
	v := newSocketViewer(f, r)
	own := r.protect(f, 0, []byte("payload"))
	seeds := [][]byte{
		nil,
		{0},
		{0x80},
		{0xff},
		own[:len(own)-1], own[:20],
		{0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 6, 0, 3, 'a', ':', 'b', 0}, // Binding with USERNAME
		{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},                               // STUN for all
		{0, 3, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},                               // Allocate
		{0x40, 1, 0, 4, 1, 2, 3, 4},
		{0x40, 1, 0, 9, 1}, // ChannelData
		{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4},
		{20, 0xfe, 0xfd}, // DTLS
		{0x80, 200, 0, 1, 1, 2, 3, 4, 0x80, 0, 0, 1},
		{0x8f, 205, 0xff, 0xff, 1, 2, 3, 4}, // RTCP
		append([]byte{0x90, 120, 0, 1, 0, 0, 0, 0}, own[8:]...),
	}
	for _, s := range seeds {
		for who := range byte(len(from)) {
			f.Add(s, who)
		}
	}
	seq := uint16(0)
	f.Fuzz(func(t *testing.T, b []byte, who byte) {
		b = b[:min(len(b), 1400)]
		before := demuxed(shared)
		_, err := from[int(who)%len(from)].Write(b)
		must(t, err)
		seq++
		r.node.plane.learn(r.from, r.pub.leg) // many forged packets take the address away until ICE finds it again
		tag := byte(seq)
		_, err = from[0].Write(r.protect(t, seq, append(vp8Packets(seq, true, 1280, 720, 1)[0], byte(seq>>8), tag)))
		must(t, err)
		p := v.next(t)
		if !bytes.HasSuffix(p.Payload, []byte{byte(seq >> 8), tag}) {
			t.Fatalf("the viewer got %x", p.Payload)
		}
		if r.pub.count.panics.Load() != 0 || v.peer.count.panics.Load() != 0 {
			t.Fatal("panic")
		}
		if r.pub.count.moved.Load() != 0 {
			t.Fatal("somebody moved the publisher")
		}
		for deadline := time.Now().Add(5 * time.Second); demuxed(shared) < before+2; {
			if time.Now().After(deadline) {
				t.Fatalf("%d of 2 datagrams are counted", demuxed(shared)-before)
			}
		}
	})
}

// next waits for the next packet of media.
func (v *socketViewer) next(t *testing.T) rtp.Packet {
	t.Helper()
	must(t, v.conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	b := make([]byte, 2000)
	for {
		n, err := v.conn.Read(b)
		must(t, err)
		if !isRTP(b[:n]) {
			continue
		}
		plain, err := v.in.DecryptRTP(nil, b[:n], nil)
		must(t, err)
		var p rtp.Packet
		must(t, p.Unmarshal(plain))
		if p.SSRC == v.line.ssrc {
			return p
		}
	}
}
