package sfu

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/parley/parley/sfu/internal/codec"
	"github.com/parley/parley/sfu/internal/ntp"
	"github.com/parley/parley/sfu/internal/ring"
)

// Egress is the "packets out" seam: it encrypts and sends one packet to a receiver. webrtc.TrackLocalWriter is one.
// WriteRTP is called in the loop of the source that feeds the line: it must not block, not call the source or its sinks, and
// not keep h or payload, which are reused. The payload lies in the ring that all receivers share: it must not be changed.
// It returns the number of bytes sent. 0 without an error says that the transport is not up yet: once it is, the sink starts
// again, with a keyframe.
type Egress interface {
	WriteRTP(h *rtp.Header, payload []byte) (int, error)
}

// LineConfig describes a line.
type LineConfig struct {
	Egress Egress
	paced  *downlink // nil: packets leave as they come

	SSRC    uint32
	RTXSSRC uint32 // 0: nothing is sent again
	Video   bool
	// DependencyID is the id of the dependency descriptor, 0: the receiver does not take it.
	DependencyID uint8
	even         bool // Egress sends so much of the payload's capacity as the header's PaddingSize says

	Codecs []Codec // what the receiver negotiated, RTX payload types included
	loop   *loop   // the receiver's, which Egress must be called in; nil: any
}

// Line is what a slot's receiver sees of one medium: one SSRC with one sequence and one timestamp line, that survives every
// switch of layer or source. It has no lock: it belongs to the loop of the source it is attached to, and between Detach and
// the next Attach to the caller of these.
type Line struct {
	// What each packet needs lies together, up to and with the beginning of cfg: TestHotFields.

	// Owned by the loop of the source.
	maxNum       uint64 // the newest sent or left out
	lastAt       int64  // arrival of lastTime's packet, Unix nanoseconds
	lastTime     uint32
	lastIn       uint32 // timestamp of maxNum in the layer
	times        timeMap
	shift        uint16 // from numbers in the layer to sequence numbers, after maxNum
	lastSeq      uint16 // of maxNum, or of what was sent before it
	writtenSeq   uint16 // the newest that left: behind lastSeq while packets wait
	lastPicture  uint16 // VP8, VP9 and dependency descriptors: the newest sent
	pictureShift uint16
	lastTL0      uint8
	tl0Shift     uint8
	payloadType  uint8
	red          uint8 // 0: the receiver does not take it
	started      bool
	pictures     bool // lastPicture is known
	packets      uint32
	octets       uint32
	keyTime      uint32
	keyed        bool  // keyTime is the timestamp of the last keyframe in the layer's clock
	from         *loop // the source's, where it is not the receiver's
	hand         *hand // of who forwards, where a fan-out is spread
	history      history

	// Static after construction.
	rate uint32 // ticks a second
	cfg  LineConfig

	// Owned by the loop of the source.
	firstNum       uint64 // number in the layer where the line joined it
	firstSeq       uint16 // its number in the line
	rtxSeq         uint16
	rtxPayloadType uint8
	closing        bool // picture ids have no gaps either: VP8
	gaps           gaps
	descriptor     []byte // reused
	sink           *Sink  // the last that was attached
	rank, class    int    // of the slot, see SlotView

	outcome atomic.Pointer[outcome] // of the last packet that was posted to another loop; nil: all is well
}

// Clock rates in ticks a second. A line has one for its life, so sources of other rates are not mapped to it.
const (
	videoRate = 90000
	audioRate = 48000
)

// NewLine returns a line that is attached to nothing, with random first sequence number and timestamp.
func NewLine(cfg LineConfig) *Line {
	l := &Line{
		cfg:      cfg,
		rate:     audioRate,
		lastSeq:  uint16(rand.Uint32N(1 << 15)), // a receiver that misses the first packets must not meet a wrap: RFC 3711, 3.3.1
		rtxSeq:   uint16(rand.Uint32N(1 << 15)),
		lastTime: rand.Uint32(),
	}
	if cfg.Video {
		l.rate = videoRate
	}
	l.writtenSeq = l.lastSeq
	return l
}

