package sfu

import (
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/parley/parley/sfu/internal/codec"
	"github.com/parley/parley/sfu/internal/keyframe"
	"github.com/parley/parley/sfu/internal/layer"
	"github.com/parley/parley/sfu/internal/nack"
	"github.com/parley/parley/sfu/internal/ntp"
	"github.com/parley/parley/sfu/internal/ring"
)

const (
	videoRing = 512 // packets, 770 KB: 2 s at 2.5 Mb/s
	audioRing = 128
	ringKeep  = time.Second // a ring grows only while its oldest packet is younger

	silence       = 300 * time.Millisecond // without a packet, while others…
	silentFrames  = 3                      // …delivered so many frames: the layer is dead. A static screen is silent in all
	freshFrames   = 10                     // as many, while the streams start: a third of a second
	revivePackets = 3                      // and so many make it live again

	cacheAge     = time.Second // of a keyframe that a new viewer is still served with
	cachePackets = 100         // and the length of what follows it; measured in 1200-byte packets a burst of 120 kB
	timeJump     = 5           // seconds that a timestamp may run ahead of or behind the arrival
)

// stream is one simulcast layer of a source, from the publisher's side. All of it is owned by the source's loop.
type stream struct {
	index   int
	codec   Codec // of the last packet
	kind    codec.Kind
	ssrc    uint32
	started bool // a packet came since the start or the last reset
	ring    *ring.Ring
	seq     ring.Sequence
	began   uint64 // the number seq began with
	padding padding
	nack    nack.Tracker
	key     keyframe.Requester
	size    layer.Size // of the last keyframe, or zero

	lastTime uint32 // timestamp of the newest packet
	lastAt   int64  // its arrival, Unix nanoseconds
	fresh    bool   // lastTime says nothing: the stream starts anew
	live     bool
	revival  int
	behind   [maxLayers]int // frames that other layers delivered since this one's last packet

	reported  bool // a sender report came
	reportNTP uint64
	reportRTP uint32

	sinks atomic.Pointer[[]*Sink] // who shows this layer; copied on change

	packets, bytes, keyframes uint64
	requests, nacks           uint64
	recovered                 uint64 // packets that were lost, from a later one's redundancy

	redundant *redundant // nil while nobody gets RED
}

// ingest checks one packet and stores it. False: nothing to forward.
func (s *Source) ingest(l *stream, pkt []byte, now time.Time) (index uint16, ok bool) {
	p := &s.packet
	if err := p.Unmarshal(pkt); err != nil || p.Version != 2 || len(p.Payload) > ring.MaxPayload {
		s.drops[dropMalformed]++
		return 0, false
	}
	if s.red != 0 && p.PayloadType == s.red && !s.unpack(l, p, now) {
		s.drops[dropMalformed]++
		return 0, false
	}
	return s.store(l, p, len(pkt), now)
}

// store gives the parsed packet, whose size is in bytes, its place.
func (s *Source) store(l *stream, p *rtp.Packet, size int, now time.Time) (index uint16, ok bool) {
	if !s.follow(l, p) {
		s.drops[dropUnknownCodec]++
		return 0, false
	}
	num, ok := s.number(l, p, now)
	if !ok {
		return 0, false
	}
	l.packets++
	l.bytes += uint64(size)
	slot, index := l.ring.Insert(num, p.Payload, now)
	info := l.kind.Inspect(p.Payload)
	slot.Timestamp, slot.Marker = p.Timestamp, p.Marker
	slot.Start, slot.VP8 = info.Start, info.VP8
	if info.Start {
		s.keyframe(l, slot, info)
	}
	if s.cfg.AudioLevelID != 0 {
		s.meter(p, now)
	}
	return index, true
}

// follow resets the layer when the publisher changed its SSRC or codec. False: the codec was not negotiated.
func (s *Source) follow(l *stream, p *rtp.Packet) bool {
	if l.started && p.SSRC == l.ssrc && p.PayloadType == l.codec.PayloadType {
		return true
	}
	for _, c := range s.cfg.Codecs {
		if c.PayloadType != p.PayloadType {
			continue
		}
		if l.started {
			s.reset(l)
			l.seq.Reset()
		}
		if p.SSRC != l.ssrc {
			l.reported = false
		}
		if c != l.codec {
			s.reconsider()
		}
		l.ssrc, l.codec, l.kind, l.started = p.SSRC, c, codec.Parse(c.MimeType), true
		return true
	}
	return false
}

