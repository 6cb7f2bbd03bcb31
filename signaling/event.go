package signaling

import (
	"encoding/json"
	"time"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/sfu/quality"
	"github.com/parley/parley/signaling/internal/eventlog"
)

// Participant is one joined session, as others see it.
type Participant struct {
	ID       string          `json:"id"`
	Identity string          `json:"identity"`
	Name     string          `json:"name"`
	JoinedAt time.Time       `json:"joined_at"`
	Metadata json.RawMessage `json:"metadata"` // an object
	Sources  []Source        `json:"sources"`

	// Away is absent while the client can be reached; AwaySince is when it was last heard.
	Away      bool       `json:"away,omitempty"`
	AwaySince *time.Time `json:"away_since,omitempty"`

	Moderator bool   `json:"moderator,omitempty"` // may moderate
	Guest     bool   `json:"guest,omitempty"`     // came by an invitation, or was let in
	Like      string `json:"like,omitempty"`      // of one who is no moderator: a moderator whose name looks the same
}

// Source is one published track, as others see it.
type Source struct {
	ID    string   `json:"id"` // <participant id>.<kind>
	Kind  sfu.Kind `json:"kind"`
	Muted bool     `json:"muted"`
}

// Snapshot is a room's state at a position in its log.
type Snapshot struct {
	Room         string            `json:"room"`
	Position     eventlog.Position `json:"position"`
	Locked       bool              `json:"locked"`
	Participants []Participant     `json:"participants"` // in the order of joining

	Waiting []Knock `json:"waiting,omitzero"` // for those who may moderate, the longest waiting first
}

// The events, as in docs/protocol.md. Those of the first group are for everybody, watchers included.

// event is what every event has.
type event struct {
	Type     string            `json:"type"`
	Position eventlog.Position `json:"position"`
}

type joinedEvent struct {
	event
	Participant Participant `json:"participant"`
}

type leftEvent struct {
	event
	Participant string     `json:"participant"`
	Reason      leftReason `json:"reason"`
}

// leftReason says why a participant is gone.
type leftReason string

const (
	reasonLeft    leftReason = "left"
	reasonTimeout leftReason = "timeout"
	reasonRemoved leftReason = "removed"
	reasonEnded   leftReason = "ended"
	reasonExpired leftReason = "expired"

	// reasonReplaced: the same identity joined anew while this session could not be reached.
	reasonReplaced leftReason = "replaced"
)

type publishedEvent struct {
	event
	Participant string `json:"participant"`
	Source      Source `json:"source"`
}

type unpublishedEvent struct {
	event
	Participant string `json:"participant"`
	Source      string `json:"source"`
}

type updatedEvent struct {
	event
	Participant Participant `json:"participant"`
}

type speakingEvent struct {
	event
	Participants []string `json:"participants"` // the loudest first
}

type roomEvent struct {
	event
	Locked bool `json:"locked"`
}

// These are for those who may moderate, watchers among them.

// Knock is somebody who waits to be let in.
type Knock struct {
	ID       string    `json:"id"`
	Identity string    `json:"identity"`
	Name     string    `json:"name"`
	Guest    bool      `json:"guest,omitempty"`
	Since    time.Time `json:"since"`
	Like     string    `json:"like,omitempty"` // the participant whose name looks the same
	Away     bool      `json:"away,omitempty"` // has no connection now
}

// knockingEvent tells of a knock, or what has become of it while it lasts.
type knockingEvent struct {
	event
	Knock Knock `json:"knock"`
}

type knockEndedEvent struct {
	event
	Knock  string   `json:"knock"`
	Reason knockEnd `json:"reason"`
	By     string   `json:"by,omitempty"` // the participant who decided; absent where nobody in the room did
}

// knockEnd says how a knock ended.
type knockEnd string

const (
	knockAdmitted knockEnd = "admitted"
	knockDeclined knockEnd = "declined"
	knockLeft     knockEnd = "left"
	knockTimeout  knockEnd = "timeout"
)

// These are for participants, or for some of them.

// permissionsEvent tells a session what it may do from now on.
type permissionsEvent struct {
	event
	Can     permissions `json:"can"`
	Waiting []Knock     `json:"waiting,omitzero"` // where it may moderate
}

// messageEvent is a chat message. The history holds the same objects.
type messageEvent struct {
	event
	From string    `json:"from"`
	Name string    `json:"name"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
	To   string    `json:"to,omitempty"`
}

type signalEvent struct {
	event
	From string          `json:"from"`
	Data json.RawMessage `json:"data"`
}

type slotsEvent struct {
	event
	Slots []slotState `json:"slots"`
}

// slotState is one slot of the map that a session sees.
type slotState struct {
	Slot        int      `json:"slot"`
	Participant nullable `json:"participant"`
	Stream      nullable `json:"stream"`
	Video       nullable `json:"video"`
	Audio       nullable `json:"audio"`
}

// nullable is a string that is null in JSON where it is empty.
type nullable string

// MarshalJSON gives a string or null.
func (n nullable) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(n))
}

type mutedEvent struct {
	event
	Kind sfu.Kind `json:"kind"`
	By   string   `json:"by"`
}

// videoEvent lists all slots whose video was asked for and does not flow.
type videoEvent struct {
	event
	Slots []quality.Held `json:"slots"`
}

// layersEvent names the simulcast layers of a publisher's source that are watched, and bit/s that some should not exceed.
type layersEvent struct {
	event
	Kind   sfu.Kind       `json:"kind"`
	Wanted []string       `json:"wanted"`
	Most   map[string]int `json:"max_bps,omitempty"`
}

// watched is the same, as the media node told.
type watched struct {
	rids []string
	most map[string]int
}

// qualityEvent has the scores that changed, by participant.
type qualityEvent struct {
	event
	Participants map[string]int `json:"participants"`
}