// payloadTypes returns what the receiver calls the codec c, false where it did not negotiate it.
func (l *Line) payloadTypes(c Codec) (pt, rtx uint8, ok bool) {
	for _, o := range l.cfg.Codecs {
		if strings.EqualFold(o.MimeType, c.MimeType) && strings.EqualFold(o.Fmtp, c.Fmtp) {
			return o.PayloadType, o.RTX, true
		}
	}
	for _, o := range l.cfg.Codecs {
		if strings.EqualFold(o.MimeType, c.MimeType) && sameProfile(c.MimeType, o.Fmtp, c.Fmtp) {
			return o.PayloadType, o.RTX, true
		}
	}
	return 0, 0, false
}

// sameProfile reports whether a decoder for the format a takes the format b.
func sameProfile(mime, a, b string) bool {
	switch strings.ToLower(mime) {
	case "video/vp9":
		return orZero(fmtpValue(a, "profile-id")) == orZero(fmtpValue(b, "profile-id"))
	case "video/av1":
		return orZero(fmtpValue(a, "profile")) == orZero(fmtpValue(b, "profile"))
	case "video/h264":
		if orZero(fmtpValue(a, "packetization-mode")) != orZero(fmtpValue(b, "packetization-mode")) {
			return false
		}
		pa, pb := fmtpValue(a, "profile-level-id"), fmtpValue(b, "profile-level-id")
		return len(pa) < 4 || len(pb) < 4 || strings.EqualFold(pa[:2], pb[:2]) // profile_idc; the level may differ
	}
	return true
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

func fmtpValue(fmtp, key string) string {
	for part := range strings.SplitSeq(fmtp, ";") {
		if k, v, _ := strings.Cut(strings.TrimSpace(part), "="); strings.EqualFold(k, key) {
			return v
		}
	}
	return ""
}

// timeMap maps a layer's timestamps to the line's. From newIn on time runs as in the layer; what was cached before it, from
// firstIn, is squeezed to a 16th, so that a viewer who joins catches up instead of staying behind by the cache's length.
type timeMap struct {
	firstIn, newIn   uint32
	firstOut, newOut uint32
}

const squeeze = 4 // a shift

// live maps as if nothing had been squeezed.
func (m timeMap) live(in uint32) uint32 { return m.newOut + (in - m.newIn) }

func (m timeMap) out(in uint32) uint32 {
	if d := int32(in - m.newIn); d >= 0 {
		return m.newOut + uint32(d)
	}
	if d := int32(in - m.firstIn); d >= 0 {
		return m.firstOut + uint32(d)>>squeeze
	}
	return m.firstOut
}

// anchor continues the line with another stream, from the packet first; newest is the latest of the stream that is there
// already (the same, unless cached packets are sent). The timestamp of newest becomes at, if that is not before what the line
// sent; without at known, it advances by the time that passed since.
func (l *Line) anchor(first, newest *ring.Slot, at uint32, known bool) {
	span := uint32(max(int32(newest.Timestamp-first.Timestamp), 0)) >> squeeze
	natural := l.lastTime
	if l.started {
		natural += uint32(ntp.Ticks(time.Duration(newest.At-l.lastAt), l.rate))
		if d := int32(at - natural); known && d < int32(l.rate) && d > -int32(l.rate) { // reports off by over 1 s are wrong
			natural = at
		}
	}
	m := timeMap{firstIn: first.Timestamp, newIn: newest.Timestamp, firstOut: natural - span, newOut: natural}
	if floor := l.lastTime + l.step(); l.started && int32(m.firstOut-floor) < 0 {
		m.firstOut, m.newOut = floor, floor+span
	}
	l.times = m
	l.firstNum, l.maxNum, l.firstSeq = first.Num, first.Num-1, l.lastSeq+1
	l.shift = l.lastSeq + 1 - uint16(first.Num)
	l.gaps.clear()
	if l.pictures {
		l.pictureShift = l.lastPicture + 1 - first.PictureID
		l.tl0Shift = l.lastTL0 + 1 - first.TL0PicIdx
	}
	if l.history.packets == nil && l.remembers() {
		n := audioHistory
		if l.cfg.Video {
			n = videoHistory
		}
		l.history = newHistory(n, l.lastSeq)
	}
}

// remembers reports whether packets are known afterwards: those that are sent again, or wait.
func (l *Line) remembers() bool { return l.cfg.Video || l.hasRTX() }

// step is the least advance of the timestamp at a switch: one packet of sound, or a millisecond.
func (l *Line) step() uint32 {
	if l.cfg.Video {
		return videoRate / 1000
	}
	return audioRate / 50
}

// pictureMask is how wide a packet's picture id is.
func pictureMask(s *ring.Slot) uint16 {
	if s.Described {
		return 0xffff
	}
	return 0x7fff
}

// speak says what the line's next packets are, after anchor.
func (l *Line) speak(k codec.Kind) {
	l.closing = k == codec.VP8
}

// errWaits says that a packet waits for the receiver's link.
var errWaits = errors.New("waits for the receiver's link")

// send forwards a packet, which lies at index in the ring of the layer that k shows. The payload is the slot's, or RED made from it,
// with the type pt.
func (l *Line) send(k *Sink, s *ring.Slot, index uint16, at place, pt uint8, payload []byte) (int, error) {
	e := sent{
		serial: s.Serial, index: index, layer: uint8(k.current),
		seq:       at.seq,
		timestamp: l.times.out(s.Timestamp),
		pictureID: (s.PictureID + at.picture) & pictureMask(s),
		tl0:       s.TL0PicIdx + l.tl0Shift,
	}
	if s.Marker || s.End && int(s.Spatial) == k.spatial {
		e.layer |= sentMarker
	}
	var from *codec.Stream
	if s.Described {
		from = &k.source.streams[k.current].reader
		e.showing(k.spatial, k.temporal)
	}
	newer := s.Num > l.maxNum
	if newer {
		l.maxNum, l.lastSeq, l.lastIn, l.lastAt = s.Num, e.seq, s.Timestamp, s.At
	}
	if !l.started || int32(e.timestamp-l.lastTime) > 0 { // what came before may have been left out
		l.lastTime, l.lastAt = e.timestamp, s.At
	}
	l.started = true
	if s.HasPictureID && (newer || !l.pictures || (e.pictureID-l.lastPicture)&pictureMask(s) <= pictureMask(s)/2) {
		l.lastPicture, l.lastTL0, l.pictures = e.pictureID, e.tl0, true
	}
	if l.history.packets != nil {
		l.history.put(e, int(l.rate))
	}
	l.packets++
	l.octets += uint32(len(payload))
	if s.Start {
		l.keyTime, l.keyed = s.Timestamp, true
	}
	if d := l.pacing(); d != nil && d.pacer.Rate() > 0 {
		if !d.admits(k, e.seq, len(payload), l.keyed && s.Timestamp == l.keyTime) {
			return 0, errWaits
		}
		defer d.written()
	}
	return l.write(l.cfg.SSRC, pt, e.seq, s, &e, payload, from)
}

// pacing returns who spreads the line's packets over time, nil: nobody. Packets from another loop do not wait: what they refer to
// belongs to that loop.
func (l *Line) pacing() *downlink {
	if l.from != nil || !l.cfg.Video {
		return nil
	}
	return l.cfg.paced
}

// abandon forgets the packets that wait, as if they had never been: what comes next takes their numbers. It returns how many. It is
// for a sink that leaves its layer.
func (l *Line) abandon() int {
	d := l.pacing()
	if d == nil || l.sink == nil {
		return 0
	}
	n := d.pacer.Drop(l.sink)
	if n > 0 {
		l.lastSeq = l.writtenSeq
		l.packets -= uint32(n)
	}
	return n
}

// stale reports whether a number that is remembered is of before the keyframe with which the line joined its layer.
func (l *Line) stale(seq uint16) bool {
	return l.maxNum-l.firstNum < videoHistory && int16(seq-l.firstSeq) < 0
}

func (l *Line) hasRTX() bool { return l.cfg.RTXSSRC != 0 && l.rtxPayloadType != 0 }

// delayed sends a remembered packet that has waited.
func (l *Line) delayed(s *ring.Slot, e *sent, from *codec.Stream) (int, error) {
	return l.write(l.cfg.SSRC, l.payloadType, e.seq, s, e, s.Payload(), from)
}

// resend sends a remembered packet of the stream that from reads again, over RTX. Never under its own number: its header or payload
// may be another by now, and SRTP's nonce would not be.
func (l *Line) resend(s *ring.Slot, e *sent, from *codec.Stream) (int, error) {
	l.rtxSeq++
	return l.write(l.cfg.RTXSSRC, l.rtxPayloadType, l.rtxSeq, s, e, s.Retransmission(e.seq), from)
}

// write puts the line's picture ids into the slot, in place: all sinks of a ring are in one loop, and each writes its own. Where a
// fan-out is spread over cores, a copy gets them.
func (l *Line) write(ssrc uint32, pt uint8, seq uint16, s *ring.Slot, e *sent, payload []byte, from *codec.Stream) (int, error) {
	switch {
	case !s.InPayload():
	case l.hand != nil:
		payload = l.hand.patched(s, e)
	default:
		s.Rewrite(s.Payload(), e.pictureID, e.tl0)
	}
	h := l.header()
	h.SSRC, h.PayloadType, h.SequenceNumber = ssrc, pt, seq
	h.Timestamp, h.Marker = e.timestamp, e.marker()
	if s.Described && l.cfg.DependencyID != 0 {
		spatial, temporal := e.shown()
		l.descriptor = from.AppendDescriptor(l.descriptor[:0], s.Descriptor(), &s.Frame, e.pictureID, spatial, temporal)
		if err := h.SetExtension(l.cfg.DependencyID, l.descriptor); err != nil {
			return 0, err
		}
	}
	if l.cfg.even && l.from == nil && ssrc == l.cfg.SSRC {
		h.PaddingSize = s.Padding()
	}
	return l.emit(h, payload)
}

// header returns an empty header, which is used again for the next packet: of any line, so that it stays in the core's cache. The caller
// is in the loop of the source.
func (l *Line) header() *rtp.Header {
	h := &l.sink.source.mu.header
	if l.hand != nil {
		h = &l.hand.header
	}
	*h = rtp.Header{Version: 2, Extensions: h.Extensions[:0]}
	return h
}

// fill sends a packet without payload in place of one that the receiver would wait for in vain.
func (l *Line) fill(s *ring.Slot, at place) (int, error) {
	h := l.header()
	h.SSRC, h.PayloadType, h.SequenceNumber, h.Timestamp = l.cfg.SSRC, l.payloadType, at.seq, l.times.out(s.Timestamp)
	if int32(h.Timestamp-l.lastTime) > 0 { // what follows may be a switch, which goes on from lastTime
		h.Timestamp = l.lastTime
	}
	l.packets++
	return l.emit(h, nil)
}

func (l *Line) emit(h *rtp.Header, payload []byte) (int, error) {
	if h.SSRC == l.cfg.SSRC && int16(h.SequenceNumber-l.writtenSeq) > 0 {
		l.writtenSeq = h.SequenceNumber
	}
	if l.from != nil {
		return l.from.post(l.cfg.loop, l, h, payload)
	}
	return l.cfg.Egress.WriteRTP(h, payload)
}

// timeAt returns the line's timestamp for now, going by arrival times.
func (l *Line) timeAt(now time.Time) uint32 {
	return l.lastTime + uint32(ntp.Ticks(time.Duration(now.UnixNano()-l.lastAt), l.rate))
}
