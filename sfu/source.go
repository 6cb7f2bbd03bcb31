package sfu

import (
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/parley/parley/sfu/internal/budget"
	"github.com/parley/parley/sfu/internal/layer"
	"github.com/parley/parley/sfu/internal/loudness"
	"github.com/parley/parley/sfu/internal/red"
	"github.com/parley/parley/sfu/internal/ring"
)

// Codec is a negotiated RTP format: what a source may send, or what a line's receiver accepts.
type Codec struct {
	MimeType    string // "video/VP8", "audio/opus", …; case does not matter
	Fmtp        string // as in a=fmtp; tells the profiles of VP9, H264 and AV1 apart
	PayloadType uint8
	RTX         uint8 // payload type of its retransmissions (RFC 4588), 0: none. Used by lines only
}

// Upstream carries a source's feedback to whoever publishes it. Both methods are called in the source's loop: they must
// not block and must not call the source or its sinks.
type Upstream interface {
	RequestKeyframe(ssrc uint32)     // send a PLI; already throttled
	Nack(ssrc uint32, seqs []uint16) // ask for these again; seqs rises (mod 65536) and is valid during the call only
}

// SourceConfig describes a source. Only Kind and Codecs are needed.
type SourceConfig struct {
	ID           string // for logs and statistics
	Kind         Kind
	RIDs         []string // simulcast ids from the lowest resolution to the highest (q, h, f), at most 3; empty: one layer
	Codecs       []Codec  // what the publisher may send, told apart by payload type (RTX left out)
	AudioLevelID uint8    // id of the RFC 6464 header extension, 0: none
	DependencyID uint8    // id of the dependency descriptor header extension, 0: none
	Nack         bool     // the publisher answers NACKs
	Upstream     Upstream // nil: no feedback (tests)

	clock *clock // shared by the sources of one publisher, so that lips stay in sync; nil: its own
	loop  *loop  // the publisher's; nil: one of its own
}

// Validate reports the first mistake in c.
func (c SourceConfig) Validate() error {
	switch {
	case !c.Kind.Valid():
		return errors.New("source: kind is not one of the four")
	case len(c.RIDs) > maxLayers:
		return errors.New("source: more than 3 layers")
	case len(c.Codecs) == 0:
		return errors.New("source: no codec")
	}
	return nil
}

const (
	maxLayers = 3
	batchLen  = 32 // packets forwarded in one go; the smallest ring holds as many

	// A sink that shows nothing takes any layer's keyframe after so long without one of the layer it wants.
	impatience = 150 * time.Millisecond
	// A level that was not renewed for so long is silence.
	levelAge = 500 * time.Millisecond

	// Sound is never paced and never makes room for anything, so it is bounded where it comes in: by the most that Opus can be (RFC 6716,
	// section 2.1.1), what repeats other packets left out, and by more packets than a second has frames of 5 ms.
	maxSound, maxSoundPackets = 510_000, 250
)

