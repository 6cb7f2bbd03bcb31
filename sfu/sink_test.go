package sfu

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"

	"github.com/parley/parley/sfu/internal/ntp"
)

// ssrcs returns the publisher's SSRCs in the order in which they were shown.
func ssrcs(pkts []rtp.Packet) (order []uint32) {
	for _, p := range pkts {
		if c := contentOf(p.Payload); len(order) == 0 || order[len(order)-1] != c.ssrc {
			order = append(order, c.ssrc)
		}
	}
	return order
}

func TestLayerFollowsSize(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 3), &viewer{}
	p.all(true)
	k := p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	p.serve(10)
	for _, size := range [][2]int{{160, 90}, {640, 360}, {1280, 720}, {320, 180}} {
		k.Resize(p.now, size[0], size[1])
		if n := len(p.up.plis); n > 1 {
			t.Errorf("%v: %d PLIs", size, n)
		}
		v.take()
		p.send(0, false)
		p.send(1, false)
		p.send(2, false)
		if got := ssrcs(v.take()); len(got) != 1 {
			t.Errorf("%v: switched without a keyframe: %v", size, got)
		}
		p.tick()
		p.serve(15)
	}
	st := p.src.Stats(p.now).Sinks[0]
	if st.Current != 0 || st.Target != 0 || st.Waiting != 0 {
		t.Errorf("%+v", st)
	}
}

func TestSwitchesAreContinuous(t *testing.T) {
	t.Parallel()
	for _, reports := range []bool{false, true} {
		p, v := newPublisher(t, 3), &viewer{}
		p.all(true)
		k := p.src.Attach(p.now, newVideoLine(v), 1280, 720)
		p.serve(5)
		if reports {
			for _, e := range p.layers {
				p.src.HandleSenderReport(p.now, e.ssrc, ntp.FromTime(p.now.Add(time.Hour)), e.ts+uint32(p.now.Sub(epoch).Milliseconds())*90)
			}
		}
		for i := range 30 {
			k.Resize(p.now, 160<<(i*7%4), 90<<(i*7%4))
			p.serve(11)
		}
		out := v.take()
		mustBeContinuous(t, out)
		if n := len(ssrcs(out)); n < 20 {
			t.Errorf("only %d switches", n)
		}
		if !reports {
			continue
		}
		start := out[0].Timestamp - contentTime(p, out[0])
		for i, o := range out { // aligned: over all switches the capture time is kept
			if d := int32(o.Timestamp - contentTime(p, o) - start); d < -90*40 || d > 90*40 {
				t.Fatalf("packet %d: %d ticks off", i, d)
			}
		}
	}
}

// contentTime is when the packet's frame was captured, in ticks: frames of all layers are counted alike.
func contentTime(_ *publisher, p rtp.Packet) uint32 { return contentOf(p.Payload).frame * 33 * 90 }

func TestSourceSwitchIsContinuous(t *testing.T) {
	t.Parallel()
	a, b, v := newPublisher(t, 1), newPublisher(t, 1), &viewer{}
	b.layers[0].ssrc, b.layers[0].ts, b.layers[0].seq = 5555, 99, 40000
	line := newVideoLine(v)
	a.all(true)
	b.all(true)
	for i := range 20 {
		from, to := a, b
		if i%2 == 1 {
			from, to = b, a
		}
		k := from.src.Attach(from.now, line, 640, 360)
		for range 1 + i {
			from.serve(1)
			to.serve(1)
		}
		k.Detach()
		k.Nack(a.now, []uint16{1, 2, 3})
		k.RequestKeyframe(a.now)
		k.Detach()
	}
	out := v.take()
	mustBeContinuous(t, out)
	if n := len(ssrcs(out)); n < 15 {
		t.Errorf("only %d switches", n)
	}
}

func TestLateJoinerGetsCachedKeyframe(t *testing.T) {
	t.Parallel()
	p := newPublisher(t, 3)
	p.all(true)
	p.serve(10)
	v := &viewer{}
	p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	out := v.take()
	mustBeContinuous(t, out)
	if c := contentOf(out[0].Payload); !c.info.Start || c.ssrc != 3000 || len(out) != 11*3 {
		t.Fatalf("%d packets at once, the first %+v", len(out), c)
	}
	if len(p.up.plis) != 0 {
		t.Error("a keyframe was asked for")
	}
	if span := out[len(out)-1].Timestamp - out[0].Timestamp; span > 10*33*90/16+1 {
		t.Errorf("the viewer starts %d ticks behind", span)
	}
	p.serve(10)
	out = append(out, v.take()...)
	mustBeContinuous(t, out)
	if n := len(out); n != 21*3 {
		t.Errorf("%d packets", n)
	}
}

