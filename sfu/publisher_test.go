package sfu

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/parley/parley/sfu/internal/codec"
)

var epoch = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

const (
	testVP8  = 96
	testOpus = 111
)

// publisher drives a source with synthetic VP8, one frame of every layer each 33 ms of simulated time.
type publisher struct {
	t      testing.TB
	src    *Source
	now    time.Time
	layers []*encoder
	up     *upstream
}

// encoder makes one layer's packets.
type encoder struct {
	ssrc   uint32
	seq    uint16
	ts     uint32 // at epoch
	pid    uint16
	tl0    uint8
	width  uint16
	height uint16
	frame  uint32 // count, written into payloads
	size   int    // packets a frame
}

// upstream records feedback.
type upstream struct {
	plis  []uint32
	nacks []uint16
}

func (u *upstream) RequestKeyframe(ssrc uint32)  { u.plis = append(u.plis, ssrc) }
func (u *upstream) Nack(_ uint32, seqs []uint16) { u.nacks = append(u.nacks, seqs...) }

func newPublisher(t testing.TB, layers int) *publisher {
	p := &publisher{t: t, now: epoch, up: &upstream{}}
	rids := []string{"q", "h", "f"}[:layers]
	p.src = NewSource(SourceConfig{
		ID: "camera", Kind: Camera, RIDs: rids, Nack: true, Upstream: p.up,
		Codecs: []Codec{{MimeType: "video/VP8", PayloadType: testVP8}},
	})
	for i := range layers {
		n := uint32(i + 1)
		p.layers = append(p.layers, &encoder{
			ssrc: 1000 * n, seq: uint16(65500 + 10*i), ts: 0xfffff000 * n, pid: uint16(0x7ff0 - i), tl0: uint8(250 + i),
			width: 320 << i, height: 180 << i, size: i + 1,
		})
	}
	return p
}

// tick moves time to the next frame.
func (p *publisher) tick() {
	p.now = p.now.Add(33 * time.Millisecond)
	p.src.Tick(p.now)
}

// send makes and delivers one frame of a layer.
func (p *publisher) send(layer int, key bool) {
	p.src.Receive(p.now, layer, p.encode(layer, key)...)
}

// all delivers one frame of every layer, then ticks.
func (p *publisher) all(key bool) {
	for i := range p.layers {
		p.send(i, key)
	}
	p.tick()
}

// serve delivers n frames of every layer and answers keyframe requests with the next frame.
func (p *publisher) serve(n int) {
	for range n {
		asked := p.up.plis
		p.up.plis = nil
		for i, e := range p.layers {
			p.send(i, slices.Contains(asked, e.ssrc))
		}
		p.tick()
	}
}

func (p *publisher) encode(layer int, key bool) [][]byte {
	e := p.layers[layer]
	ts := e.ts + uint32(p.now.Sub(epoch).Milliseconds())*90
	e.pid = (e.pid + 1) & 0x7fff
	e.tl0++
	e.frame++
	var pkts [][]byte
	for i := range e.size {
		pkts = append(pkts, e.packet(ts, i == 0, i == e.size-1, key))
	}
	return pkts
}

// packet has a VP8 descriptor with all fields, then a VP8 frame header, then layer and frame count to tell packets apart.
func (e *encoder) packet(ts uint32, first, last, key bool) []byte {
	payload := []byte{0x80, 0xe0, 0x80 | byte(e.pid>>8), byte(e.pid), e.tl0, 0x20}
	if first {
		payload[0] |= 0x10
	}
	frame := make([]byte, 24)
	frame[0] = 1
	if key {
		frame[0] = 0
		copy(frame[3:], []byte{0x9d, 0x01, 0x2a, byte(e.width), byte(e.width >> 8), byte(e.height), byte(e.height >> 8)})
	}
	binary.BigEndian.PutUint32(frame[12:], e.ssrc)
	binary.BigEndian.PutUint32(frame[16:], e.frame)
	binary.BigEndian.PutUint16(frame[20:], e.seq)
	h := rtp.Header{
		Version: 2, Marker: last, PayloadType: testVP8, SequenceNumber: e.seq, Timestamp: ts, SSRC: e.ssrc,
	}
	e.seq++
	return marshal(h, append(payload, frame...))
}