// Source is one published track with its simulcast layers. All methods may be called from any goroutine: each enters the
// source's loop (one short, mostly uncontended lock), its group's, in which its layers and sinks live, and the lines attached to them.
type Source struct {
	// Static after construction.
	cfg   SourceConfig
	clock *clock
	rate  uint32 // ticks a second
	red   uint8  // payload type of RED, 0: the publisher does not send it
	most  int    // packets to take in one go, so that batch holds what they bring

	mu *loop // the publisher's: it is held over a whole batch of packets

	// Guarded by mu.
	streams  []*stream // by rising resolution
	sinks    []*Sink
	waiting  []*Sink        // those that wait for a keyframe, of video; for their first packet, of audio
	options  []layer.Option // what sinks choose from: the streams, or the spatial layers of the one that has some
	svc      int            // the stream that has spatial layers, -1: none
	packet   rtp.Packet     // reused for parsing
	batch    [batchLen]uint16
	stored   int // in batch
	blocks   [red.MaxBlocks]red.Block
	sound    budget.Budget // bytes of audio; no limit for video
	sounds   budget.Budget // its packets
	asking   asking
	meterOf  loudness.Meter
	stale    bool // options must be renewed
	closed   bool
	drops    drops
	gone     sinkCounts // of sinks that were detached
	offered  uint64     // packets that were stored, to be forwarded
	used     int        // simulcast streams that the publisher uses: a small picture has no room for all
	told     int        // the highest layer that the publisher knows to be wanted, -1: none, untold
	lowerAt  time.Time  // since when it could be less
	looked   time.Time  // at what layers deliver
	hoped    time.Time  // until then somebody is expected to watch all
	ceilings [maxLayers]ceiling

	// Set by whoever forwards to a sink.
	restarts atomic.Bool // some sink's transport came up
	flooded  atomic.Bool // some sink's link has fallen behind

	muted   atomic.Bool
	rtt     atomic.Int64  // nanoseconds
	level   atomic.Uint64 // float64 bits
	scores  atomic.Uint64 // loudness.Scores: 32, 16 and 16 bits
	levelAt atomic.Int64  // Unix nanoseconds
}

// NewSource returns an open, unmuted source. It panics where cfg.Validate fails: configurations come from our own code.
func NewSource(cfg SourceConfig) *Source {
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	s := &Source{cfg: cfg, clock: cfg.clock, rate: audioRate, most: batchLen}
	size, n := audioRing, max(len(cfg.RIDs), 1)
	if cfg.Kind.Video() {
		s.rate, size = videoRate, videoRing
	} else { // a second's at once: a network may have held it back
		s.sound, s.sounds = budget.New(maxSound/8, maxSound/8), budget.New(maxSoundPackets, maxSoundPackets)
	}
	if s.clock == nil {
		s.clock = newClock()
	}
	if s.red = redType(cfg.Codecs); s.red != 0 {
		s.most = batchLen / (1 + maxRedundancy)
	}
	if s.mu = cfg.loop; s.mu == nil {
		s.mu = &loop{}
	}
	for i := range n {
		l := &stream{pulse: pulse{index: i, fresh: true}, ring: ring.New(size, ringKeep)}
		l.sinks.Store(new([]*Sink))
		s.streams = append(s.streams, l)
	}
	s.options, s.svc, s.told, s.used = make([]layer.Option, n, maxLayers), -1, untold, n
	return s
}

// ID returns the id given at construction.
func (s *Source) ID() string { return s.cfg.ID }

// Kind returns what the source shows or sounds.
func (s *Source) Kind() Kind { return s.cfg.Kind }

// Layer returns the layer index of a simulcast id (of "", where there is no simulcast), or -1.
func (s *Source) Layer(rid string) int {
	if len(s.cfg.RIDs) == 0 && rid == "" {
		return 0
	}
	return slices.Index(s.cfg.RIDs, rid)
}

// Receive takes RTP packets of one layer in the order of arrival and forwards them to the sinks that show that layer. A
// packet is a whole RTP packet (after SRTP and RTX were undone); its bytes are copied and may be reused. This is the
// "packets in" seam: any number of packets of one layer may come in one call, and are then forwarded sink by sink.
func (s *Source) Receive(now time.Time, layer int, pkts ...[]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receive(now, layer, pkts)
}