func TestOldCacheIsNotUsed(t *testing.T) {
	t.Parallel()
	p := newPublisher(t, 1)
	p.all(true)
	p.serve(40) // 1.3 s
	v := &viewer{}
	p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	if n := len(v.take()); n != 0 || len(p.up.plis) != 1 {
		t.Fatalf("%d packets, %d PLIs", n, len(p.up.plis))
	}
	p.serve(1)
	if out := v.take(); len(out) != 1 || !contentOf(out[0].Payload).info.Start {
		t.Error("no keyframe")
	}
}

func TestKeyframeRequestRepeats(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 1), &viewer{}
	p.all(true)
	p.serve(40)
	p.src.Attach(p.now, newVideoLine(v), 640, 360)
	k := p.src.Attach(p.now, newVideoLine(&viewer{}), 640, 360)
	for range 61 { // 2 s without an answer
		k.RequestKeyframe(p.now)
		p.all(false)
	}
	if n := len(p.up.plis); n < 4 || n > 6 {
		t.Errorf("%d requests in 2 s", n)
	}
	if n := len(v.take()); n != 0 {
		t.Errorf("%d packets before a keyframe", n)
	}
	p.all(true)
	p.up.plis = nil
	for range 61 {
		p.all(false)
	}
	if n := len(p.up.plis); n != 0 {
		t.Errorf("%d requests after the keyframe", n)
	}
}

func TestReceiverAsksForKeyframe(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 1), &viewer{}
	k := p.src.Attach(p.now, newVideoLine(v), 640, 360)
	p.all(true)
	p.serve(30)
	k.RequestKeyframe(p.now)
	k.RequestKeyframe(p.now)
	p.send(0, false)
	if len(p.up.plis) != 1 || p.up.plis[0] != 1000 {
		t.Fatalf("PLIs: %v", p.up.plis)
	}
	p.all(true)
	k.RequestKeyframe(p.now) // too soon: held back, not lost
	if len(p.up.plis) != 1 {
		t.Fatalf("PLIs: %v", p.up.plis)
	}
	for range 7 {
		p.all(false)
	}
	if len(p.up.plis) != 2 {
		t.Fatalf("PLIs: %v", p.up.plis)
	}
}

func TestSilentLayerFallsBackAndReturns(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 3), &viewer{}
	p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	p.all(true)
	p.serve(20)
	p.up.plis = nil
	at := p.now
	for contentSSRC(v) != 2000 {
		asked := p.up.plis
		p.up.plis = nil
		for i := range 2 {
			p.send(i, len(asked) > 0)
		}
		p.tick()
		if p.now.Sub(at) > time.Second {
			t.Fatal("no fallback within a second")
		}
	}
	if d := p.now.Sub(at); d > 450*time.Millisecond {
		t.Errorf("fell back after %v", d)
	}
	v.take()
	p.serve(20) // all layers again
	if got := ssrcs(v.take()); len(got) != 1 {
		t.Errorf("went back at once to a layer that had died: %v", got)
	}
	p.serve(60)
	out := v.take()
	if c := contentOf(out[len(out)-1].Payload); c.ssrc != 3000 {
		t.Errorf("shows %d", c.ssrc)
	}
}

// contentSSRC is the publisher's SSRC of the newest packet.
func contentSSRC(v *viewer) uint32 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.pkts) == 0 {
		return 0
	}
	return contentOf(v.pkts[len(v.pkts)-1].Payload).ssrc
}

// The first packet of a keyframe is lost and comes again: what came before it is sent from the ring.
func TestKeyframeStartComesLate(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 1), &viewer{}
	p.layers[0].size = 4
	p.src.Attach(p.now, newVideoLine(v), 640, 360)
	p.all(false)
	key := p.encode(0, true)
	p.src.Receive(p.now, 0, key[1:]...)
	p.tick()
	p.all(false)
	if n := len(v.take()); n != 0 {
		t.Fatalf("%d packets without a start", n)
	}
	p.src.Receive(p.now, 0, key[0])
	p.all(false)
	out := v.take()
	slices.SortFunc(out, func(a, b rtp.Packet) int { return int(int16(a.SequenceNumber - b.SequenceNumber)) })
	mustBeContinuous(t, out)
	if len(out) != 12 {
		t.Errorf("%d packets", len(out))
	}
}

