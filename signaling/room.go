package signaling

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/token"
)

// room is one room: who is in it, and its log. Methods that end in Locked need mu.
type room struct {
	// Static after construction.
	name     string
	srv      *Server
	log      *slog.Logger
	events   *eventlog.Log
	speakers Speakers
	wake     chan struct{} // holds one: somebody's microphone came on, or the last went off
	scored   chan struct{} // holds one: somebody's score changed
	door     chan struct{} // holds one: there is something to settle with who waits
	gone     chan struct{} // closed when the server has forgotten the room

	mu sync.Mutex

	// Guarded by mu.
	closed   bool // by Shutdown
	locked   bool
	founded  bool // by somebody who came without a token
	bans     []Ban
	porch    porch
	sessions map[string]*session
	order    []*session     // as they joined
	history  []messageEvent // public, oldest first
	speaking []string       // as last told
	audible  []speaker      // participants with an open microphone: the loudest, then who spoke last

	rescored []string // Guarded by mu: whose score is to be told.

	// Guarded by mu: the snapshots for watchers.
	public, full encoded

	// recipients are the data channels of all sessions with media that hear, by participant: copied on write, so that data
	// takes no lock.
	recipients atomic.Pointer[map[string]Peer]

	// Guarded by the server's mu.
	members   int // sessions and joins under way
	watchers  int // those who wait included
	waiting   int
	idleSince time.Time
}

func newRoom(s *Server, name string) *room {
	r := &room{
		name:     name,
		srv:      s,
		log:      s.log.With("room", name),
		events:   eventlog.New(s.cfg.Limits.LogEntries),
		speakers: s.cfg.Media.NewSpeakers(),
		wake:     make(chan struct{}, 1),
		scored:   make(chan struct{}, 1),
		door:     make(chan struct{}, 1),
		porch:    newPorch(s.cfg.Limits),
		gone:     make(chan struct{}),
		sessions: map[string]*session{},
	}
	r.recipients.Store(&map[string]Peer{})
	r.bans = s.loadBans(name)
	return r
}

// run listens for speakers while somebody's microphone is on, tells scores, and settles with who waits. It ends when the room is forgotten.
func (r *room) run() {
	ticker := time.NewTicker(r.srv.cfg.Timing.Speaking)
	defer ticker.Stop()
	ticker.Stop()
	scores := time.NewTimer(0)
	defer scores.Stop()
	<-scores.C
	var told time.Time // when scores were told last
	for {
		select {
		case <-r.scored:
			scores.Reset(max(qualityEvery-time.Since(told), 0))
		case <-scores.C:
			told = time.Now()
			r.tellScores()
		case <-r.door:
			r.settle()
		case <-r.wake:
			if r.silent() {
				ticker.Stop()
			} else {
				ticker.Reset(r.srv.cfg.Timing.Speaking)
			}
		case <-ticker.C:
			now := steady.Now()
			loudest, _ := r.speakers.Update(now)
			r.hear(now, loudest)
		case <-r.gone:
			return
		case <-r.srv.stop:
			return
		}
	}
}

func (r *room) silent() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.audible) == 0
}

// appendLocked adds an event to the log and returns its position. make puts the event together.
func (r *room) appendLocked(typ string, to eventlog.Audience, make func(event) any) eventlog.Position {
	entry, err := r.events.Append(typ, to, func(p eventlog.Position) any {
		return make(event{Type: typ, Position: p})
	})
	if err != nil { // the log is closed: nobody reads it any more
		r.log.Debug("event not logged", "type", typ, "err", err)
		return r.events.Position()
	}
	return entry.Position
}

// add makes s a participant on a link, with that many slots. It returns the snapshot that the event stream goes on from,
// and the chat so far. The error is that of admit, or errLinkClosed.
func (r *room) add(s *session, l *Link, slots int) (Snapshot, []messageEvent, error) {
	r.mu.Lock()
	ghost, err := r.admitLocked(s)
	if err == nil && !l.adopt(s) {
		err = errLinkClosed
	}
	if err != nil {
		r.mu.Unlock()
		return Snapshot{}, nil, err
	}
	replaced := r.replaceLocked(ghost)
	snapshot, history := r.addLocked(s, l, slots)
	r.mu.Unlock()
	replaced()
	if k := l.waits(); k != nil {
		k.finish(l, knockAdmitted)
	}
	return snapshot, history, nil
}

