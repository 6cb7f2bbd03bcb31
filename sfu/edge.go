package sfu

import (
	"encoding/binary"
	"io"
	"sync/atomic"
	"time"

	"github.com/pion/transport/v5/packetio"

	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/sfu/internal/uplink"
)

// maxStreams bounds the SSRCs that one peer may send RTP with, and those that it may send RTCP about: pion keeps a stream
// for each. A browser uses about ten, and two RTCP streams for each slot.
const maxStreams = 512

// The receive edge. pion's SRTP session asks for a buffer when it meets a new SSRC, and writes every packet that it has
// decrypted and authenticated into it, in the one goroutine that reads the session. Our buffers pass the packet on from Write
// and are always empty to readers. So no goroutine and no copy stands between the session and the source, RTX is undone here,
// and pion's own guessing which SSRC is which track goes unused.

// buffer is the SettingEngine's BufferFactory.
func (p *Peer) buffer(kind packetio.BufferPacketType, ssrc uint32) io.ReadWriteCloser {
	p.streamsMu.Lock()
	defer p.streamsMu.Unlock()
	if kind == packetio.RTCPBufferPacket {
		p.rtcpSSRCs++
		if p.rtcpSSRCs == maxStreams {
			p.tooManyStreams()
		}
		return &rtcpStream{peer: p, ssrc: ssrc}
	}
	return p.openStream(ssrc)
}

// openStream returns the stream of an SSRC, a new one where there is none. The caller holds streamsMu.
func (p *Peer) openStream(ssrc uint32) *inStream {
	st := p.streams[ssrc]
	if st == nil {
		if len(p.streams) >= maxStreams {
			p.tooManyStreams()
			return &inStream{peer: p} // closed soon: dropped until then
		}
		st = &inStream{peer: p, ssrc: ssrc}
		p.streams[ssrc] = st
	}
	return st
}

func (p *Peer) tooManyStreams() {
	if !p.closed.Load() && !p.ending.Swap(true) { // its packets go on coming until it is
		p.log.Warn("peer uses too many SSRCs and is closed", "limit", maxStreams)
		p.node.spawn(p.shut)
	}
}

func (p *Peer) stream(ssrc uint32) *inStream {
	p.streamsMu.Lock()
	defer p.streamsMu.Unlock()
	return p.streams[ssrc]
}

// inStream is one SSRC that the client sends with.
type inStream struct {
	peer *Peer
	ssrc uint32

	to atomic.Pointer[target] // written by the SRTP session's goroutine; nil: not known yet

	packet [1][]byte // Owned by the SRTP session's goroutine.

	reception reception    // Guarded by feedback.mu.
	clock     uplink.Clock // Guarded by feedback.mu.
}

// target is where a stream's packets go.
type target struct {
	line   *sendLine
	layer  int
	repair bool      // the stream is RTX
	media  *inStream // of a repair stream: what it repairs; nil until that has sent something
}

// Write takes one packet from the SRTP session.
func (s *inStream) Write(b []byte) (int, error) {
	defer s.peer.guard("receive")
	s.peer.receiveRTP(s, b, steady.Now())
	return len(b), nil
}

// Read has nothing: see Write.
func (s *inStream) Read([]byte) (int, error) { return 0, io.EOF }

// Close keeps the stream: pion closes and reopens streams when it negotiates.
func (s *inStream) Close() error { return nil }

// receiveRTP gives a packet to its source. b may be changed.
func (p *Peer) receiveRTP(s *inStream, b []byte, now time.Time) {
	if to, b := p.accept(s, b, now); to != nil {
		s.packet[0] = b
		to.line.source.Receive(now, to.layer, s.packet[:]...)
	}
}

// accept counts a packet and accounts for it in the feedback. It returns what is to be given to the source, changed in place,
// and where to; nil: to nobody.
func (p *Peer) accept(s *inStream, b []byte, now time.Time) (*target, []byte) {
	p.count.packetsIn.Add(1)
	p.count.bytesIn.Add(uint64(len(b)))
	h, ok := parseHeader(b)
	if !ok {
		p.count.malformed.Add(1)
		return nil, nil
	}
	m := p.receive.Load()
	to := s.to.Load()
	// What is too much is lost before anybody reports that it came: so an encoder that means well sends less.
	if (to == nil || to.line.offer.Kind.Video()) && !p.published.Take(now, len(b)) {
		p.count.excess.Add(1)
		return nil, nil
	}
	p.feedback.received(s, h, b, m, now)
	if to == nil {
		if to = m.find(s.ssrc, h, b); to == nil {
			p.count.unknownSSRC.Add(1)
			return nil, nil
		}
		s.to.Store(to)
	}
	if media := m.rtx[h.payloadType]; media != 0 {
		b = p.undoRTX(s, to, h, b, media)
		if b == nil {
			return nil, nil
		}
	}
	return to, b
}