func TestImpatientSinkTakesAnyLayer(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 3), &viewer{}
	p.all(true)
	p.serve(40)
	p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	for i := range 10 { // only the lowest answers
		p.send(0, i == 2 || i == 6)
		p.send(1, false)
		p.send(2, false)
		p.tick()
	}
	if got := ssrcs(v.take()); len(got) != 1 || got[0] != 1000 {
		t.Fatalf("shows %v", got)
	}
	p.serve(2)
	p.serve(20)
	if got := ssrcs(v.take()); got[len(got)-1] != 3000 {
		t.Errorf("shows %v", got)
	}
}

func TestNackIsAnsweredOverRTX(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 3), &viewer{}
	p.all(true)
	k := p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	p.serve(15)
	k.Resize(p.now, 100, 50) // what is asked for was sent from another layer
	p.serve(10)
	out := v.take()
	lost := []rtp.Packet{out[3], out[17], out[40], out[len(out)-1]}
	var seqs []uint16
	for _, l := range lost {
		seqs = append(seqs, l.SequenceNumber)
	}
	k.Nack(p.now, seqs)
	again := v.take()
	if len(again) != len(lost) {
		t.Fatalf("%d packets resent", len(again))
	}
	for i, r := range again {
		if r.SSRC != rtxSSRC || r.PayloadType != 121 || r.Marker != lost[i].Marker || r.Timestamp != lost[i].Timestamp {
			t.Errorf("packet %d: header %+v", i, r.Header)
		}
		if i > 0 && r.SequenceNumber != again[i-1].SequenceNumber+1 {
			t.Errorf("packet %d: RTX sequence %d", i, r.SequenceNumber)
		}
		if osn := binary.BigEndian.Uint16(r.Payload); osn != seqs[i] {
			t.Errorf("packet %d: original number %d, want %d", i, osn, seqs[i])
		}
		if d := cmp.Diff(lost[i].Payload, r.Payload[2:]); d != "" {
			t.Errorf("packet %d: %s", i, d)
		}
	}
}

func TestNackIsLimited(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 1), &viewer{}
	k := p.src.Attach(p.now, newVideoLine(v), 640, 360)
	p.all(true)
	seq := v.take()[0].SequenceNumber
	k.SetRTT(50 * time.Millisecond)
	for range 100 {
		k.Nack(p.now, []uint16{seq, seq})
		p.now = p.now.Add(10 * time.Millisecond)
	}
	if n := len(v.take()); n != maxResends {
		t.Errorf("resent %d times", n)
	}
	k.Nack(p.now, []uint16{seq + 1, seq - 1})
	for range 520 {
		p.now = p.now.Add(time.Millisecond)
		p.send(0, false)
	}
	v.take()
	k.Nack(p.now, []uint16{seq, seq + 1})
	st := p.src.Stats(p.now)
	if st.Dropped[dropNackRepeat] != 200-maxResends || st.Dropped[dropNackUnknown]+st.Dropped[dropNackEvicted] != 4 || st.Resent != maxResends {
		t.Errorf("%+v", st)
	}
}

func TestNackAfterSourceSwitchIsIgnored(t *testing.T) {
	t.Parallel()
	a, b, v := newPublisher(t, 1), newPublisher(t, 1), &viewer{}
	line := newVideoLine(v)
	k := a.src.Attach(a.now, line, 640, 360)
	a.all(true)
	a.serve(5)
	b.all(true)
	b.serve(5)
	old := v.take()
	k.Detach()
	k = b.src.Attach(b.now, line, 640, 360)
	v.take()
	for _, o := range old {
		k.Nack(b.now, []uint16{o.SequenceNumber})
	}
	if n := len(v.take()); n != 0 {
		t.Errorf("%d packets of another source", n)
	}
	if n := b.src.Stats(b.now).Dropped[dropNackUnknown]; n != uint64(len(old)) {
		t.Errorf("%d counted", n)
	}
}

// TestNoRetransmissionWithoutRTX guards that no packet goes out twice under its own number: SRTP's nonce would be the same.
func TestNoRetransmissionWithoutRTX(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 1), &viewer{}
	line := NewLine(LineConfig{Video: true, SSRC: lineSSRC, Egress: v, Codecs: []Codec{{MimeType: "video/VP8", PayloadType: 120}}})
	k := p.src.Attach(p.now, line, 640, 360)
	p.all(true)
	p.serve(3)
	out := v.take()
	k.Nack(p.now, []uint16{out[1].SequenceNumber})
	if again := v.take(); len(again) != 0 {
		t.Errorf("%d packets were sent again", len(again))
	}
	if n := p.src.Stats(p.now).Dropped[dropNackAlone]; n != 1 {
		t.Errorf("%d NACKs counted", n)
	}
}

