package signaling

import (
	"encoding/json"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/sfu"
	"github.com/parley/parley/sfu/quality"
	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

// session is one participant's presence in a room. It outlives its connections.
type session struct {
	// Static after construction.
	id     string // also the participant's
	secret string // lets a new connection resume
	room   *room
	can    permissions  // by its token; see permissions
	claims token.Claims // of the token that the session began with
	host   bool         // a token says that it may moderate: there is always a seat
	letIn  bool         // a moderator did, on the connection that it joined over
	peer   Peer         // nil: joined without media
	from   netip.Addr   // where it joined from
	log    *slog.Logger
	news   *news
	dirty  chan struct{} // holds one: the slots should be worked out anew
	done   chan struct{} // closed when the session has ended

	promoted atomic.Bool   // to moderator, by succession; guarded by room.mu for writing
	refresh  chan struct{} // holds one: the client's token should be renewed now

	// turn is a lock that one can give up waiting for. It is held while a request is served: one at a time, also across
	// connections.
	turn chan struct{}

	// Guarded by turn.
	answers answers

	// media is held while the own sources are changed, by the session or by a moderator, so that what the room is
	// told and what the media node does are the same.
	media sync.Mutex

	// Guarded by room.mu.
	identity string
	group    netip.Prefix // whose seat it takes
	name     string
	skeleton names.Skeleton // of the name
	like     string         // the moderator whose name looks the same
	metadata json.RawMessage
	joinedAt time.Time
	since    eventlog.Position // where the event stream began
	ended    bool
	updates  *rate.Limiter // of updated events
	untold   bool          // a change waits for the limiter
	away     bool
	lastSign time.Time // of an away session, by the wall clock
	cutAt    time.Time // when the connection was lost; zero: there is one
	joined   time.Time // as joinedAt, by the steady clock
	mediaAt  time.Time // when media was last seen to come, and how much by then

	mediaCount uint64
	mediaGone  atomic.Bool // the client has closed its media connection
	link       *Link       // nil: no connection now
	latest     *Link       // the newest connection, also when it is gone: the writer may find that before the reader finds the farewell
	sources    map[sfu.Kind]*publication
	private    []messageEvent // that the session sent or got, oldest first
	tiles      []tile
	view       []want      // what each slot shows
	told       []slotState // the slot map as last told
	spoke      time.Time   // when last among the loudest
	held       []quality.Held
	watched    map[sfu.Kind]watched // layers of the own sources, as told; absent: all
	score      int                  // of the connection, 1 to 5; 0: not known

	// Owned by run.
	shown []sfu.SlotView

	pulse pulse
}

// publication is a source that is published.
type publication struct {
	id     string
	source *sfu.Source
	muted  bool
}

var _ sfu.PeerEvents = (*session)(nil)

// sourceOrder is the order in which a participant's sources are listed.
func sourceOrder() []sfu.Kind {
	return []sfu.Kind{sfu.Microphone, sfu.Camera, sfu.Screen, sfu.ScreenAudio}
}

// run lives as long as the session: it gives the media node the slots to show, renews what the client was given, ends the
// session when nothing was heard for too long, and closes the media.
func (s *session) run() {
	resume := s.room.srv.cfg.Timing.Resume
	expiry := time.NewTimer(resume)
	defer expiry.Stop()
	due := s.plan(time.Now())
	renewal := time.NewTimer(due.wait(time.Now()))
	defer renewal.Stop()
	for {
		select {
		case <-s.dirty:
			s.show()
		case <-s.news.stir:
			s.tellNews()
		case <-expiry.C:
			silent := time.Duration(steady.Now().UnixNano() - s.pulse.heard.Load())
			if silent < resume {
				expiry.Reset(resume - silent)
				continue
			}
			s.room.end(s, reasonTimeout, closeTimeout)
		case <-s.refresh:
			due.token = time.Now()
			due = s.attend(time.Now(), due)
			renewal.Reset(due.wait(time.Now()))
		case <-renewal.C:
			due = s.attend(time.Now(), due)
			renewal.Reset(due.wait(time.Now()))
		case <-s.done:
			s.closeMedia()
			return
		}
	}
}

func (s *session) closeMedia() {
	if s.peer == nil {
		return
	}
	s.media.Lock()
	s.room.speakers.Remove(s.id)
	s.media.Unlock()
	s.closePeer()
}

func (s *session) closePeer() {
	if err := s.peer.Close(); err != nil {
		s.log.Warn("close media", "err", err)
	}
}

// detach notes that the session's connection is gone. A code that tells the client not to come back ends the session.
func (s *session) detach(l *Link, code CloseCode) {
	r := s.room
	r.mu.Lock()
	mine := s.link == l
	if mine {
		s.link, s.cutAt = nil, steady.Now()
	}
	r.mu.Unlock()
	if mine && code >= 4500 {
		r.end(s, reasonLeft, closeGone)
	}
}

// participantLocked is the session as others see it.
func (s *session) participantLocked() Participant {
	p := Participant{
		ID: s.id, Identity: s.identity, Name: s.name, JoinedAt: s.joinedAt, Metadata: s.metadata,
		Sources: []Source{}, Moderator: s.may(token.Moderate), Guest: s.claims.Guest,
		Like: s.like,
	}
	if s.away {
		since := s.lastSign
		p.Away, p.AwaySince = true, &since
	}
	for _, kind := range sourceOrder() {
		if pub := s.sources[kind]; pub != nil {
			p.Sources = append(p.Sources, Source{ID: pub.id, Kind: kind, Muted: pub.muted})
		}
	}
	return p
}

// audibleLocked reports whether the microphone is published and open.
func (s *session) audibleLocked() bool {
	pub := s.sources[sfu.Microphone]
	return pub != nil && !pub.muted
}

// streamLocked returns the two halves of a stream, each nil where it is not published.
func (s *session) streamLocked(stream string) (video, audio *publication) {
	if stream == streamScreen {
		return s.sources[sfu.Screen], s.sources[sfu.ScreenAudio]
	}
	return s.sources[sfu.Camera], s.sources[sfu.Microphone]
}
