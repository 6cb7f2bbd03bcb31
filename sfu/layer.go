package sfu

import (
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

	cacheAge     = time.Second // of a keyframe that a new viewer is still served with
	cachePackets = 100         // and the length of what follows it; measured in 1200-byte packets a burst of 120 kB
	outage       = 256         // packets: so many at once are not asked for again, nor is the line left with such a hole
	mostAsked    = 40          // packets that may be asked for again at once, and half as many as came after that: more only fills a thin uplink
	timeJump     = 5           // seconds that a timestamp may run ahead of or behind the arrival
)

// stream is one simulcast layer of a source, from the publisher's side. All of it is owned by the source's loop.
type stream struct {
	pulse
	parts   [maxLayers]pulse // of its spatial layers, where it has some
	codec   Codec            // of the last packet
	reader  codec.Stream
	ssrc    uint32
	started bool // a packet came since the start or the last reset
	ring    *ring.Ring
	seq     ring.Sequence
	began   uint64 // the number seq began with
	padding padding
	nack    nack.Tracker
	asked   int // requests for lost packets that arrivals do not cover yet, in halves
	key     keyframe.Requester
	size    layer.Size // of the last keyframe, or zero
	keyTime uint32     // its timestamp
	keyAt   int64      // arrival of its first packet, Unix nanoseconds; 0: the last has come, too

	lastTime uint32 // timestamp of the newest packet
	pending  bool   // somebody joins once the last keyframe is whole
	rates    rates
	layers   int // spatial layers that are known, of video
	tears    tears
	brokenAt int64 // since when so much is missing, Unix nanoseconds; 0: it is not

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
	if !s.sounds.Take(now, 1) || !s.sound.Take(now, len(p.Payload)) {
		s.drops[dropExcess]++
		return 0, false
	}
	l.packets++
	l.asked = max(l.asked-1, 0)
	l.bytes += uint64(size)
	slot, index := l.ring.Insert(num, p.Payload, now)
	described := p.GetExtension(s.cfg.DependencyID)
	info := l.reader.Inspect(p.Payload, described)
	slot.Timestamp, slot.Marker, slot.Frame = p.Timestamp, p.Marker, info.Frame
	if info.Described {
		slot.SetDescriptor(described)
	}
	if s.cfg.Kind.Video() {
		s.account(l, slot, size, now)
		if slot.Marker && slot.Timestamp == l.keyTime && l.keyAt != 0 {
			l.key.Took(time.Duration(now.UnixNano() - l.keyAt))
			l.keyAt = 0
		}
	}
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
		l.ssrc, l.codec, l.started = p.SSRC, c, true
		l.reader.Reset(codec.Parse(c.MimeType))
		l.layers = 0
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
		l.nack.Arrived(now, ext)
		return s.late(l, ext)
	case ring.Restart:
		s.reset(l)
		l.began = ext
	case ring.Newer:
		if gap > 0 {
			l.tears.add(now)
		}
		if gap > outage || s.jumped(l, p.Timestamp, now) {
			s.reset(l)
			l.began = ext
		} else if gap > 0 && s.cfg.Nack && s.watched(l) && !l.nack.Gap(now, ext-gap, ext-1) {
			l.key.Ask()
		}
	}
	l.lastTime = p.Timestamp
	s.alive(l, p.Marker, now)
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
	if ext < l.began { // of what was before a reset
		s.drops[dropLate]++
		return 0, false
	}
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
	passed := ntp.Ticks(time.Duration(now.UnixNano()-l.at), s.rate)
	off := int64(int32(timestamp-l.lastTime)) - passed
	limit := int64(s.rate) * timeJump
	// After hours of silence the 32 bits have wrapped: they say nothing.
	return passed < 1<<30 && (off > limit || off < -limit)
}

func (s *Source) keyframe(l *stream, slot *ring.Slot, info codec.Info) {
	l.ring.MarkStart(slot)
	if !s.cfg.Kind.Video() {
		return
	}
	l.key.Arrived()
	l.keyTime, l.keyAt = slot.Timestamp, slot.At
	l.reread(slot)
	l.keyframes++
	if size := (layer.Size{Width: int(info.Width), Height: int(info.Height)}); info.Width > 0 && size != l.size {
		l.size, s.stale = size, true
	}
}

// reread looks again at what overtook a keyframe's first packet: only that told what layers there are.
func (l *stream) reread(first *ring.Slot) {
	for n := l.padding.dense(l.seq.Max()); n > first.Num; n-- {
		if p, _ := l.ring.Find(n); p != nil {
			p.Rewrite(p.Payload(), p.PictureID, p.TL0PicIdx) // some line's may be there
			p.Frame = l.reader.Inspect(p.Payload(), p.Descriptor()).Frame
		}
	}
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