// number gives the packet its place in the layer. False: it has none, and was counted.
func (s *Source) number(l *stream, p *rtp.Packet, now time.Time) (num uint64, ok bool) {
	ext, gap, verdict := l.seq.Next(p.SequenceNumber)
	switch verdict {
	case ring.Suspect:
		s.drops[dropSuspect]++
		return 0, false
	case ring.Late:
		l.nack.Arrived(ext)
		return s.late(l, ext)
	case ring.Restart:
		s.reset(l)
		l.began = ext
	case ring.Newer:
		if s.jumped(l, p.Timestamp, now) {
			s.reset(l)
		} else if gap > 0 && s.cfg.Nack && !l.nack.Gap(now, ext-gap, ext-1) {
			l.key.Ask()
		}
	}
	l.lastTime, l.lastAt, l.fresh = p.Timestamp, now.UnixNano(), false
	s.alive(l, p.Marker)
	if len(p.Payload) == 0 {
		l.padding.skip(ext)
		s.drops[dropPadding]++
		return 0, false
	}
	return l.padding.dense(ext), true
}

// late accepts a packet that is out of order, once, and while the ring reaches back to it.
func (s *Source) late(l *stream, ext uint64) (num uint64, ok bool) {
	num = l.padding.dense(ext)
	if l.padding.skipped(ext) {
		s.drops[dropDuplicate]++
		return 0, false
	}
	if ext < l.padding.horizon() || num+uint64(l.ring.Cap()) <= l.padding.dense(l.seq.Max()) {
		s.drops[dropLate]++
		return 0, false
	}
	if old, _ := l.ring.Find(num); old != nil {
		s.drops[dropDuplicate]++
		return 0, false
	}
	return num, true
}

// jumped reports whether a timestamp does not fit the time that passed.
func (s *Source) jumped(l *stream, timestamp uint32, now time.Time) bool {
	if l.fresh {
		return false
	}
	passed := ntp.Ticks(time.Duration(now.UnixNano()-l.lastAt), s.rate)
	off := int64(int32(timestamp-l.lastTime)) - passed
	limit := int64(s.rate) * timeJump
	// After hours of silence the 32 bits have wrapped: they say nothing.
	return passed < 1<<30 && (off > limit || off < -limit)
}

// alive keeps the books of who delivers.
func (s *Source) alive(l *stream, frame bool) {
	l.behind = [maxLayers]int{}
	if !l.live {
		if l.revival++; l.revival >= revivePackets || l.packets == 0 {
			l.live, s.stale = true, true
		}
	}
	if !frame {
		return
	}
	for _, o := range s.streams {
		if o != l {
			o.behind[l.index]++
		}
	}
}

// silent reports whether others deliver and l does not.
func (l *stream) silent(now time.Time) bool {
	if now.UnixNano()-l.lastAt < int64(silence) {
		return false
	}
	limit := silentFrames
	if l.fresh { // layers do not come up all at once
		limit = freshFrames
	}
	for _, frames := range l.behind {
		if frames >= limit {
			return true
		}
	}
	return false
}

func (s *Source) keyframe(l *stream, slot *ring.Slot, info codec.Info) {
	l.ring.MarkStart(slot)
	if !s.cfg.Kind.Video() {
		return
	}
	l.key.Arrived()
	l.keyframes++
	if size := (layer.Size{Width: int(info.Width), Height: int(info.Height)}); info.Width > 0 && size != l.size {
		l.size, s.stale = size, true
	}
}

// cached returns the start of a keyframe that is recent enough to serve a new viewer with, and the newest packet, or nil.
func (l *stream) cached(now time.Time) (first, newest *ring.Slot) {
	first = l.ring.Keyframe()
	if first == nil || !l.started || now.UnixNano()-first.At > int64(cacheAge) {
		return nil, nil
	}
	if l.padding.dense(l.seq.Max())-first.Num >= cachePackets {
		return nil, nil
	}
	return first, l.newest(first, math.MaxUint64)
}

// newest returns the packet with the highest number, from first on, of those that were inserted up to serial.
func (l *stream) newest(first *ring.Slot, serial uint64) *ring.Slot {
	n := min(l.padding.dense(l.seq.Max()), first.Num+uint64(l.ring.Cap()))
	for ; n > first.Num; n-- {
		if s, _ := l.ring.Find(n); s != nil && s.Serial <= serial {
			return s
		}
	}
	return first
}

// padding closes the gaps that packets without payload leave in a layer's numbers. It remembers the last 16.
type padding struct {
	nums  [16]uint64
	count uint64
}

func (p *padding) skip(ext uint64) {
	p.nums[p.count%uint64(len(p.nums))] = ext
	p.count++
}

func (p *padding) remembered() []uint64 { return p.nums[:min(p.count, uint64(len(p.nums)))] }

// dense returns ext without those skipped before it.
func (p *padding) dense(ext uint64) uint64 {
	n := ext - p.count
	for _, skipped := range p.remembered() {
		if skipped > ext {
			n++
		}
	}
	return n
}

func (p *padding) skipped(ext uint64) bool {
	return slices.Contains(p.remembered(), ext)
}

// horizon is the number before which dense is not known any more.
func (p *padding) horizon() uint64 {
	if p.count <= uint64(len(p.nums)) {
		return 0
	}
	return p.nums[p.count%uint64(len(p.nums))]
}
