package loadgen

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// sentBy makes a publisher and returns what it has sent.
func sentBy(t *testing.T, c *Config) (*publisher, *[]rtp.Packet) {
	t.Helper()
	var got []rtp.Packet
	p := newPublisher(7, c, func(b []byte, rtcp bool) error {
		var pkt rtp.Packet
		if err := pkt.Unmarshal(slices.Clone(b)); err != nil || rtcp {
			t.Fatalf("%v, rtcp %v", err, rtcp)
		}
		got = append(got, pkt)
		return nil
	})
	return p, &got
}

// seen is what a depacketizer that is not ours says of a packet.
type seen struct {
	first, key    bool
	temporal      uint8
	width, height uint16
}

// read reads a payload with pion's depacketizers. Where they say nothing of a figure, it is that of want.
func read(t *testing.T, codec string, payload []byte, want seen) seen {
	t.Helper()
	got := want
	switch codec {
	case "VP8":
		var v codecs.VP8Packet
		frame, err := v.Unmarshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		got.first, got.temporal = v.S == 1, v.TID
		if got.first {
			if got.key = frame[0]&1 == 0; got.key {
				got.width, got.height = uint16(frame[6])|uint16(frame[7])<<8, uint16(frame[8])|uint16(frame[9])<<8
			}
		}
	case "VP9":
		var v codecs.VP9Packet
		if _, err := v.Unmarshal(payload); err != nil {
			t.Fatal(err)
		}
		got.first, got.temporal = v.B, v.TID
		if got.first {
			got.key = !v.P
		}
		if len(v.Width) > 0 {
			got.width, got.height = v.Width[0], v.Height[0]
		}
	case "H264":
		var v codecs.H264Packet
		if _, err := v.Unmarshal(payload); err != nil {
			t.Fatal(err)
		}
		if kind := payload[0] & 0x1f; kind == nalFUA {
			got.first = payload[1]&fuStart != 0
		} else {
			got.first = kind == nalSTAPA
		}
	case "AV1":
		var v codecs.AV1Packet //nolint:staticcheck // the new one joins packets; this reads one
		if _, err := v.Unmarshal(payload); err != nil {
			t.Fatal(err)
		}
		got.first = !v.Z
		if got.first {
			got.key = v.N
		}
	default:
		t.Fatalf("nothing reads %s", codec)
	}
	return got
}

// TestPicturesAreOfTheirCodec reads what publishers send with pion's depacketizers.
func TestPicturesAreOfTheirCodec(t *testing.T) {
	t.Parallel()
	for _, codec := range allCodecs() {
		for _, simulcast := range []bool{false, true} {
			c := Config{Codec: codec.Name, Simulcast: simulcast}.withDefaults()
			p, got := sentBy(t, &c)
			now := time.Now()
			frames := 6
			for n := range frames {
				if n == 5 {
					p.keyframe(p.video[0].ssrc)
				}
				p.sendFrame(now.Add(time.Duration(n) * frameEvery))
			}
			for i, e := range p.video {
				pkts := slices.DeleteFunc(slices.Clone(*got), func(pkt rtp.Packet) bool { return pkt.SSRC != e.ssrc })
				if len(pkts) != frames*e.burst {
					t.Fatalf("%s: layer %d has %d packets", codec.Name, i, len(pkts))
				}
				for n, pkt := range pkts {
					frame, place := n/e.burst, n%e.burst
					want := seen{first: place == 0}
					if frame == 0 || frame == 5 && i == 0 {
						want.key = want.first
					} else if simulcast && codec.layered {
						want.temporal = temporal[frame%4]
					}
					if want.key {
						want.width, want.height = uint16(e.width), uint16(e.height)
					}
					if diff := cmp.Diff(want, read(t, codec.Name, pkt.Payload, want), cmp.AllowUnexported(seen{})); diff != "" {
						t.Errorf("%s, layer %d, packet %d of frame %d: %s", codec.Name, i, place, frame, diff)
					}
					if codec.keyframe(pkt.Payload) != want.key || pkt.Marker != (place == e.burst-1) || pkt.SequenceNumber != pkts[0].SequenceNumber+uint16(n) {
						t.Errorf("%s, layer %d, packet %d of frame %d: keyframe %v, marker %v", codec.Name, i, place, frame, codec.keyframe(pkt.Payload), pkt.Marker)
					}
					if source, sent, ok := stampOf(pkt.Payload); !ok || source != 7 || time.Since(sent) > time.Minute {
						t.Errorf("%s: stamp %d, %v, %v", codec.Name, source, sent, ok)
					}
					if string(pkt.GetExtension(extRID)) != e.rid || string(pkt.GetExtension(extMID)) != midCamera {
						t.Errorf("rid %q, mid %q", pkt.GetExtension(extRID), pkt.GetExtension(extMID))
					}
				}
			}
		}
	}
}

func TestBits(t *testing.T) {
	t.Parallel()
	var w bitWriter
	for v := range uint32(5) {
		w.ue(v)
	}
	w.u(3, 5)
	// H.264, table 9-2: 1 010 011 00100 00101, and 101.
	if diff := cmp.Diff([]byte{0b1010_0110, 0b0100_0010, 0b1101_0000}, w.out); diff != "" {
		t.Error(diff)
	}
	if got := spsOf(1280, 720); len(got) > minPayload-24 || got[0] != 0x67 {
		t.Errorf("SPS %x", got)
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
	for _, c := range allCodecs() {
		b := make([]byte, minPayload)
		c.fill(picture{first: true, key: true, width: 1280, height: 720}, b)
		f.Add(b)
	}
	f.Add([]byte{0x90, 0x80, 0x80})
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, c := range allCodecs() {
			if c.keyframe(payload) && len(payload) < 2 {
				t.Errorf("%s: no room for a keyframe", c.Name)
			}
		}
	})
}
