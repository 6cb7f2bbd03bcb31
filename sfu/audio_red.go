package sfu

import (
	"slices"
	"strings"
	"time"

	"github.com/pion/rtp"

	"github.com/parley/parley/sfu/internal/allocate"
	"github.com/parley/parley/sfu/internal/red"
	"github.com/parley/parley/sfu/internal/ring"
)

// Redundant audio (RFC 2198). A source stores plain Opus: what a publisher repeats fills the gaps in the ring and goes no
// further. A receiver that negotiated RED gets its own redundancy, made from the ring once for all of them, so that it does
// not matter whether the publisher sends any.

const (
	mimeRED = "audio/red"

	maxRedundancy = 2    // packets before, each costs what the packet costs
	redReach      = 16   // packets from the newest, that are still worth bringing back
	redLimit      = 1100 // bytes of a whole payload; what is longer goes out plain

	// Redundancy follows the loss that the receiver reports. One packet turns 3 % of random loss into 0.1 %, two 10 % into the same.
	manyLost   = 4.0 / 100
	redundancy = 1
	redHold    = 30 * time.Second // that more is sent after the last bad report
)

// redundant is one layer's last RED payload for each depth.
type redundant struct {
	made [maxRedundancy]struct {
		serial uint64 // of the slot that it was made for, 0: none
		pt     uint8
		buf    []byte
	}
	blocks [maxRedundancy]red.Block
}

// redType returns the payload type of RED among the codecs, 0: there is none.
func redType(codecs []Codec) uint8 {
	for _, c := range codecs {
		if strings.EqualFold(c.MimeType, mimeRED) {
			return c.PayloadType
		}
	}
	return 0
}

// unpack takes a RED packet apart: p becomes the primary, and what it repeats and we miss is stored and added to the batch.
// False: it is none, or its primary is RED again.
func (s *Source) unpack(l *stream, p *rtp.Packet, now time.Time) bool {
	blocks, err := red.Parse(p.Payload, &s.blocks)
	if err != nil {
		return false
	}
	primary := blocks[len(blocks)-1]
	if primary.PayloadType == s.red {
		return false
	}
	whole := *p
	p.PayloadType = primary.PayloadType
	if l.started && l.ssrc == p.SSRC {
		repeated := blocks[max(len(blocks)-1-maxRedundancy, 0) : len(blocks)-1]
		for i, b := range repeated {
			seq := whole.SequenceNumber - uint16(len(repeated)-i)
			if len(b.Payload) == 0 || b.PayloadType != primary.PayloadType || !s.misses(l, seq) {
				continue
			}
			p.SequenceNumber, p.Timestamp, p.Payload, p.Marker = seq, whole.Timestamp-b.Offset, b.Payload, false
			if index, ok := s.store(l, p, len(b.Payload), now); ok {
				s.batch[s.stored] = index
				s.stored++
				l.recovered++
			}
		}
	}
	p.SequenceNumber, p.Timestamp, p.Marker = whole.SequenceNumber, whole.Timestamp, whole.Marker
	p.Payload = primary.Payload
	return true
}

// misses reports whether the packet with the number seq is not here, but could still be of use.
func (s *Source) misses(l *stream, seq uint16) bool {
	d := int16(seq - uint16(l.seq.Max()))
	if d > 0 {
		return d <= redReach
	}
	behind := uint64(-int64(d))
	ext := l.seq.Max() - behind
	if behind > redReach || ext <= l.began || l.padding.skipped(ext) {
		return false
	}
	slot, _ := l.ring.Find(l.padding.dense(ext))
	return slot == nil
}

