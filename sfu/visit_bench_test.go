//go:build linux

package sfu

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/parley/parley/internal/batch"
	"github.com/parley/parley/sfu/internal/seal"
)

// visits is a publisher's sound and video and those who are shown them, whose packets nobody reads.
type visits struct {
	*rawPlane
	mic   *Source
	out   *batch.Sender
	seals []*seal.GCM // to compare with: of as many receivers
	to    []*batch.Dest
	seq   uint16
	now   time.Time
}

func newVisits(b *testing.B, viewers int) *visits {
	v := &visits{rawPlane: newRawPlane(b, func(c *Config) { c.Plane = PlaneBatched }), now: time.Now()}
	var err error
	v.mic, err = v.pub.Publish(Microphone, false)
	must(b, err)
	offer := newBrowser(b, v.node, "v", browserConfig{slots: 1, noSend: true, noData: true}).offer(nil)
	offer.SDP = strings.ReplaceAll(offer.SDP, "transport-cc", "other") // as those of the load generator
	conn := v.node.plane.conns[0]
	v.out = conn.NewSender()
	var sockets []*net.UDPConn
	for i := range viewers {
		p, err := v.node.NewPeer("v", "room", &events{})
		must(b, err)
		_, err = p.Negotiate(b.Context(), offer)
		must(b, err)
		if i < 20 {
			sockets = append(sockets, deafSocket(b))
		}
		at := sockets[i%len(sockets)].LocalAddr().(*net.UDPAddr).AddrPort()
		up(b, p, at)
		must(b, p.Show([]SlotView{{Video: v.cam, Audio: v.mic, Width: 640, Height: 360}}))
		g, err := seal.NewGCM(testKeys().Local)
		must(b, err)
		v.seals, v.to = append(v.seals, &g), append(v.to, conn.Dest(at))
	}
	return v
}

// atOnce is for how many receivers a sender holds n packets of that size.
func atOnce(n, size int) int { return min(60, 200_000/(n*(size+28))) }

// run gives every sink n packets of the size bytes, over and over, and returns how long that took without the system calls.
func (v *visits) run(b *testing.B, s *Source, pt uint8, n, size int) {
	var pkts [batchLen][]byte
	frame := func(start bool) [][]byte {
		for i := range n {
			payload := make([]byte, size)
			if s == v.cam {
				copy(payload, vp8Packets(v.seq, start && i == 0, 640, 360, 1)[min(i, 1)])
			}
			raw, err := (&rtp.Packet{
				Header:  rtp.Header{Version: 2, PayloadType: pt, SSRC: 77, SequenceNumber: v.seq, Timestamp: uint32(v.now.UnixMilli() * 90), Marker: i == n-1},
				Payload: payload,
			}).Marshal()
			must(b, err)
			pkts[i] = raw
			v.seq++
		}
		return pkts[:n]
	}
	l := s.mu
	v.now = v.now.Add(time.Second)
	s.Receive(v.now, 0, frame(true)...)
	st := s.streams[0]
	sinks := *st.sinks.Load()
	if len(sinks) != len(v.to) {
		b.Fatalf("%d sinks", len(sinks))
	}
	var indices [batchLen]uint16
	var took time.Duration
	packets := 0
	for b.Loop() {
		b.StopTimer()
		l.enter(v.out)
		v.now = v.now.Add(33 * time.Millisecond)
		l.now = v.now
		for i, pkt := range frame(false) {
			index, ok := s.ingest(st, pkt, v.now)
			if !ok {
				b.Fatal("not taken")
			}
			indices[i] = index
		}
		s.offered += uint64(n)
		b.StartTimer()
		for part := sinks; len(part) > 0; {
			m := min(len(part), atOnce(n, size))
			from := time.Now()
			for _, k := range part[:m] {
				k.take(st, indices[:n])
			}
			took += time.Since(from)
			v.out.Flush()
			part = part[m:]
			packets += m * n
		}
		l.Unlock()
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(packets), "own-ns/packet")
	b.ReportMetric(0, "ns/op")
}

// bare is what run cannot go below: a header and the cipher.
func (v *visits) bare(b *testing.B, n, size int) {
	owner, payload, seq := &nobody{}, make([]byte, size), uint16(0)
	var took time.Duration
	packets := 0
	for b.Loop() {
		for at := 0; at < len(v.to); {
			m := min(len(v.to)-at, atOnce(n, size))
			from := time.Now()
			for j := range m {
				for i := range uint16(n) {
					p := v.out.Next()[:12]
					p[0], p[1], p[2], p[3] = 0x80, 96, byte((seq+i)>>8), byte(seq+i)
					p = v.seals[at+j].Seal(p, payload, 1, 0, seq+i)
					v.out.Commit(len(p), v.to[at+j], owner, false)
				}
			}
			took += time.Since(from)
			v.out.Flush()
			at += m
			packets += m * n
		}
		seq += uint16(n)
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(packets), "own-ns/packet")
}

// BenchmarkVisit is what a packet costs for each who is shown it, encryption included and system calls left out: with few receivers all
// that is known of them stays in the core's first cache, with 1000 nothing does.
func BenchmarkVisit(b *testing.B) {
	for _, viewers := range []int{1, 50, 1000} {
		v := newVisits(b, viewers)
		b.Run(fmt.Sprintf("%d/sound", viewers), func(b *testing.B) { v.run(b, v.mic, 109, 1, 80) })
		b.Run(fmt.Sprintf("%d/sound/bare", viewers), func(b *testing.B) { v.bare(b, 1, 80) })
		b.Run(fmt.Sprintf("%d/video", viewers), func(b *testing.B) { v.run(b, v.cam, 120, 6, 1180) })
		b.Run(fmt.Sprintf("%d/video/bare", viewers), func(b *testing.B) { v.bare(b, 6, 1180) })
		b.Run(fmt.Sprintf("%d/small", viewers), func(b *testing.B) { v.run(b, v.cam, 120, 6, 80) })
		b.Run(fmt.Sprintf("%d/small/bare", viewers), func(b *testing.B) { v.bare(b, 6, 80) })
	}
}