// TestTransportComesUpBetweenPackets guards that nobody waits for the next picture who could be shown the last one.
func TestTransportComesUpBetweenPackets(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 1), &viewer{down: true}
	p.all(true)
	k := p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	begin := func() []rtp.Packet {
		p.src.mu.Lock()
		k.begin(p.now)
		p.src.mu.Unlock()
		return v.take()
	}
	v.mu.Lock()
	v.down = false
	v.mu.Unlock()
	out := begin()
	if len(out) == 0 || !contentOf(out[0].Payload).info.Start {
		t.Fatalf("%d packets, or no keyframe at their start", len(out))
	}
	mustBeContinuous(t, out)
	if again := begin(); len(again) != 0 {
		t.Errorf("%d packets once more", len(again))
	}
	p.serve(3)
	mustBeContinuous(t, append(out, v.take()...))
}

func TestTransportComesUpLater(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 3), &viewer{down: true}
	p.all(true)
	p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	p.serve(100)
	if n := p.src.Stats(p.now).KeyframeRequests; n > 3 {
		t.Errorf("%d keyframes asked for a viewer that is not there", n)
	}
	v.mu.Lock()
	v.down = false
	v.mu.Unlock()
	p.serve(10)
	out := v.take()
	for len(out) > 0 && !contentOf(out[0].Payload).info.Start {
		out = out[1:]
	}
	if len(out) < 8*3 {
		t.Fatalf("%d packets from the keyframe on", len(out))
	}
	mustBeContinuous(t, out)
}

func TestOneBrokenViewerHurtsNobody(t *testing.T) {
	t.Parallel()
	p, good, bad := newPublisher(t, 1), &viewer{}, &viewer{fail: errWire}
	p.src.Attach(p.now, newVideoLine(bad), 640, 360)
	p.src.Attach(p.now, newVideoLine(good), 640, 360)
	p.all(true)
	p.serve(20)
	out := good.take()
	mustBeContinuous(t, out)
	if n := p.src.Stats(p.now).Dropped[dropWriteFailed]; len(out) != 21 || n != 21 {
		t.Errorf("%d packets, %d failures", len(out), n)
	}
}

func TestSenderReport(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 3), &viewer{}
	k := p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	if _, ok := k.SenderReport(p.now); ok {
		t.Error("a report before the first packet")
	}
	p.all(true)
	p.serve(10)
	for _, e := range p.layers { // the publisher's clock is a year off
		p.src.HandleSenderReport(p.now, e.ssrc, ntp.FromTime(p.now.AddDate(1, 0, 0)), e.ts+uint32(p.now.Sub(epoch).Milliseconds())*90)
	}
	for _, width := range []int{1280, 160, 1280} {
		k.Resize(p.now, width, width*9/16)
		p.serve(20)
		out := v.take()
		sr, ok := k.SenderReport(p.now)
		if !ok || sr.SSRC != lineSSRC || sr.NTPTime != ntp.FromTime(p.now) {
			t.Fatalf("%+v %v", sr, ok)
		}
		if d := int32(sr.RTPTime - out[len(out)-1].Timestamp - 33*90); d < -90 || d > 90 {
			t.Errorf("%d ticks off", d)
		}
		st := p.src.Stats(p.now)
		if uint64(sr.PacketCount) != st.Forwarded || uint64(sr.OctetCount) != st.ForwardedBytes {
			t.Errorf("counts %d, %d; %d, %d", sr.PacketCount, sr.OctetCount, st.Forwarded, st.ForwardedBytes)
		}
	}
	// An absurd report is not believed.
	p.src.HandleSenderReport(p.now, 3000, 12345, 999)
	sr, _ := k.SenderReport(p.now)
	p.serve(1)
	out := v.take()
	if d := int32(out[len(out)-1].Timestamp - sr.RTPTime); d < -9000 || d > 9000 {
		t.Errorf("%d ticks off after an absurd report", d)
	}
}

func TestAttachToClosedOrWrongSource(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 1), &viewer{}
	wrong := p.src.Attach(p.now, NewLine(LineConfig{SSRC: 1, Egress: v}), 0, 0)
	p.src.Close()
	for _, k := range []*Sink{wrong, p.src.Attach(p.now, newVideoLine(v), 0, 0)} {
		k.Resize(p.now, 10, 10)
		k.Nack(p.now, []uint16{1})
		k.RequestKeyframe(p.now)
		k.SetRTT(time.Second)
		if _, ok := k.SenderReport(p.now); ok || k.Source() != p.src {
			t.Error("a report from a silent sink")
		}
		k.Detach()
	}
	p.src.Tick(p.now)
	p.src.Close()
}