// redundantly returns what a receiver of RED gets for a slot of the layer: the payload and its type.
func (k *Sink) redundantly(l *stream, slot *ring.Slot) ([]byte, uint8) {
	depth := min(int(k.redundancy), int(min(slot.Num-k.line.firstNum, maxRedundancy))) // before it was another's sound
	if depth < 1 {
		return slot.Payload(), k.line.payloadType
	}
	r := l.redundant
	if k.line.hand != nil {
		r = &k.line.hand.redundant
	} else if r == nil {
		r = new(redundant)
		l.redundant = r
	}
	m := &r.made[depth-1]
	if m.serial != slot.Serial || m.pt != k.line.payloadType {
		n := depth
		for back := 1; back <= depth; back++ { // contiguous: what is further back than a gap would be taken for what is lost
			before, _ := l.ring.Find(slot.Num - uint64(back))
			if before == nil {
				break
			}
			n--
			r.blocks[n] = red.Block{Offset: slot.Timestamp - before.Timestamp, Payload: before.Payload()}
		}
		m.serial, m.pt = slot.Serial, k.line.payloadType
		m.buf = red.Append(m.buf[:0], m.pt, r.blocks[n:depth], slot.Payload())
	}
	if len(m.buf) > redLimit {
		return slot.Payload(), k.line.payloadType
	}
	return m.buf, k.line.red
}

// SetLoss tells which share of the line's packets the receiver reports as lost, 0 to 1.
func (k *Sink) SetLoss(now time.Time, share float64) {
	k.source.mu.Lock()
	defer k.source.mu.Unlock()
	switch {
	case share >= manyLost:
		k.lossy, k.lossAt = maxRedundancy, now
	case now.Sub(k.lossAt) >= redHold:
		k.lossy = redundancy
	}
	k.redundancy = min(k.lossy, k.afford)
}

// repeat lets as much of the receiver's sound be repeated as leaves room for its pictures. The caller is in the loop.
func (d *downlink) repeat(now time.Time, limit int, known bool) {
	most := uint8(maxRedundancy)
	if known {
		most = uint8(allocate.Repeats(limit, d.bare(now), maxRedundancy, len(d.sinks) > 0))
	}
	if most > d.repeats && now.Sub(d.repeated) < time.Second { // what is sent now is not measured yet
		return
	}
	d.repeats, d.repeated = most, now
	for _, l := range d.peer.send.Load().lines {
		if k := l.sink.Load(); !l.video && k != nil && k.source.mu == d.loop && !k.detached {
			k.afford = most
			k.redundancy = min(k.lossy, k.afford)
		}
	}
}

// bare returns what the receiver's sound takes without what is repeated, in bit/s. The caller is in the loop.
func (d *downlink) bare(now time.Time) int {
	lines, packets := 0, 0
	for _, l := range d.peer.send.Load().lines {
		if k := l.sink.Load(); !l.video && k != nil && k.source.mu == d.loop && k.current >= 0 {
			lines, packets = lines+1, packets+1
			if k.line.red != 0 {
				packets += int(k.redundancy)
			}
		}
	}
	return d.sound.rate(now) * max(lines, 1) / max(packets, 1)
}

// opusSilence is 20 ms of nothing.
var opusSilence = []byte{0xf8, 0xff, 0xfe}

// hush sends a packet of silence before the line goes on with another source: the decoder's state fades out and in, where it
// would click. At is the arrival of the first packet to follow, Unix nanoseconds.
func (l *Line) hush(at int64) (sent bool) {
	opus := func(c Codec) bool {
		return c.PayloadType == l.payloadType && strings.EqualFold(c.MimeType, "audio/opus")
	}
	if l.cfg.Video || !l.started || !slices.ContainsFunc(l.cfg.Codecs, opus) {
		return false
	}
	step := l.step()
	l.lastTime = max32(l.timeAt(time.Unix(0, at))-step, l.lastTime+step)
	l.lastSeq++
	l.lastAt = at - int64(time.Second)*int64(step)/int64(l.rate)
	h := l.header()
	h.SSRC, h.PayloadType, h.SequenceNumber, h.Timestamp = l.cfg.SSRC, l.payloadType, l.lastSeq, l.lastTime
	if n, err := l.emit(h, opusSilence); err != nil || n == 0 {
		return false
	}
	l.packets++
	l.octets += uint32(len(opusSilence))
	return true
}

// max32 returns the later of two timestamps.
func max32(a, b uint32) uint32 {
	if int32(a-b) > 0 {
		return a
	}
	return b
}
