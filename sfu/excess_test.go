package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtp"
)

// pour sends packets of one size at a steady rate for some seconds.
func (k *talker) pour(perSecond, size, seconds int) {
	for range perSecond * seconds {
		k.seq++
		k.now = k.now.Add(time.Second / time.Duration(perSecond))
		h := rtp.Header{Version: 2, PayloadType: testOpus, SequenceNumber: k.seq, Timestamp: uint32(k.now.Sub(epoch).Milliseconds()) * 48, SSRC: 3}
		k.src.Receive(k.now, 0, marshal(h, make([]byte, size)))
	}
}

// TestSoundIsBounded: sound is never paced, so nobody may fill others' networks with it.
func TestSoundIsBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ perSecond, size int }{
		"much":         {4000, 1100},
		"many":         {4000, 3},
		"a bit more":   {100, 800},
		"more packets": {300, 60},
	} {
		k := newTalker(0)
		v, _ := k.viewer(opusAndRED[:1])
		k.pour(c.perSecond, c.size, 10)
		bytes, out := 0, v.take()
		for _, p := range out {
			bytes += len(p.Payload)
		}
		st := k.src.Stats(k.now)
		if most := 11 * maxSound / 8; bytes > most || len(out) > 11*maxSoundPackets {
			t.Errorf("%s: %d packets of %d bytes went out in 10 s", name, len(out), bytes)
		}
		if n := int(st.Dropped[dropExcess]); n == 0 || n+len(out) != 10*c.perSecond {
			t.Errorf("%s: %d dropped of %d, %d went out", name, n, 10*c.perSecond, len(out))
		}
		k.pour(1, 3, 2) // it is over
		v.take()
		if k.pour(50, 200, 4); len(v.take()) != 200 {
			t.Errorf("%s: usual sound is not heard after that", name)
		}
	}
}

// TestLoudestSound: the most that Opus can be is heard whole, redundancy or not, and so is what a network held back for a while.
func TestLoudestSound(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{0, 2} {
		k := newTalker(depth)
		v, _ := k.viewer(opusAndRED)
		for range 200 { // 4 s of 510 kb/s
			k.seq++
			k.now = k.now.Add(20 * time.Millisecond)
			k.src.Receive(k.now, 0, k.loudest())
		}
		if n, st := len(v.take()), k.src.Stats(k.now); n != 200 || st.Dropped[dropExcess] > 0 {
			t.Errorf("repeated %d times: %d of 200 packets, dropped %v", depth, n, st.Dropped)
		}
	}
	k := newTalker(0)
	v, _ := k.viewer(opusAndRED[:1])
	k.pour(50, 160, 3)
	held := k.now.Add(900 * time.Millisecond)
	for k.now.Before(held) {
		k.src.Receive(held, 0, k.next())
	}
	if n, st := len(v.take()), k.src.Stats(k.now); n < 3*50+45 || st.Dropped[dropExcess] > 0 {
		t.Errorf("%d packets after a gap, dropped %v", n, st.Dropped)
	}
}

// loudest is a packet of 20 ms of 510 kb/s, with those before repeated.
func (k *talker) loudest() []byte {
	const size = maxSound / 8 / 50
	h := rtp.Header{Version: 2, PayloadType: testOpus, SequenceNumber: k.seq, Timestamp: 960 * uint32(k.seq), SSRC: 3}
	payload := make([]byte, size)
	if k.depth > 0 {
		h.PayloadType = testRED
		var b []byte
		for i := k.depth; i > 0; i-- {
			offset := 960 * uint32(i)
			b = append(b, 0x80|testOpus, byte(offset>>6), byte(offset<<2), 40)
		}
		payload = append(append(b, testOpus), make([]byte, 40*k.depth+size)...)
	}
	return marshal(h, payload)
}

// TestVideoIsBounded: a publisher's video is dropped above what one may publish, unseen by the feedback, and his sound is not.
func TestVideoIsBounded(t *testing.T) {
	t.Parallel()
	const most = 2_000_000
	n := newTestNode(t, func(c *Config) { c.MaxPublishBPS = most })
	p, err := n.NewPeer("a", "", &events{})
	must(t, err)
	for _, kind := range []Kind{Camera, Microphone} {
		line := &sendLine{peer: p, offer: sendOffer{SendLine: SendLine{Kind: kind}}}
		s := &inStream{peer: p, ssrc: 7}
		s.to.Store(&target{line: line})
		now, let := epoch, 0
		for i := range 1000 * 10 { // 10 s of 9.6 Mb/s
			now = now.Add(time.Millisecond)
			b := marshal(rtp.Header{Version: 2, PayloadType: 96, SSRC: 7, SequenceNumber: uint16(i)}, make([]byte, 1188))
			if to, _ := p.accept(s, b, now); to != nil {
				let += len(b)
			}
		}
		dropped := int(p.Stats().Dropped[dropExcess.String()])
		switch {
		case !kind.Video() && let != 1200*10_000:
			t.Errorf("%s: %d bytes of sound; another bound is for it", kind, let)
		case kind.Video() && (let > 11*most/8 || let < 10*most/8 || dropped != 10_000-let/1200):
			t.Errorf("%s: %d bytes were let in, %d packets dropped", kind, let, dropped)
		}
	}
}

// TestKeyframeBudget: what one viewer asks for is bounded, whoever it is and however often, and others' requests are not hindered.
func TestKeyframeBudget(t *testing.T) {
	t.Parallel()
	p := newPublisher(t, 1)
	p.all(true)
	p.serve(10)
	mad := p.src.Attach(p.now, newVideoLine(&viewer{}), 640, 360)
	calm := p.src.Attach(p.now, newVideoLine(&viewer{}), 640, 360)
	keys := func() uint64 { return p.src.Stats(p.now).Layers[0].Keyframes }
	storm := func(frames int) uint64 {
		before := keys()
		for range frames {
			mad.RequestKeyframe(p.now)
			p.serve(1)
		}
		return keys() - before
	}
	p.serve(60)
	storm(60) // what he may at once
	if n := storm(300); n > 6 {
		t.Errorf("%d keyframes in 10 s for one viewer's requests", n)
	}
	before := keys()
	calm.RequestKeyframe(p.now)
	if p.serve(10); keys() == before {
		t.Error("another viewer gets none")
	}
	p.serve(400)
	before = keys()
	mad.RequestKeyframe(p.now)
	if p.serve(3); keys() == before {
		t.Error("he gets none after some quiet")
	}
	before = keys()
	mad.Detach()
	p.serve(60) // the cache is too old
	v := &viewer{}
	p.src.Attach(p.now, newVideoLine(v), 640, 360)
	if p.serve(3); keys() == before || len(v.take()) == 0 {
		t.Error("who joins waits")
	}
}
