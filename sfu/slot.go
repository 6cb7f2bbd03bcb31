package sfu

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/sfu/internal/seal"
)

const (
	senderReportEvery = time.Second
	// After a switch the receiver should soon know how the new source's audio and video line up.
	senderReportAfterSwitch = 100 * time.Millisecond
)

// slot is a pair of lines that together show one stream.
type slot struct {
	audio, video *slotLine
}

// slotLine is one medium of a slot: what is negotiated, and the Line that is sent. Its SSRCs stay for the
// connection's life.
type slotLine struct {
	// What each packet needs lies together, up to and with media: TestHotFields.

	// Static after construction.
	peer *Peer
	leg  *leg // nil: pion's own path

	// Written once, in Negotiate, before the line is in a send map.
	line     *Line
	ssrc     uint32
	rtx      uint32
	video    bool // Static after construction.
	numbered bool // packets carry transport-wide numbers while the receiver reports on them

	// Owned by the peer's loop.
	repeats       bool // again.until was set
	skipping      bool
	lastTime      uint32 // timestamp of the last packet sent
	skipTime      uint32 // of the frame whose rest is dropped
	media, repair seal.Rollover
	again         again
	told          toldOf

	sink atomic.Pointer[Sink] // written under Peer.mu; nil: nothing is shown

	reportDue atomic.Int64 // Unix nanoseconds of the next sender report

	// Written once, in Negotiate, before the line is in a send map.
	stock  *stockTrack // nil: the peer has a leg
	agreed answered    // codecs, header extension ids and feedback of this line

	// Static after construction.
	mid, id, stream string // id and stream are the msid's halves; the stream is the CNAME, too
}

func newSlot(p *Peer, index int, l SlotLine) *slot {
	stream := "slot" + strconv.Itoa(index)
	return &slot{
		audio: &slotLine{peer: p, leg: p.leg, mid: l.Audio, id: stream + "a", stream: stream},
		video: &slotLine{peer: p, leg: p.leg, mid: l.Video, id: stream + "v", stream: stream, video: true},
	}
}

// show brings the slot to its part of a view. The caller holds Peer.mu, and has detached what moves elsewhere.
func (s *slot) show(now time.Time, v SlotView) {
	s.audio.show(now, v.Audio, 0, 0)
	s.video.weigh(v)
	s.video.show(now, v.Video, v.Width, v.Height)
}

// weigh notes how important the slot's video is.
func (l *slotLine) weigh(v SlotView) {
	l.peer.loop.Lock()
	defer l.peer.loop.Unlock()
	l.line.rank, l.line.class = v.Rank, classOther
	switch {
	case v.Pinned:
		l.line.class = classPinned
	case v.Speaking:
		l.line.class = classSpeaking
	}
	l.peer.downlink.changed()
}

// Classes of allocate.Stream.
const (
	classPinned = iota
	classSpeaking
	classOther
)

// clear empties the slot. The caller holds Peer.mu.
func (s *slot) clear() {
	s.audio.detach()
	s.video.detach()
}

func (l *slotLine) source() *Source {
	if k := l.sink.Load(); k != nil {
		return k.Source()
	}
	return nil
}

func (l *slotLine) detach() {
	if k := l.sink.Swap(nil); k != nil {
		k.Detach()
	}
}

func (l *slotLine) show(now time.Time, src *Source, width, height int) {
	if src == nil {
		l.detach()
		return
	}
	if k := l.sink.Load(); k != nil && k.Source() == src {
		k.Resize(now, width, height)
		return
	}
	l.detach()
	k := src.Attach(now, l.line, width, height)
	if rtt := l.peer.RTT(); rtt > 0 {
		k.SetRTT(rtt)
	}
	l.sink.Store(k)
	l.reportDue.Store(now.Add(senderReportAfterSwitch).UnixNano())
}

// start makes the Line once it is known what the client takes.
func (l *slotLine) start(a answered) {
	l.agreed = a
	l.numbered = l.peer.leg != nil && l.video && a.transportCC && a.ext.transportCC > 0 && a.ext.transportCC < 15
	l.line = NewLine(LineConfig{
		Video: l.video, SSRC: l.ssrc, RTXSSRC: l.rtx, Codecs: a.codecs, DependencyID: a.ext.dependencyDescriptor,
		Egress: l, paced: &l.peer.downlink, even: l.peer.leg != nil && l.peer.leg.plane.segments(), loop: l.peer.loop,
	})
	l.peer.downlink.agree(l)
}

// WriteRTP encrypts and sends one packet: the line's Egress. Before the transport is there pion drops it and returns 0.
func (l *slotLine) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	if l.leg != nil {
		return l.leg.write(l, h, payload)
	}
	n, err := l.stock.out.WriteRTP(h, payload)
	if n > 0 {
		l.peer.count.packetsOut.Add(1)
		l.peer.count.bytesOut.Add(uint64(n))
		if h.SSRC == l.rtx {
			l.peer.count.rtxOut.Add(1)
		}
	}
	return n, err
}

var _ Egress = (*slotLine)(nil)

// sendMap finds slot lines by what RTCP calls them. It is never changed.
type sendMap struct {
	lines  []*slotLine // two for each slot, in order
	videos int
	bySSRC map[uint32]*slotLine
}

func newSendMap(slots []*slot) *sendMap {
	m := &sendMap{bySSRC: make(map[uint32]*slotLine, 2*len(slots))}
	for _, s := range slots {
		for _, l := range []*slotLine{s.audio, s.video} {
			m.lines = append(m.lines, l)
			if l.video {
				m.videos++
			}
			m.bySSRC[l.ssrc] = l
		}
	}
	return m
}

// Show maps sources to slots. The view is the whole map: slots that it does not mention are emptied. A slot that keeps its
// source is not disturbed. The error is ErrNoSlot where the view does not fit the slots; nothing is changed then.
func (p *Peer) Show(view []SlotView) error {
	now := steady.Now()
	if err := p.show(now, view); err != nil {
		return err
	}
	for _, v := range view {
		if v.Video != nil {
			v.Video.summon(now)
		}
	}
	return nil
}

func (p *Peer) show(now time.Time, view []SlotView) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Load() {
		return ErrClosed
	}
	want := make([]SlotView, len(p.slots))
	seen := make([]bool, len(p.slots))
	for _, v := range view {
		switch {
		case v.Slot < 0 || v.Slot >= len(p.slots):
			return fmt.Errorf("%w: %d of %d", ErrNoSlot, v.Slot, len(p.slots))
		case seen[v.Slot]:
			return fmt.Errorf("%w: %d is shown twice", ErrNoSlot, v.Slot)
		case v.Video != nil && !v.Video.Kind().Video(), v.Audio != nil && v.Audio.Kind().Video():
			return fmt.Errorf("%w: audio and video of %d are mixed up", ErrNoSlot, v.Slot)
		}
		seen[v.Slot], want[v.Slot] = true, v
	}
	for i, s := range p.slots { // first let go, so that nothing is forwarded twice in between
		if s.audio.source() != want[i].Audio {
			s.audio.detach()
		}
		if s.video.source() != want[i].Video {
			s.video.detach()
		}
	}
	for i, s := range p.slots {
		s.show(now, want[i])
	}
	return nil
}