func (r *room) addLocked(s *session, l *Link, slots int) (Snapshot, []messageEvent) {
	s.link, s.latest = l, l
	s.joinedAt = time.Now().UTC().Truncate(time.Millisecond)
	s.joined = steady.Now()
	s.pulse.connect(s.joined)
	s.growLocked(slots)
	r.foundLocked(s)
	if s.claims.Identity != "" {
		r.letInLocked(s.identity)
	}
	s.like = s.likeLocked()
	r.sessions[s.id] = s
	r.order = append(r.order, s)
	r.shareRecipientsLocked()
	s.since = r.appendLocked("joined", eventlog.Audience{}.Unhurried(), func(e event) any {
		return joinedEvent{event: e, Participant: s.participantLocked()}
	})
	if s.may(token.Moderate) {
		r.events.Appoint(s.id)
		defer r.compareLocked()
	}
	s.tellScoresLocked()
	r.succeedLocked() // the seat it took over may have been the last moderator's
	r.answerLocked()
	r.srv.running.Go(s.run)
	s.look()
	return s.snapshotLocked(s.since), s.messagesLocked()
}

// errLinkClosed ends a join whose connection went away meanwhile.
var errLinkClosed = errors.New("signaling: the connection is closed")

// end takes s out of the room and closes its connection with code. Its media is closed by its own goroutine.
func (r *room) end(s *session, reason leftReason, code CloseCode) {
	r.mu.Lock()
	link, ended := r.endLocked(s, reason)
	r.mu.Unlock()
	if ended {
		r.ended(s, link, reason, code)
	}
}

// endLocked does what end must do under the lock; the caller goes on with ended if ok.
func (r *room) endLocked(s *session, reason leftReason) (link *Link, ok bool) {
	if s.ended {
		return nil, false
	}
	s.ended = true
	link, s.link = s.link, nil
	delete(r.sessions, s.id)
	r.order = slices.DeleteFunc(r.order, func(o *session) bool { return o == s })
	r.shareRecipientsLocked()
	r.appendLocked("left", eventlog.Audience{}.Unhurried(), func(e event) any {
		return leftEvent{event: e, Participant: s.id, Reason: reason}
	})
	if len(r.sessions) == 0 && reason != reasonReplaced { // else the heir is about to take the place
		r.emptiedLocked()
	} else if reason != reasonReplaced {
		r.succeedLocked()
	}
	r.events.Dismiss(s.id)
	if s.may(token.Moderate) {
		r.compareLocked()
	}
	if reason != reasonReplaced {
		r.answerLocked()
	}
	if len(s.sources) > 0 || len(s.view) > 0 {
		r.changedLocked()
	}
	return link, true
}

// ended does what is left of end without the lock.
func (r *room) ended(s *session, link *Link, reason leftReason, code CloseCode) {
	close(s.done)
	if code != closeDraining {
		r.srv.cfg.ICE.Revoke(s.id)
	}
	r.srv.leave(r, s)
	r.log.Info("left", "participant", s.id, "reason", string(reason))
	if link != nil {
		reason := ""
		if code == closeDraining {
			reason = r.srv.drainReason()
		}
		link.shut(code, reason)
	}
}

// emptiedLocked forgets what a room holds only while somebody is in it. The log stays for those who come back, and so do
// bans: a moderator who reloads his page leaves nobody's way open.
func (r *room) emptiedLocked() {
	r.history = nil
	clear(r.porch.letIn)
	if r.locked {
		r.setLockedLocked(false)
	}
}

func (r *room) setLockedLocked(locked bool) {
	r.locked = locked
	r.appendLocked("room", eventlog.Audience{}, func(e event) any { return roomEvent{event: e, Locked: locked} })
	r.answerLocked()
}

// close ends all sessions without telling: the server is going.
func (r *room) close() {
	r.mu.Lock()
	r.closed = true
	gone := r.order
	r.order, r.sessions = nil, map[string]*session{}
	links := make([]*Link, len(gone))
	for i, s := range gone {
		s.ended = true
		links[i], s.link = s.link, nil
	}
	r.events.Close()
	r.mu.Unlock()
	for i, s := range gone {
		r.ended(s, links[i], reasonEnded, closeDraining)
	}
}