// undoRTX turns a retransmission (RFC 4588) into the packet that was lost, in place. It returns nil where there is none in
// it: encoders probe the bandwidth with RTX packets that hold padding alone.
func (p *Peer) undoRTX(s *inStream, to *target, h header, b []byte, media uint8) []byte {
	if h.payloadEnd-h.payload < 2 {
		p.count.probes.Add(1)
		return nil
	}
	ssrc := p.repaired(s, to)
	if ssrc == 0 {
		p.count.unknownSSRC.Add(1)
		return nil
	}
	osn := binary.BigEndian.Uint16(b[h.payload:])
	copy(b[2:], b[:h.payload]) // the header moves over the two bytes of the original sequence number
	b = b[2:]
	b[1] = b[1]&0x80 | media
	binary.BigEndian.PutUint16(b[2:], osn)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	p.count.rtxIn.Add(1)
	return b
}

// repaired returns the SSRC that a repair stream repairs: as declared, or the one that was seen on the same layer.
func (p *Peer) repaired(s *inStream, to *target) uint32 {
	if to.media != nil {
		return to.media.ssrc
	}
	for media, repair := range to.line.offer.ssrcs {
		if repair == s.ssrc {
			return media
		}
	}
	p.streamsMu.Lock()
	defer p.streamsMu.Unlock()
	for _, o := range p.streams {
		if t := o.to.Load(); t != nil && !t.repair && t.line == to.line && t.layer == to.layer {
			found := *to
			found.media = o
			s.to.Store(&found)
			return o.ssrc
		}
	}
	return 0
}

// receiveMap says what the client's packets are. It is never changed; a new one follows each negotiation.
type receiveMap struct {
	lines  []*sendLine
	byMID  map[string]*sendLine
	ext    extensionIDs
	rtx    [128]uint8  // by RTX payload type: the type that it repairs; 0: it is none
	clocks [128]uint32 // by payload type: Hz; 0: not negotiated
}

func (m *receiveMap) byKind(k Kind) *sendLine {
	for _, l := range m.lines {
		if l.offer.Kind == k {
			return l
		}
	}
	return nil
}

// next returns the map after o was answered by sections. Lines that were there stay. The caller holds Peer.mu.
func (m *receiveMap) next(p *Peer, o *offer, sections map[string]answered) *receiveMap {
	n := &receiveMap{ext: o.extensions, byMID: make(map[string]*sendLine)}
	for _, s := range o.send {
		a := sections[s.MID]
		for pt, apt := range a.rtx {
			n.rtx[pt] = apt
		}
		for pt, hz := range a.clocks {
			n.clocks[pt] = hz
		}
		l := m.byKind(s.Kind)
		if l == nil {
			l = &sendLine{peer: p, offer: s, agreed: a, pli: a.pli || !a.fir}
			l.source = NewSource(SourceConfig{
				ID: p.id + "." + string(s.Kind), Kind: s.Kind, RIDs: s.rids, Codecs: a.codecs,
				AudioLevelID: o.extensions.audioLevel, DependencyID: a.ext.dependencyDescriptor, Nack: a.nack, Upstream: l, clock: p.clock, loop: p.loop,
			})
			l.source.SetMuted(true) // until Publish
		}
		n.lines = append(n.lines, l)
		n.byMID[s.MID] = l
	}
	return n
}

// find says where a stream belongs: by its SSRC as declared, by the ids in its header extensions, or, for clients that use
// neither, because there is but one line of that medium.
func (m *receiveMap) find(ssrc uint32, h header, b []byte) *target {
	repair := m.rtx[h.payloadType] != 0
	for _, l := range m.lines {
		if _, ok := l.offer.ssrcs[ssrc]; ok {
			return &target{line: l}
		}
		for _, r := range l.offer.ssrcs {
			if r == ssrc {
				return &target{line: l, repair: true}
			}
		}
	}
	var line *sendLine
	if mid := h.extension(b, m.ext.mid); mid != nil {
		line = m.byMID[string(mid)]
	} else {
		line = m.only(h.payloadType)
	}
	if line == nil {
		return nil
	}
	if len(line.offer.rids) == 0 {
		return &target{line: line, repair: repair}
	}
	id := m.ext.rid
	if repair {
		id = m.ext.repairedRID
	}
	rid := h.extension(b, id)
	if rid == nil {
		return nil
	}
	layer := line.source.Layer(string(rid))
	if layer < 0 {
		return nil
	}
	return &target{line: line, layer: layer, repair: repair}
}

// only returns the line that a payload type must belong to, nil where there are several. The RTP clock tells the medium.
func (m *receiveMap) only(pt uint8) *sendLine {
	hz := m.clocks[pt]
	if hz == 0 {
		return nil
	}
	var found *sendLine
	for _, l := range m.lines {
		if l.offer.Kind.Video() == (hz == videoClock) {
			if found != nil {
				return nil
			}
			found = l
		}
	}
	return found
}

const videoClock = 90000 // Hz
