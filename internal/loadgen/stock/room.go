package stock

import (
	"slices"

	"github.com/pion/webrtc/v4"
)

// install takes a peer's slots, and returns who publishes in its room.
func (s *Server) install(p *peer, slots []*slot) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.slots = slots
	var others []map[string]any
	for _, other := range p.room.peers {
		if other.published {
			others = append(others, map[string]any{"id": other.id, "sources": []string{"camera"}})
		}
	}
	return others
}

// publish tells the others that a peer has something to show.
func (p *peer) publish() {
	p.server.mu.Lock()
	first := !p.published
	p.published = true
	others := slices.Clone(p.room.peers)
	p.server.mu.Unlock()
	for _, other := range others {
		if first && other != p {
			// Whoever has left meanwhile does not hear it.
			_ = other.say(map[string]any{"type": "published", "participant": p.id})
		}
	}
}

// open makes a source of a track that begins, and shows it to who waits for it.
func (s *Server) open(p *peer, remote *webrtc.TrackRemote) (*source, error) {
	track, err := webrtc.NewTrackLocalStaticRTP(remote.Codec().RTPCodecCapability, remote.Kind().String(), p.id)
	if err != nil {
		return nil, err
	}
	src := &source{from: p, ssrc: remote.SSRC(), track: track}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.room.sources[sourceKey{p.id, remote.Kind()}] = src
	for _, other := range p.room.peers {
		other.show()
	}
	return src, nil
}

// subscribe gives each participant that is asked for a slot, for good.
func (p *peer) subscribe(m *message) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	for _, t := range m.Tiles {
		if slices.ContainsFunc(p.slots, func(s *slot) bool { return s.of == t.Participant }) {
			continue
		}
		if i := slices.IndexFunc(p.slots, func(s *slot) bool { return s.of == "" }); i >= 0 {
			p.slots[i].of = t.Participant
		}
	}
	p.show()
}

// show puts sources that are there into slots that wait for them. The caller holds Server.mu.
func (p *peer) show() {
	for _, s := range p.slots {
		for i, kind := range kinds {
			src := p.room.sources[sourceKey{s.of, kind}]
			if src == nil || s.shows[i] == src {
				continue
			}
			if err := s.senders[i].ReplaceTrack(src.track); err != nil {
				p.server.log.Warn("show", "err", err)
				continue
			}
			s.shows[i] = src
			if p.connected {
				p.watch(src, kind)
			}
		}
	}
}

// watch counts a peer among those to whom a source flows. The caller holds Server.mu.
func (p *peer) watch(src *source, kind webrtc.RTPCodecType) {
	src.viewers.Add(1)
	if kind == webrtc.RTPCodecTypeVideo {
		src.keyframe(p.server)
	}
}

// up is called when a peer's transport is there.
func (p *peer) up() {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	if p.connected {
		return
	}
	p.connected = true
	for _, s := range p.slots {
		for i, kind := range kinds {
			if s.shows[i] != nil {
				p.watch(s.shows[i], kind)
			}
		}
	}
}

// leave ends a peer.
func (s *Server) leave(p *peer) {
	s.mu.Lock()
	delete(s.peers, p)
	p.room.peers = slices.DeleteFunc(p.room.peers, func(other *peer) bool { return other == p })
	for _, one := range p.slots {
		for _, src := range one.shows {
			if src != nil && p.connected {
				src.viewers.Add(-1)
			}
		}
	}
	for _, kind := range kinds {
		delete(p.room.sources, sourceKey{p.id, kind})
	}
	p.connected, p.slots = false, nil
	s.mu.Unlock()
	if p.pc != nil {
		if err := p.pc.GracefulClose(); err != nil {
			s.log.Warn("close", "err", err)
		}
	}
}