// receive is Receive for who is in the source's loop already.
func (s *Source) receive(now time.Time, layer int, pkts [][]byte) {
	switch {
	case s.closed || s.muted.Load():
		s.drops[dropMuted] += uint64(len(pkts))
		return
	case layer < 0 || layer >= len(s.streams):
		s.drops[dropUnknownLayer] += uint64(len(pkts))
		return
	}
	l := s.streams[layer]
	for len(pkts) > 0 {
		n := min(len(pkts), s.most)
		s.stored = 0
		for _, pkt := range pkts[:n] {
			if index, ok := s.ingest(l, pkt, now); ok {
				s.batch[s.stored] = index
				s.stored++
			}
		}
		chosen := s.stale
		if chosen {
			s.chooseAll(now)
		}
		if s.cfg.Kind.Video() {
			even(l.ring, s.batch[:s.stored])
		}
		s.fanout(l, s.batch[:s.stored], now)
		if l.pending {
			s.admitWhole(l)
		}
		if chosen { // now that this batch's keyframes were used
			s.askKeyframes(now)
		}
		pkts = pkts[n:]
	}
	if s.restarts.Load() && s.cfg.Kind.Video() {
		s.restart(now)
	}
	s.askNacks(l, now)
}

// fanout forwards stored packets, all of them to one sink before the next: a sink's packets leave as one run.
func (s *Source) fanout(l *stream, batch []uint16, now time.Time) {
	for len(batch) > 0 {
		if first := l.ring.Slot(batch[0]); first.Start && len(s.waiting) > 0 {
			s.admit(l, first, now)
		}
		n := len(batch)
		if len(s.waiting) > 0 { // a keyframe further on begins a new run
			for n = 1; n < len(batch) && !l.ring.Slot(batch[n]).Start; n++ {
			}
		}
		s.offered += uint64(n)
		if sinks := *l.sinks.Load(); len(sinks) > 0 {
			if sp := s.mu.spreads(len(sinks) * n); sp != nil {
				sp.run(s, l, sinks, batch[:n])
			} else {
				for _, k := range sinks {
					k.take(l, batch[:n])
				}
			}
		}
		batch = batch[n:]
	}
	if s.flooded.Load() {
		s.flood()
	}
}

// join moves a sink to the layer l, where first will be its first packet and newest is the newest that is there. False: its
// receiver does not take the codec.
func (s *Source) join(k *Sink, l *stream, first, newest *ring.Slot) bool {
	pt, rtx, ok := k.line.payloadTypes(l.codec)
	k.settleUp()
	if k.unsupported = !ok; !ok {
		s.wait(k, false, time.Time{})
		return false
	}
	if k.line.hush(first.At) {
		k.filled++
	}
	at, known := s.align(k, l, newest.Timestamp)
	k.forsake(dropCut)
	k.behind = false
	if pt != k.line.payloadType {
		k.line.history.clear()
	}
	k.line.payloadType, k.line.rtxPayloadType, k.line.red = pt, rtx, 0
	if !s.cfg.Kind.Video() {
		k.line.red = redType(k.line.cfg.Codecs)
	}
	k.line.speak(l.reader.Kind())
	k.line.anchor(first, newest, at, known)
	s.leave(k)
	k.current = l.index
	s.show(k)
	list := slices.Clone(*l.sinks.Load())
	list = slices.Insert(list, k.place(list), k)
	l.sinks.Store(&list)
	s.wait(k, !s.settled(k), time.Time{})
	return true
}

// replay sends what the ring holds from the number on, of the packets that were inserted before serial.
func (s *Source) replay(k *Sink, l *stream, from, serial uint64) {
	last := min(l.padding.dense(l.seq.Max()), from+uint64(l.ring.Cap()))
	for n := from; n <= last; n++ {
		if slot, index := l.ring.Find(n); slot != nil && slot.Serial < serial {
			k.replayed++
			k.forward(slot, index)
		}
	}
	if k.flooded {
		s.flood()
	}
}

// leave takes a sink off the layer it shows.
func (s *Source) leave(k *Sink) {
	if k.current < 0 {
		return
	}
	k.settleUp()
	l := s.streams[k.current]
	list := slices.DeleteFunc(slices.Clone(*l.sinks.Load()), func(o *Sink) bool { return o == k })
	l.sinks.Store(&list)
	k.current = -1
}

