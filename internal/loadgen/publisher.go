package loadgen

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// What a publisher sends: Opus in packets of 20 ms, and pictures at 30 fps, each in a burst of packets.
const (
	audioEvery   = 20 * time.Millisecond
	frameEvery   = time.Second / 30
	audioPayload = 80 // bytes: 32 kb/s
	burst        = 6  // packets of a full picture: 180/s, unless Config.Burst says otherwise
)

// temporal is the order of temporal layers in simulcast, L1T3 in the browsers' names: half of the frames can be left out, or three
// quarters.
var temporal = [4]uint8{0, 2, 1, 2}

// encoding is one RTP stream that a publisher sends.
type encoding struct {
	// Static after construction.
	rid           string
	ssrc          uint32
	burst         int // packets a frame
	width, height int

	key atomic.Bool // a keyframe was asked for

	// Owned by the pacer; reports read the atomics.
	seq     uint16
	picture uint16
	tl0     uint8
	place   int // in temporal
	payload []byte
	packets atomic.Uint32
	octets  atomic.Uint32
	rtpTime atomic.Uint32 // of the newest packet
	sentAt  atomic.Int64  // its time, Unix nanoseconds
}

// publisher makes one client's media.
type publisher struct {
	// Static after construction.
	index uint32
	began time.Time
	codec *Codec
	write func(pkt []byte, rtcp bool) error
	audio *encoding
	video []*encoding

	thin atomic.Bool // pictures have one packet, while a search brings in viewers

	mu        sync.Mutex
	transport uint16 // Guarded by mu: transport-wide sequence number.
	pkt       []byte // Guarded by mu.
	failed    atomic.Uint64
}

func newEncoding(rid string, packets, bytes, width, height int) *encoding {
	e := &encoding{
		rid: rid, ssrc: rand.Uint32() | 1, burst: packets, width: width, height: height,
		seq: uint16(rand.Uint32()), picture: uint16(rand.Uint32()) & 0x7fff, payload: make([]byte, bytes),
	}
	for i := range e.payload {
		e.payload[i] = byte(rand.Uint32())
	}
	e.key.Store(true)
	return e
}

// headerBytes is an RTP header with the extensions that browsers send on pictures.
const headerBytes = 12 + 4 + 8

// newPublisher makes a publisher whose full pictures have c.Burst packets of c.PacketBytes of RTP each, header included.
func newPublisher(index int, c *Config, write func([]byte, bool) error) *publisher {
	p := &publisher{index: uint32(index), began: time.Now(), codec: c.codec, write: write, pkt: make([]byte, c.PacketBytes+64)}
	p.audio = newEncoding("", 1, audioPayload, 0, 0)
	bytes := c.PacketBytes - headerBytes
	if !c.Simulcast {
		p.video = []*encoding{newEncoding("", c.Burst, bytes, 1280, 720)}
		return p
	}
	p.video = []*encoding{
		newEncoding("q", max(c.Burst/6, 1), bytes, 320, 180), newEncoding("h", max(c.Burst/2, 1), bytes, 640, 360),
		newEncoding("f", c.Burst, bytes, 1280, 720),
	}
	return p
}

// rids lists the simulcast layers, lowest first.
func (p *publisher) rids() []string {
	var rids []string
	for _, e := range p.video {
		if e.rid != "" {
			rids = append(rids, e.rid)
		}
	}
	return rids
}

// sendAudio sends one packet of sound.
func (p *publisher) sendAudio(now time.Time) {
	e := p.audio
	e.payload[0] = 0xfc // TOC: CELT, 20 ms, stereo, one frame (RFC 6716, section 3.1)
	h := rtp.Header{
		Version: 2, PayloadType: payloadOpus, SSRC: e.ssrc, SequenceNumber: e.seq,
		Timestamp: uint32(now.Sub(p.began) / time.Microsecond * 48 / 1000),
	}
	p.send(e, &h, now, []byte{0x80 | 40}) // voice, at -40 dBov
}

