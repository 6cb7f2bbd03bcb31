package signaling

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/token"
)

// look makes run work out the slots. It does not wait.
func (s *session) look() {
	if s.peer == nil || !s.can.has(token.Subscribe) {
		return
	}
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// show works out the slots and has the media node show them. A mistake of ours in there ends this session alone.
func (s *session) show() {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic in slots: the session is ended", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			s.room.end(s, reasonLeft, closeInternal)
		}
	}()
	view, ok := s.nextView()
	if !ok || slices.Equal(view, s.shown) {
		return
	}
	s.shown = view
	switch err := s.peer.Show(view); {
	case err == nil || errors.Is(err, sfu.ErrClosed): // closed: the client ended its media, and may do so
	default:
		s.room.srv.count.showFailed.Add(1)
		s.log.Warn("show", "err", err)
	}
}

// nextView works out the slots, tells the session where the map changed, and returns it for the media node. ok is false
// when the session has ended.
func (s *session) nextView() (view []sfu.SlotView, ok bool) {
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.ended {
		return nil, false
	}
	wants, others := s.wantsLocked()
	s.view = assign(s.view, wants, others)
	states := make([]slotState, len(s.view))
	for i, w := range s.view {
		states[i].Slot = i
		if w.participant == "" {
			continue
		}
		states[i].Participant, states[i].Stream = nullable(w.participant), nullable(w.stream)
		video, audio := r.sessions[w.participant].streamLocked(w.stream)
		v := sfu.SlotView{
			Slot: i, Width: w.width, Height: w.height, Rank: w.rank, Pinned: w.pinned,
			Speaking: w.stream == streamCamera && slices.Contains(r.speaking, w.participant),
		}
		if video != nil && w.picture() {
			v.Video, states[i].Video = video.source, nullable(video.id)
		}
		if audio != nil {
			v.Audio, states[i].Audio = audio.source, nullable(audio.id)
		}
		view = append(view, v)
	}
	if !slices.Equal(states, s.told) {
		s.told = states
		r.appendLocked("slots", eventlog.Only(s.id), func(e event) any { return slotsEvent{event: e, Slots: states} })
	}
	return view, true
}

// wantsLocked lists what the session should get: what it asked for and can be had, most important first, and whom it may
// hear besides.
func (s *session) wantsLocked() (wants []want, others []speaker) {
	listed := map[string]bool{s.id: true}
	seen := map[streamKey]bool{}
	for _, t := range s.tiles {
		key := streamKey{participant: t.Participant, stream: t.Stream}
		other := s.room.sessions[t.Participant]
		if other == nil || other == s || seen[key] {
			continue
		}
		seen[key] = true
		if t.Stream == streamCamera {
			listed[t.Participant] = true
		}
		w := want{streamKey: key, width: t.Width, height: t.Height, rank: len(wants), pinned: t.Pinned}
		video, audio := other.streamLocked(t.Stream)
		if audio != nil || video != nil && w.picture() {
			wants = append(wants, w)
		}
	}
	for _, sp := range s.room.audible {
		if !listed[sp.participant] {
			others = append(others, sp)
		}
	}
	return wants, others
}

// growLocked gives the session n slots, which are empty at first. It has never fewer than before.
func (s *session) growLocked(n int) {
	for i := len(s.view); i < n; i++ {
		s.view = append(s.view, want{})
		s.told = append(s.told, slotState{Slot: i})
	}
}