// wait puts a sink on the list of those that wait, or takes it off.
func (s *Source) wait(k *Sink, waiting bool, now time.Time) {
	switch i := slices.Index(s.waiting, k); {
	case waiting && i < 0:
		k.since = now
		s.waiting = append(s.waiting, k)
	case !waiting && i >= 0:
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
}

// reset starts a layer's stream anew: what comes next has nothing to do with what was. Its sinks wait for a place to join.
func (s *Source) reset(l *stream) {
	l.nack.Clear()
	l.ring.ForgetKeyframe()
	l.begin()
	for _, k := range *l.sinks.Load() {
		k.settleUp()
		k.current = -1
		s.wait(k, true, time.Time{})
	}
	l.sinks.Store(new([]*Sink))
	s.stale = true
}

// reconsider gives sinks that did not take the source's codec another chance: it changed.
func (s *Source) reconsider() {
	for _, k := range s.sinks {
		k.settleUp()
		k.unsupported = false
	}
	s.stale = true
}

// Tick does what is due: keyframe requests, NACKs, layer choice. Call it every 20 to 50 ms.
func (s *Source) Tick(now time.Time) {
	if s.muted.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.muted.Load() {
		return
	}
	s.look(now)
	for _, l := range s.streams {
		s.checkAlive(l, now)
		s.askNacks(l, now)
	}
	if s.stale {
		s.chooseAll(now)
	}
	s.hurry(now)
	s.askKeyframes(now)
}

// HandleSenderReport takes the NTP and RTP timestamps of the publisher's RTCP sender report for ssrc.
func (s *Source) HandleSenderReport(now time.Time, ssrc uint32, ntpTime uint64, rtpTime uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.streams {
		if l.started && l.ssrc == ssrc {
			l.reported, l.reportNTP, l.reportRTP = true, ntpTime, rtpTime
			s.clock.observe(now, ntpTime)
		}
	}
}

// SetMuted closes or opens the gate: a muted source forwards nothing, and what was cached before is not shown after.
func (s *Source) SetMuted(muted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.muted.Swap(muted) == muted {
		return
	}
	for _, l := range s.streams {
		s.reset(l)
		l.seq.Reset()
	}
	s.level.Store(0)
}

// Muted reports whether the gate is closed.
func (s *Source) Muted() bool { return s.muted.Load() }

// SetRTT tells the round trip time to the publisher. It scales NACK retries and keyframe requests.
func (s *Source) SetRTT(rtt time.Duration) { s.rtt.Store(int64(rtt)) }

// Close ends the source: its sinks are detached, later packets are dropped.
func (s *Source) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for len(s.sinks) > 0 {
		s.detach(s.sinks[0])
	}
	s.level.Store(0)
}

// meter reads the packet's audio level (RFC 6464) and publishes the smoothed one.
func (s *Source) meter(p *rtp.Packet, now time.Time) {
	ext := p.GetExtension(s.cfg.AudioLevelID)
	if len(ext) == 0 {
		return
	}
	s.level.Store(math.Float64bits(s.meterOf.Observe(now, ext[0]&0x7f)))
	scores := s.meterOf.Scores()
	s.scores.Store(uint64(scores.Immediate)<<32 | uint64(scores.Medium)<<16 | uint64(scores.Long))
	s.levelAt.Store(now.UnixNano())
}

// voice returns how loud and how active the source is. It takes no lock.
func (s *Source) voice(id string, now time.Time) loudness.Voice {
	v := loudness.Voice{ID: id, Level: s.loudness(now)}
	if v.Level > 0 {
		n := s.scores.Load()
		v.Scores = loudness.Scores{Immediate: int(n >> 32), Medium: int(n >> 16 & 0xffff), Long: int(n & 0xffff)}
	}
	return v
}

// loudness returns the smoothed audio level, 0 (silence) to 1. It takes no lock.
func (s *Source) loudness(now time.Time) float64 {
	if now.UnixNano()-s.levelAt.Load() > int64(levelAge) {
		return 0
	}
	return math.Float64frombits(s.level.Load())
}