// sendFrame sends one picture of every layer.
func (p *publisher) sendFrame(now time.Time) {
	for _, e := range p.video {
		v := e.next(len(p.video) > 1 && p.codec.layered)
		n := e.burst
		if p.thin.Load() {
			n = 1
		}
		for i := range n {
			v.first, v.last = i == 0, i == n-1
			p.codec.fill(v, e.payload)
			h := rtp.Header{
				Version: 2, PayloadType: payloadVideo, SSRC: e.ssrc, SequenceNumber: e.seq, Marker: v.last,
				Timestamp: uint32(now.Sub(p.began) / time.Microsecond * 90 / 1000),
			}
			p.send(e, &h, now, nil)
		}
	}
}

// next is the next picture.
func (e *encoding) next(layered bool) picture {
	v := picture{key: e.key.Swap(false), width: e.width, height: e.height}
	if v.key {
		e.place = 0
	}
	if layered {
		v.temporal = temporal[e.place]
		e.place = (e.place + 1) % len(temporal)
	}
	e.picture = (e.picture + 1) & 0x7fff
	if v.temporal == 0 {
		e.tl0++
	}
	v.id, v.tl0 = e.picture, e.tl0
	return v
}

// send stamps and sends one packet. level is the audio level extension, or nil.
func (p *publisher) send(e *encoding, h *rtp.Header, now time.Time, level []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.seq++
	p.transport++
	mid := midCamera
	if level != nil {
		mid = midMicrophone
	}
	h.Extension, h.ExtensionProfile = true, 0xbede
	set := func(id uint8, value []byte) {
		if err := h.SetExtension(id, value); err != nil {
			panic(err) // ids and lengths are constants
		}
	}
	set(extTransport, []byte{byte(p.transport >> 8), byte(p.transport)})
	set(extMID, []byte(mid))
	if level != nil {
		set(extAudioLevel, level)
	}
	if e.rid != "" {
		set(extRID, []byte(e.rid))
	}
	n, err := h.MarshalTo(p.pkt)
	if err != nil {
		panic(err) // the buffer holds every header
	}
	putStamp(e.payload, p.index, time.Now())
	n += copy(p.pkt[n:], e.payload)
	if err := p.write(p.pkt[:n], false); err != nil {
		p.failed.Add(1)
		return
	}
	e.packets.Add(1)
	e.octets.Add(uint32(len(e.payload)))
	e.rtpTime.Store(h.Timestamp)
	e.sentAt.Store(now.UnixNano())
}

// sent counts the packets of all encodings.
func (p *publisher) sent() uint64 {
	n := uint64(p.audio.packets.Load())
	for _, e := range p.video {
		n += uint64(e.packets.Load())
	}
	return n
}

// keyframe makes the next frame of that stream a keyframe.
func (p *publisher) keyframe(ssrc uint32) {
	for _, e := range p.video {
		if e.ssrc == ssrc {
			e.key.Store(true)
		}
	}
}

// reports are the sender reports due now (RFC 3550, section 6.4.1).
func (p *publisher) reports() []rtcp.Packet {
	var out []rtcp.Packet
	for _, e := range append([]*encoding{p.audio}, p.video...) {
		at := e.sentAt.Load()
		if at == 0 {
			continue
		}
		out = append(out,
			&rtcp.SenderReport{
				SSRC: e.ssrc, NTPTime: ntpTime(time.Unix(0, at)), RTPTime: e.rtpTime.Load(),
				PacketCount: e.packets.Load(), OctetCount: e.octets.Load(),
			},
			&rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
				Source: e.ssrc, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: "load"}},
			}}})
	}
	return out
}

// ntpTime is t as seconds since 1900 in 32.32 bits.
func ntpTime(t time.Time) uint64 {
	const since1900 = 2_208_988_800
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/1e9
}
