package signaling

import (
	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/token"
)

// publish opens one of the session's sending lines. Publishing what is published already changes nothing but the mute
// state.
func (s *session) publish(id uint64, msg []byte) (any, error) {
	var m publishRequest
	if err := parse(msg, &m); err != nil {
		return nil, err
	}
	if err := s.can.need(token.Publish); err != nil {
		return nil, err
	}
	if s.peer == nil {
		return nil, errNoMedia()
	}
	s.media.Lock()
	defer s.media.Unlock()
	published, err := s.mayPublish(m.Kind)
	if err != nil {
		return nil, err
	}
	if published {
		if _, err := s.setMuted(m.Kind, m.Muted, ""); err != nil {
			return nil, err
		}
	} else if err := s.openSource(m.Kind, m.Muted); err != nil {
		return nil, err
	}
	reply := okay(id)
	reply.Source = &Source{ID: sourceID(s.id, m.Kind), Kind: m.Kind, Muted: m.Muted}
	return reply, nil
}

// mayPublish reports whether the session publishes this kind already, or why it may not.
func (s *session) mayPublish(kind sfu.Kind) (published bool, err error) {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	limit := s.room.srv.cfg.Limits.Publications
	switch {
	case s.ended:
		return false, errEnded()
	case s.sources[kind] != nil:
		return true, nil
	case len(s.sources) >= limit:
		return false, refuse(codeTooManyTracks, "at most %d sources may be published", limit)
	}
	return false, nil
}

func errEnded() error { return refuse(codeSessionGone, "the session has ended") }

// openSource publishes a source that is not published. The media lock is held.
func (s *session) openSource(kind sfu.Kind, muted bool) error {
	source, err := s.peer.Publish(kind, muted)
	if err != nil {
		return mediaError(err)
	}
	if !s.addSource(kind, &publication{id: sourceID(s.id, kind), source: source, muted: muted}) {
		s.peer.Unpublish(kind)
		return errEnded()
	}
	if kind == sfu.Microphone && !muted {
		s.room.speakers.Add(s.id, source)
	}
	return nil
}

// addSource tells the room of a source. It is false where the session has ended.
func (s *session) addSource(kind sfu.Kind, pub *publication) bool {
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.ended {
		return false
	}
	s.sources[kind] = pub
	r.appendLocked("published", eventlog.Audience{}, func(e event) any {
		return publishedEvent{event: e, Participant: s.id, Source: Source{ID: pub.id, Kind: kind, Muted: pub.muted}}
	})
	r.changedLocked()
	return true
}

// unpublish closes one of the session's sending lines.
func (s *session) unpublish(id uint64, msg []byte) (any, error) {
	var m unpublishRequest
	if err := parse(msg, &m); err != nil {
		return nil, err
	}
	s.media.Lock()
	defer s.media.Unlock()
	if err := s.dropSource(m.Kind); err != nil {
		return nil, err
	}
	s.peer.Unpublish(m.Kind)
	if m.Kind == sfu.Microphone {
		s.room.speakers.Remove(s.id)
	}
	return okay(id), nil
}

func (s *session) dropSource(kind sfu.Kind) error {
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	pub := s.sources[kind]
	if s.ended || pub == nil {
		return refuse(codeNoSource, "no %s is published", kind)
	}
	delete(s.sources, kind)
	r.appendLocked("unpublished", eventlog.Audience{}, func(e event) any {
		return unpublishedEvent{event: e, Participant: s.id, Source: pub.id}
	})
	r.changedLocked()
	return nil
}

// mute mutes or unmutes one of the session's own sources.
func (s *session) mute(id uint64, msg []byte) (any, error) {
	var m muteRequest
	if err := parse(msg, &m); err != nil {
		return nil, err
	}
	s.media.Lock()
	defer s.media.Unlock()
	if _, err := s.setMuted(m.Kind, *m.Muted, ""); err != nil {
		return nil, err
	}
	return okay(id), nil
}

// layers takes which layers of a video the client uses.
func (s *session) layers(id uint64, msg []byte) (any, error) {
	var m layersRequest
	if err := parse(msg, &m); err != nil {
		return nil, err
	}
	if err := s.can.need(token.Publish); err != nil {
		return nil, err
	}
	if s.peer == nil {
		return nil, errNoMedia()
	}
	s.media.Lock()
	defer s.media.Unlock()
	s.peer.Use(m.Kind, m.Used)
	return okay(id), nil
}

// setMuted mutes or unmutes a source, in the media node and in the room. The media lock is held. by is the moderator who
// wants it, whom the session is told of; empty: the session itself. changed is false where it was so already.
func (s *session) setMuted(kind sfu.Kind, muted bool, by string) (changed bool, err error) {
	pub, changed, err := s.noteMuted(kind, muted, by)
	if err != nil || !changed {
		return changed, err
	}
	s.peer.Mute(kind, muted)
	if kind != sfu.Microphone {
		return true, nil
	}
	if muted {
		s.room.speakers.Remove(s.id)
	} else {
		s.room.speakers.Add(s.id, pub.source)
	}
	return true, nil
}

func (s *session) noteMuted(kind sfu.Kind, muted bool, by string) (pub *publication, changed bool, err error) {
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	pub = s.sources[kind]
	if s.ended || pub == nil {
		return nil, false, refuse(codeNoSource, "no %s is published", kind)
	}
	if pub.muted == muted {
		return pub, false, nil
	}
	pub.muted = muted
	if by != "" {
		r.appendLocked("muted", eventlog.Only(s.id), func(e event) any { return mutedEvent{event: e, Kind: kind, By: by} })
	}
	r.changedSelfLocked(s)
	r.changedLocked()
	return pub, true, nil
}