// shareRecipientsLocked publishes the list that data is routed by.
func (r *room) shareRecipientsLocked() {
	m := make(map[string]Peer, len(r.sessions))
	for id, s := range r.sessions {
		if s.peer != nil && s.can.hears() {
			m[id] = s.peer
		}
	}
	r.recipients.Store(&m)
}

// snapshotLocked is the room's state, at a position that is or stands for the newest.
func (r *room) snapshotLocked(at eventlog.Position) Snapshot {
	snap := Snapshot{Room: r.name, Position: at, Locked: r.locked, Participants: make([]Participant, len(r.order))}
	for i, s := range r.order {
		snap.Participants[i] = s.participantLocked()
	}
	return snap
}

// findLocked returns the participant with this id. The error is a no_such_participant.
func (r *room) findLocked(id string) (*session, error) {
	s := r.sessions[id]
	if s == nil {
		return nil, refuse(codeNoParticipant, "nobody here has that id")
	}
	return s, nil
}

// changedLocked is called when a source came, went or changed its mute state: who can be heard is worked out anew, and
// all sessions look at their slots.
func (r *room) changedLocked() {
	before := len(r.audible)
	r.audible = r.audible[:0:0]
	for _, s := range r.order {
		if s.audibleLocked() {
			r.audible = append(r.audible, speaker{participant: s.id, speaking: slices.Contains(r.speaking, s.id)})
		}
	}
	r.sortAudibleLocked()
	if (before == 0) != (len(r.audible) == 0) {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
	if len(r.audible) == 0 && len(r.speaking) > 0 {
		r.tellSpeakingLocked(nil)
	}
	r.lookAgainLocked()
}

// sortAudibleLocked puts those who speak first, the loudest of them at the head, then those who spoke last.
func (r *room) sortAudibleLocked() {
	slices.SortStableFunc(r.audible, func(a, b speaker) int {
		i, j := slices.Index(r.speaking, a.participant), slices.Index(r.speaking, b.participant)
		switch {
		case i >= 0 && j >= 0:
			return i - j
		case i >= 0:
			return -1
		case j >= 0:
			return 1
		}
		return r.sessions[b.participant].spoke.Compare(r.sessions[a.participant].spoke)
	})
}

// hear takes the loudest as measured, and tells the room where that differs from what it was told.
func (r *room) hear(now time.Time, loudest []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	speaking := make([]string, 0, len(loudest))
	for _, id := range loudest {
		if s := r.sessions[id]; s != nil && s.audibleLocked() {
			s.spoke = now
			speaking = append(speaking, id)
		}
	}
	if slices.Equal(speaking, r.speaking) {
		return
	}
	r.tellSpeakingLocked(speaking)
	for i := range r.audible {
		r.audible[i].speaking = slices.Contains(speaking, r.audible[i].participant)
	}
	r.sortAudibleLocked()
	r.lookAgainLocked()
}

func (r *room) tellSpeakingLocked(ids []string) {
	if ids == nil {
		ids = []string{}
	}
	r.speaking = ids
	r.appendLocked("speaking", eventlog.Audience{}.About("speaking"), func(e event) any { return speakingEvent{event: e, Participants: ids} })
}

// lookAgainLocked makes every session work out its slots anew.
func (r *room) lookAgainLocked() {
	for _, s := range r.order {
		s.look()
	}
}

// changedSelfLocked tells everybody that s changed: now, or where it changes all the time, with what comes until attend does.
func (r *room) changedSelfLocked(s *session) {
	if s.untold = !s.updates.AllowN(steady.Now(), 1); !s.untold {
		r.updatedLocked(s)
	}
}

// updatedLocked tells everybody what s is now.
func (r *room) updatedLocked(s *session) {
	r.appendLocked("updated", eventlog.Audience{}.About("updated "+s.id), func(e event) any {
		return updatedEvent{event: e, Participant: s.participantLocked()}
	})
}

// sourceID names a participant's source of a kind.
func sourceID(participant string, kind sfu.Kind) string { return participant + "." + string(kind) }
