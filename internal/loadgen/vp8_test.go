package loadgen

import (
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// TestFramesAreVP8 reads our pictures with pion's depacketizer.
func TestFramesAreVP8(t *testing.T) {
	t.Parallel()
	var got []rtp.Packet
	p := newPublisher(7, 1200, true, func(b []byte, rtcp bool) error {
		var pkt rtp.Packet
		if err := pkt.Unmarshal(append([]byte(nil), b...)); err != nil || rtcp {
			t.Fatalf("%v, rtcp %v", err, rtcp)
		}
		got = append(got, pkt)
		return nil
	})
	now := time.Now()
	p.sendFrame(now)
	p.sendFrame(now.Add(frameEvery))
	p.keyframe(p.video[2].ssrc)
	p.sendFrame(now.Add(2 * frameEvery))
	p.sendAudio(now)
	if want := 3*(1+3+6) + 1; len(got) != want || p.sent() != uint64(want) {
		t.Fatalf("%d packets, %d counted, want %d", len(got), p.sent(), want)
	}
	for i, e := range p.video {
		var frame, at int
		var last rtp.Packet
		for _, pkt := range got {
			if pkt.SSRC != e.ssrc {
				continue
			}
			var v codecs.VP8Packet
			if _, err := v.Unmarshal(pkt.Payload); err != nil {
				t.Fatal(err)
			}
			first, end := at%e.burst == 0, at%e.burst == e.burst-1
			if first && at > 0 {
				frame++
			}
			key := frame == 0 || frame == 2 && i == 2
			if v.S == 1 != first || pkt.Marker != end || vp8KeyframeStart(pkt.Payload) != (first && key) {
				t.Errorf("layer %d, packet %d: S %d, marker %v, keyframe %v", i, at, v.S, pkt.Marker, vp8KeyframeStart(pkt.Payload))
			}
			if at > 0 && (pkt.SequenceNumber != last.SequenceNumber+1 || first != (pkt.Timestamp != last.Timestamp)) {
				t.Errorf("layer %d, packet %d: %d after %d, time %d after %d", i, at, pkt.SequenceNumber, last.SequenceNumber, pkt.Timestamp, last.Timestamp)
			}
			if source, sent, ok := stampOf(pkt.Payload); !ok || source != 7 || time.Since(sent) > time.Minute {
				t.Errorf("stamp: %d, %v, %v", source, sent, ok)
			}
			if string(pkt.GetExtension(extRID)) != e.rid || string(pkt.GetExtension(extMID)) != midCamera {
				t.Errorf("rid %q, mid %q", pkt.GetExtension(extRID), pkt.GetExtension(extMID))
			}
			last = pkt
			at++
		}
		if at != 3*e.burst {
			t.Errorf("layer %d has %d packets", i, at)
		}
	}
}

func TestStampsOfOthers(t *testing.T) {
	t.Parallel()
	for _, b := range [][]byte{nil, make([]byte, stampBytes-1), make([]byte, stampBytes), make([]byte, 100)} {
		if _, _, ok := stampOf(b); ok {
			t.Errorf("%d bytes have a stamp", len(b))
		}
	}
}

func TestPaddingIsNoPayload(t *testing.T) {
	t.Parallel()
	payload := make([]byte, 40)
	putStamp(payload, 1, time.Now())
	for _, size := range []byte{0, 1, 9} {
		pkt := rtp.Packet{Header: rtp.Header{Version: 2, Padding: size > 0, PaddingSize: size}, Payload: payload}
		b, err := pkt.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var h rtp.Header
		if _, _, ok := stampOf(payloadOf(b, &h)); !ok {
			t.Errorf("padding of %d hides the stamp", size)
		}
	}
}

func FuzzKeyframeStart(f *testing.F) {
	b := make([]byte, minPayload)
	vp8Packet{first: true, key: true}.fill(b)
	f.Add(b)
	f.Add([]byte{0x90, 0x80, 0x80})
	f.Fuzz(func(t *testing.T, payload []byte) {
		if vp8KeyframeStart(payload) && len(payload) < 2 {
			t.Error("no room for a keyframe")
		}
	})
}