func marshal(h rtp.Header, payload []byte) []byte {
	b, err := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	if err != nil {
		panic(err)
	}
	return b
}

// content is what the publisher wrote into a packet.
type content struct {
	ssrc, frame uint32
	seq         uint16
	info        codec.Info
}

func contentOf(payload []byte) content {
	f := payload[6:]
	return content{
		ssrc: binary.BigEndian.Uint32(f[12:]), frame: binary.BigEndian.Uint32(f[16:]), seq: binary.BigEndian.Uint16(f[20:]),
		info: inspectVP8(payload),
	}
}

func inspectVP8(payload []byte) codec.Info {
	var r codec.Stream
	r.Reset(codec.VP8)
	return r.Inspect(payload, nil)
}

// viewer records what a line sends.
type viewer struct {
	mu   sync.Mutex
	pkts []rtp.Packet
	down bool // the transport is not up
	fail error
}

func (v *viewer) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.down || v.fail != nil {
		return 0, v.fail
	}
	v.pkts = append(v.pkts, rtp.Packet{Header: h.Clone(), Payload: slices.Clone(payload)})
	return 12 + len(payload), nil
}

// take returns the packets recorded since the last call.
func (v *viewer) take() []rtp.Packet {
	v.mu.Lock()
	defer v.mu.Unlock()
	pkts := v.pkts
	v.pkts = nil
	return pkts
}

var errWire = errors.New("wire")

const (
	lineSSRC = 77
	rtxSSRC  = 78
)

func newVideoLine(v *viewer) *Line {
	return NewLine(LineConfig{
		Video: true, SSRC: lineSSRC, RTXSSRC: rtxSSRC, Egress: v,
		Codecs: []Codec{{MimeType: "video/vp8", PayloadType: 120, RTX: 121}},
	})
}

// mustBeContinuous checks that pkts are one line without gaps: sequence numbers, timestamps that rise from frame to frame,
// picture ids that count frames.
func mustBeContinuous(t testing.TB, pkts []rtp.Packet) {
	t.Helper()
	if len(pkts) == 0 {
		t.Fatal("no packets")
	}
	for i, p := range pkts {
		if p.SSRC != lineSSRC || p.PayloadType != 120 {
			t.Fatalf("packet %d: SSRC %d, payload type %d", i, p.SSRC, p.PayloadType)
		}
		if i == 0 {
			continue
		}
		q := pkts[i-1]
		if p.SequenceNumber != q.SequenceNumber+1 {
			t.Fatalf("packet %d: sequence number %d after %d", i, p.SequenceNumber, q.SequenceNumber)
		}
		a, b := contentOf(q.Payload), contentOf(p.Payload)
		advance, same := int32(p.Timestamp-q.Timestamp), a.ssrc == b.ssrc && a.frame == b.frame
		ids := (b.info.PictureID - a.info.PictureID) & 0x7fff
		tl0 := b.info.TL0PicIdx - a.info.TL0PicIdx
		switch {
		case same && (advance != 0 || ids != 0 || tl0 != 0):
			t.Fatalf("packet %d, same frame: timestamp %+d, picture id %+d, tl0 %+d", i, advance, ids, tl0)
		case !same && (advance <= 0 || ids != 1 || tl0 != 1):
			t.Fatalf("packet %d, next frame: timestamp %+d, picture id %+d, tl0 %+d", i, advance, ids, tl0)
		case !same && advance > 90*200:
			t.Fatalf("packet %d, next frame: timestamp %+d", i, advance)
		case a.ssrc != b.ssrc && !b.info.Start:
			t.Fatalf("packet %d: switch without a keyframe", i)
		}
	}
}
