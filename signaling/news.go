package signaling

import (
	"slices"
	"sync"
	"time"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/sfu/quality"
	"github.com/parley/parley/signaling/internal/eventlog"
)

// qualityEvery is the least time between two quality events of a room.
const qualityEvery = 2 * time.Second

// news is what the media node told of a session's connection. The media node must not wait for a room's lock: it leaves things here,
// and the session's run tells them.
type news struct {
	stir chan struct{} // holds one: there is something

	mu      sync.Mutex
	held    []quality.Held       // Guarded by mu; nil: nothing new.
	watched map[sfu.Kind]watched // Guarded by mu: what is new.
	score   int                  // Guarded by mu; 0: nothing new.
}

func newNews() *news { return &news{stir: make(chan struct{}, 1)} }

func (n *news) leave(put func()) {
	n.mu.Lock()
	put()
	n.mu.Unlock()
	select {
	case n.stir <- struct{}{}:
	default:
	}
}

// OnVideo is told which videos were asked for and do not flow.
func (s *session) OnVideo(held []quality.Held) {
	s.news.leave(func() { s.news.held = append([]quality.Held{}, held...) })
}

// OnLayers is told which layers of a video of the session's are watched, and how much of them.
func (s *session) OnLayers(kind sfu.Kind, rids []string, most map[string]int) {
	s.news.leave(func() {
		if s.news.watched == nil {
			s.news.watched = map[sfu.Kind]watched{}
		}
		s.news.watched[kind] = watched{rids, most}
	})
}

// OnQuality is told the score of the session's connection.
func (s *session) OnQuality(score int) {
	s.news.leave(func() { s.news.score = score })
}

// tellNews appends what the media node told to the room's log.
func (s *session) tellNews() {
	n := s.news
	n.mu.Lock()
	held, layers, score := n.held, n.watched, n.score
	n.held, n.watched, n.score = nil, nil, 0
	n.mu.Unlock()
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.ended {
		return
	}
	if held != nil {
		s.held = held
		s.tellHeldLocked()
	}
	for _, kind := range sourceOrder() {
		if w, ok := layers[kind]; ok {
			s.watched[kind] = w
			s.tellWatchedLocked(kind)
		}
	}
	if score != 0 {
		r.scoreLocked(s, score)
	}
}

func (s *session) tellHeldLocked() {
	s.room.appendLocked("video", eventlog.Only(s.id), func(e event) any { return videoEvent{event: e, Slots: s.held} })
}

func (s *session) tellWatchedLocked(kind sfu.Kind) {
	w := s.watched[kind]
	s.room.appendLocked("layers", eventlog.Only(s.id).About("layers "+s.id+" "+string(kind)), func(e event) any {
		return layersEvent{event: e, Kind: kind, Wanted: w.rids, Most: w.most}
	})
}

// tellAgainLocked repeats what a client that has lost its place does not know any more.
func (s *session) tellAgainLocked() {
	if len(s.held) > 0 {
		s.tellHeldLocked()
	}
	for _, kind := range sourceOrder() {
		if _, ok := s.watched[kind]; ok {
			s.tellWatchedLocked(kind)
		}
	}
	s.tellScoresLocked()
}

// tellScoresLocked tells a session the scores that are not the best, where there are some.
func (s *session) tellScoresLocked() {
	scores := map[string]int{}
	for id, o := range s.room.sessions {
		if o.score != 0 && o.score != 5 {
			scores[id] = o.score
		}
	}
	if len(scores) > 0 {
		s.room.appendLocked("quality", eventlog.Only(s.id), func(e event) any { return qualityEvent{event: e, Participants: scores} })
	}
}

// scoreLocked notes a score, which run tells with others.
func (r *room) scoreLocked(s *session, score int) {
	if s.score == score || s.score == 0 && score == 5 {
		s.score = score
		return
	}
	s.score = score
	if !slices.Contains(r.rescored, s.id) {
		r.rescored = append(r.rescored, s.id)
	}
	select {
	case r.scored <- struct{}{}:
	default:
	}
}

// tellScores tells the room whose score changed.
func (r *room) tellScores() {
	r.mu.Lock()
	defer r.mu.Unlock()
	scores := map[string]int{}
	for _, id := range r.rescored {
		if s := r.sessions[id]; s != nil {
			scores[id] = s.score
		}
	}
	r.rescored = nil
	if len(scores) > 0 {
		r.appendLocked("quality", eventlog.Participants().Unhurried(), func(e event) any { return qualityEvent{event: e, Participants: scores} })
	}
}

// stats reports on the session's connection.
func (s *session) stats(id uint64) (any, error) {
	if s.peer == nil {
		return nil, errNoMedia()
	}
	report := s.peer.Report()
	s.room.mu.Lock()
	for i, w := range s.view {
		if w.participant == "" || w.picture() {
			continue
		}
		if other := s.room.sessions[w.participant]; other != nil {
			if video, _ := other.streamLocked(w.stream); video != nil {
				report.Slots = append(report.Slots, quality.Slot{Slot: i, Video: video.id, Spatial: -1, Reason: quality.Hidden})
			}
		}
	}
	s.room.mu.Unlock()
	slices.SortFunc(report.Slots, func(a, b quality.Slot) int { return a.Slot - b.Slot })
	return statsReply{Type: "stats", ID: id, Report: report}, nil
}
