package loadgen

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestFilterSamples sends real datagrams to a socket with the filter.
func TestFilterSamples(t *testing.T) {
	t.Parallel()
	var got []uint16
	rtcp := 0
	s, err := listen(netip.MustParseAddr("127.0.0.1"), func(pkt []byte, arrived time.Time) {
		if pkt[1] == 200 {
			rtcp++
			return
		}
		if since := time.Since(arrived); since < 0 || since > time.Minute {
			t.Errorf("arrived %v ago", since)
		}
		got = append(got, binary.BigEndian.Uint16(pkt[2:]))
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := attach(s.conn, samplingFilter(7)); err != nil {
		t.Fatal(err)
	}
	before, err := drops(s.conn)
	if err != nil {
		t.Fatal(err)
	}
	out, err := net.Dial("udp", s.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	pkt := make([]byte, 64)
	pkt[0] = 0x80
	for seq := range uint16(100) {
		for _, second := range []byte{payloadOpus, payloadVideo, payloadVideo | 0x80, payloadOpus | 0x80} {
			pkt[1] = second
			binary.BigEndian.PutUint16(pkt[2:], seq)
			write(t, out, pkt)
		}
	}
	pkt[1] = 200
	write(t, out, pkt)
	write(t, out, []byte{0, 1, 0, 0}) // STUN
	b := make([]byte, 2048)
	if err := s.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, _, err := s.ReadFromAddrPort(b); n != 4 || err != nil {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if len(got) != 4*15 || rtcp != 1 {
		t.Errorf("%d of RTP and %d of RTCP came through", len(got), rtcp)
	}
	for _, seq := range got {
		if seq%7 != 0 {
			t.Errorf("packet %d came through", seq)
		}
	}
	after, err := drops(s.conn)
	if err != nil || after-before != 400-60 {
		t.Errorf("the kernel counted %d, %v", after-before, err)
	}
}

func write(t *testing.T, c net.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
}
