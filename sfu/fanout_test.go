package sfu

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// hole is an egress that costs nothing.
type hole struct{ packets uint64 }

func (h *hole) WriteRTP(_ *rtp.Header, payload []byte) (int, error) {
	h.packets++
	return len(payload), nil
}

// fanout returns a function that forwards one batch of 1200-byte packets to n sinks.
func fanout(tb testing.TB, sinks, batch int) (forward func(), out *hole) {
	p := newPublisher(tb, 1)
	out = &hole{}
	for range sinks {
		p.src.Attach(p.now, NewLine(LineConfig{
			Video: true, SSRC: lineSSRC, RTXSSRC: rtxSSRC, Egress: out, Codecs: []Codec{{MimeType: "video/VP8", PayloadType: 120}},
		}), 640, 360)
	}
	first := p.encode(0, true)[0]
	p.src.Receive(p.now, 0, first)
	pkts := make([][]byte, batch)
	for i := range pkts {
		pkts[i] = append(p.encode(0, false)[0], make([]byte, 1200-30)...)
	}
	seq, now := p.layers[0].seq-uint16(batch), p.now
	return func() {
		now = now.Add(time.Millisecond)
		for _, pkt := range pkts {
			binary.BigEndian.PutUint16(pkt[2:], seq)
			binary.BigEndian.PutUint32(pkt[4:], uint32(now.Sub(epoch).Milliseconds())*90)
			seq++
		}
		p.src.Receive(now, 0, pkts...)
	}, out
}

func TestForwardingDoesNotAllocate(t *testing.T) { // not parallel: AllocsPerRun
	for _, batch := range []int{1, 8} {
		forward, out := fanout(t, 100, batch)
		for range 2000 { // the ring grows to its full length
			forward()
		}
		out.packets = 0
		if n := testing.AllocsPerRun(500, forward); n != 0 {
			t.Errorf("batch of %d: %v allocations", batch, n)
		}
		if want := uint64(501 * 100 * batch); out.packets != want {
			t.Errorf("batch of %d: %d packets, want %d", batch, out.packets, want)
		}
	}
}

func TestResendDoesNotAllocate(t *testing.T) {
	p, v := newPublisher(t, 1), &hole{}
	k := p.src.Attach(p.now, NewLine(LineConfig{
		Video: true, SSRC: lineSSRC, RTXSSRC: rtxSSRC, Egress: v, Codecs: []Codec{{MimeType: "video/VP8", PayloadType: 120, RTX: 121}},
	}), 640, 360)
	p.all(true)
	seqs := []uint16{k.line.lastSeq}
	now := p.now
	if n := testing.AllocsPerRun(100, func() {
		now = now.Add(time.Second)
		k.Nack(now, seqs)
		k.SenderReport(now)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFanout(b *testing.B) {
	for _, sinks := range []int{1, 10, 100, 1000} {
		for _, batch := range []int{1, 8} {
			b.Run(fmt.Sprintf("%d/batch=%d", sinks, batch), func(b *testing.B) {
				forward, _ := fanout(b, sinks, batch)
				b.ReportAllocs()
				for b.Loop() {
					forward()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*sinks*batch), "ns/packet-sink")
			})
		}
	}
}

// Everything at once, for the race detector: no packet may be lost to a viewer that stays.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 3), &viewer{}
	p.src.cfg.Upstream = nil
	p.all(true)
	p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	v.take()
	speakers := NewSpeakers()
	speakers.Add("a", p.src)
	var ms atomic.Int64
	now := func() time.Time { return p.now.Add(time.Duration(ms.Load()) * time.Millisecond) }
	var publishers, others sync.WaitGroup
	done := make(chan struct{})
	for i, e := range p.layers {
		publishers.Go(func() {
			base := e.ts + uint32(p.now.Sub(epoch).Milliseconds())*90
			for range 2000 {
				e.frame++
				e.pid++
				p.src.Receive(now(), i, e.packet(base+uint32(ms.Add(1))*90, true, true, e.frame%50 == 0))
			}
		})
	}
	until := func(f func(i int)) {
		others.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
					f(i)
				}
			}
		})
	}
	line := newVideoLine(&viewer{})
	until(func(i int) {
		k := p.src.Attach(now(), line, 160<<(i%4), 90<<(i%4))
		k.Resize(now(), 640, 360)
		k.Nack(now(), []uint16{uint16(i), uint16(7 * i)})
		k.RequestKeyframe(now())
		k.SenderReport(now())
		k.Detach()
	})
	until(func(int) { p.src.Tick(now()); p.src.Stats(now()) })
	until(func(int) { speakers.Update(now()); p.src.HandleSenderReport(now(), 1000, 1, 2) })
	publishers.Wait()
	close(done)
	others.Wait()
	out := v.take()
	for i := 1; i < len(out); i++ {
		if out[i].SequenceNumber != out[i-1].SequenceNumber+1 {
			t.Fatalf("packet %d: sequence %d after %d", i, out[i].SequenceNumber, out[i-1].SequenceNumber)
		}
	}
	// How much came through hangs on who ran when: a layer whose turn was late was silent. But nothing may be left stuck.
	p.now = now().Add(time.Second)
	for range 20 * 30 {
		for i := range p.layers {
			p.send(i, p.layers[i].frame%50 == 0)
		}
		p.tick()
	}
	if n := len(v.take()); n < 5*30 {
		t.Errorf("only %d packets in 20 s after it", n)
	}
}
