package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtp"
)

// Whatever a publisher sends and a receiver answers, nothing panics and the sink's line stays one line. Each packet in data is
// a length byte and so many bytes; a length of 255 means a NACK for what follows.
func FuzzReceive(f *testing.F) {
	p := newPublisher(f, 2)
	var seed []byte
	for i := range 4 {
		for _, pkt := range p.encode(i%2, i < 2) {
			seed = append(append(seed, byte(len(pkt))), pkt...)
		}
	}
	f.Add(seed, uint8(0))
	f.Add(append(seed, 255, 0, 1, 255, 9, 9), uint8(4))
	f.Fuzz(func(t *testing.T, data []byte, pt uint8) {
		mimes := []string{"video/VP8", "video/VP9", "video/H264", "video/AV1", "video/other"}
		mime := mimes[int(pt)%len(mimes)]
		src := NewSource(SourceConfig{
			Kind: Camera, RIDs: []string{"q", "f"}, Nack: true, AudioLevelID: 1, Upstream: &upstream{},
			Codecs: []Codec{{MimeType: mime, PayloadType: testVP8}, {MimeType: mime, Fmtp: "profile-id=2", PayloadType: 98}},
		})
		v, now := &viewer{}, epoch
		k := src.Attach(now, NewLine(LineConfig{
			Video: true, SSRC: lineSSRC, RTXSSRC: rtxSSRC, Egress: v, Codecs: []Codec{{MimeType: mime, PayloadType: 120, RTX: 121}},
		}), 640, 360)
		for i := 0; len(data) > 1; i++ {
			n := int(data[0])
			if n == 255 {
				k.Nack(now, []uint16{k.line.lastSeq - uint16(data[1])})
				data = data[2:]
				continue
			}
			n = min(n, len(data)-1)
			src.Receive(now, i%2, data[1:1+n])
			data = data[1+n:]
			now = now.Add(time.Duration(n) * time.Millisecond)
			src.Tick(now)
		}
		src.Stats(now)
		mustBeOneLine(t, v.take())
	})
}

func mustBeOneLine(t *testing.T, pkts []rtp.Packet) {
	seen := make(map[uint16]bool)
	for i, p := range pkts {
		if p.SSRC == rtxSSRC {
			continue
		}
		if seen[p.SequenceNumber] {
			t.Fatalf("packet %d: number %d twice", i, p.SequenceNumber)
		}
		seen[p.SequenceNumber] = true
	}
}
