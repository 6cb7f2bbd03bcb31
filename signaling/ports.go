package signaling

import (
	"context"
	"time"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/sfu/quality"
)

// Media makes the peers of one media node.
type Media interface {
	// NewPeer makes a peer that waits for its first Negotiate. id is the participant's. Peers of one group, their room, are cheap
	// to forward between.
	NewPeer(id, group string, on sfu.PeerEvents) (Peer, error)
	// NewSpeakers makes the loudness meter of one room.
	NewSpeakers() Speakers
}

// Peer is what a session needs of its media connection. Everything but Negotiate returns without waiting for the
// network. Callers may be on any goroutine.
type Peer interface {
	// Negotiate answers an offer: the first, or a later one for an ICE restart or more slots. The error is
	// sfu.ErrBadOffer where the client is to blame.
	Negotiate(ctx context.Context, o sfu.Offer) (answer string, err error)
	Publisher
	// Show replaces the whole slot map: slots that view leaves out are emptied.
	Show(view []sfu.SlotView) error
	// Send queues d for the peer's data channels.
	Send(d sfu.Data) error
	// Report says how the connection does, and why each video is what it is.
	Report() quality.Report
	// Heard counts what came from the client: a number that stands still says that nothing comes.
	Heard() uint64
	// Close ends the peer, its sources and slots.
	Close() error
}

// Publisher is the sending half of a Peer.
type Publisher interface {
	// Publish opens the gate of the line that carries kind. The error is sfu.ErrNoLine where the offer had none.
	Publish(kind sfu.Kind, muted bool) (*sfu.Source, error)
	Unpublish(kind sfu.Kind)
	// Mute is enforced: nothing of a muted source is forwarded.
	Mute(kind sfu.Kind, muted bool)
	// Use says which simulcast ids of a video are in use, from the smallest on.
	Use(kind sfu.Kind, rids []string)
}

// Speakers tells who of a room speaks. Callers may be on any goroutine.
type Speakers interface {
	Add(id string, s *sfu.Source)
	Remove(id string)
	// Update returns the ids of those who speak, the loudest first, and whether that differs from the last call.
	Update(now time.Time) (loudest []string, changed bool)
}

// ICEServer is one STUN or TURN server, in the shape of an RTCIceServer.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// ICE names STUN and TURN servers, with credentials for who has a seat.
type ICE interface {
	// Servers gives the servers that a participant's session may use, with credentials that are good for ttl.
	Servers(identity, session string, now time.Time) (servers []ICEServer, ttl time.Duration)
	// Revoke ends what a session has on the servers, and refuses its credentials from now on.
	Revoke(session string)
}

// noICE has no servers.
type noICE struct{}

var _ ICE = noICE{}

func (noICE) Servers(string, string, time.Time) ([]ICEServer, time.Duration) { return nil, 0 }
func (noICE) Revoke(string)                                                  {}

// Conn is one connection of a client, whatever carries it: a WebSocket now, SSE or long-poll with POST where those are
// blocked. Its incoming messages go to Link.Receive.
type Conn interface {
	// Write sends messages, at once if it can. It is called by one goroutine at a time; ctx bounds the wait for a peer that does
	// not read. The error is context.DeadlineExceeded (wrapped) where that is why.
	Write(ctx context.Context, msgs ...[]byte) error
	// Close ends the connection with the code and a reason of at most 123 bytes, within 10 s, and makes a transport
	// that waits for messages return. It is called once, after the last Write.
	Close(code CloseCode, reason string)
}
