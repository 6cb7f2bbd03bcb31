package signaling

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/parley/parley/sfu"
)

// The requests, as in docs/protocol.md. Pointers tell an absent field from a zero one.

// envelope is what every message from a client has.
type envelope struct {
	Type string  `json:"type"`
	ID   *uint64 `json:"id,omitempty"`
}

type joinRequest struct {
	Token    string          `json:"token,omitempty"`
	Identity string          `json:"identity,omitempty"`
	Name     string          `json:"name,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Media    *sfu.Offer      `json:"media,omitempty"`
}

// knockRequest asks to be let in, or, with knock and secret, takes up what was asked before.
type knockRequest struct {
	Token    string          `json:"token,omitempty"`
	Identity string          `json:"identity,omitempty"`
	Name     string          `json:"name,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Knock    string          `json:"knock,omitempty"`
	Secret   string          `json:"secret,omitempty"`
}

type resumeRequest struct {
	Session  string `json:"session"`
	Secret   string `json:"secret"`
	Position string `json:"position"`
}

type negotiateRequest struct {
	Media *sfu.Offer `json:"media"`
}

type publishRequest struct {
	Kind  sfu.Kind `json:"kind"`
	Muted bool     `json:"muted,omitempty"`
}

type unpublishRequest struct {
	Kind sfu.Kind `json:"kind"`
}

type muteRequest struct {
	Kind  sfu.Kind `json:"kind"`
	Muted *bool    `json:"muted"`
}

// layersRequest says which simulcast ids a video uses: of a small picture not all.
type layersRequest struct {
	Kind sfu.Kind `json:"kind"`
	Used []string `json:"used"`
}

type tile struct {
	Participant string `json:"participant"`
	Stream      string `json:"stream"`
	Width       int    `json:"width"`
	Height      int    `json:"height"`
	Pinned      bool   `json:"pinned,omitempty"`
}

type subscribeRequest struct {
	Tiles []tile `json:"tiles"`
}

type chatRequest struct {
	Text string `json:"text"`
	To   string `json:"to,omitempty"`
}

type updateRequest struct {
	Name     *string         `json:"name,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

type signalRequest struct {
	To   string          `json:"to"`
	Data json.RawMessage `json:"data"`
}

type moderateRequest struct {
	Action      string   `json:"action"`
	Participant string   `json:"participant,omitempty"`
	Kind        sfu.Kind `json:"kind,omitempty"`
	Ban         *bool    `json:"ban,omitempty"`      // of remove; default true
	Knock       string   `json:"knock,omitempty"`    // of admit and decline; empty: all
	Identity    string   `json:"identity,omitempty"` // of unban; empty: all
}

type inviteRequest struct {
	TTL   int         `json:"ttl,omitempty"` // seconds; 0: the server's default
	Knock bool        `json:"knock,omitempty"`
	Can   permissions `json:"can,omitempty"` // absent: what the server gives guests
	Label string      `json:"label,omitempty"`
}

type revokeRequest struct {
	Invitation string `json:"invitation,omitempty"` // empty: all
}

// requestTypes are the messages that carry an id and need a session.
func requestTypes() []string {
	return []string{
		"negotiate", "publish", "unpublish", "mute", "layers", "subscribe", "chat", "update", "signal", "moderate", "stats",
		"invite", "invitations", "revoke", "bans",
	}
}

// messageTypes are all messages that a client may send.
func messageTypes() []string {
	return append([]string{"join", "resume", "knock", "ping", "leave"}, requestTypes()...)
}

// decodeEnvelope reads what every message has. The error is a bad_message, for which the envelope holds the id where that
// at least was good. Whether the type is known is not its concern.
func decodeEnvelope(msg []byte) (envelope, error) {
	var e envelope
	// The bytes of raw fields go out again in text frames, which must be valid: others would be cut off by a bad one.
	if !isObject(msg) || !utf8.Valid(msg) {
		return e, refuse(codeBadMessage, "a message is one JSON object in UTF-8")
	}
	err := decode(msg, &e)
	if e.ID != nil && (*e.ID == 0 || *e.ID > maxID) {
		e.ID = nil
		if err == nil {
			err = refuse(codeBadMessage, "an id is an integer from 1 to 2^53-1")
		}
	}
	if err == nil && e.Type == "" {
		err = refuse(codeBadMessage, "a message has a type")
	}
	return e, err
}

// maxID is the largest integer that JavaScript holds exactly.
const maxID = 1<<53 - 1

// isObject reports whether msg starts like a JSON object.
func isObject(msg []byte) bool {
	trimmed := bytes.TrimLeft(msg, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{'
}

// decode reads a message into to, a pointer to a struct. Unknown fields are ignored. The error is a bad_message that
// names the field.
func decode(msg []byte, to any) error {
	err := json.Unmarshal(msg, to)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong) && wrong.Field != "":
		return refuse(codeBadMessage, "field %s: a JSON %s is not what belongs there", wrong.Field, wrong.Value)
	default:
		return refuse(codeBadMessage, "not valid JSON")
	}
}

// checker reports what a request lacks or has wrong. Limits that a deployment may change are checked where the request is
// served.
type checker interface{ check() error }

func (r *resumeRequest) check() error {
	if r.Session == "" || r.Secret == "" {
		return refuse(codeBadMessage, "resume needs session and secret")
	}
	return nil
}

func (r *knockRequest) check() error {
	if (r.Knock == "") != (r.Secret == "") {
		return refuse(codeBadMessage, "a knock is taken up with knock and secret")
	}
	return nil
}

func (r *inviteRequest) check() error {
	if r.TTL < 0 || r.TTL > maxInviteSeconds {
		return refuse(codeBadMessage, "ttl is seconds, from 1 to %d", maxInviteSeconds)
	}
	if len(r.Label) > maxLabel {
		return refuse(codeTextTooLong, "the label is longer than %d bytes", maxLabel)
	}
	return nil
}

// maxInviteSeconds is a year: no link is good for longer, whatever is configured.
const maxInviteSeconds = 366 * 24 * 3600

func (r *negotiateRequest) check() error {
	if r.Media == nil {
		return refuse(codeBadMessage, "negotiate needs media")
	}
	return nil
}

func checkKind(k sfu.Kind) error {
	if !k.Valid() {
		return refuse(codeBadMessage, "kind is microphone, camera, screen or screen_audio")
	}
	return nil
}

func (r *publishRequest) check() error   { return checkKind(r.Kind) }
func (r *unpublishRequest) check() error { return checkKind(r.Kind) }

func (r *muteRequest) check() error {
	if r.Muted == nil {
		return refuse(codeBadMessage, "mute needs muted")
	}
	return checkKind(r.Kind)
}

func (r *layersRequest) check() error {
	if !r.Kind.Video() || len(r.Used) == 0 {
		return refuse(codeBadMessage, "layers needs camera or screen as kind, and used")
	}
	return nil
}

// maxPixels is the largest width and height of a tile, in device pixels: twice 8K.
const maxPixels = 16384

func (r *subscribeRequest) check() error {
	if r.Tiles == nil {
		return refuse(codeBadMessage, "subscribe needs tiles")
	}
	for _, t := range r.Tiles {
		if t.Stream != streamCamera && t.Stream != streamScreen {
			return refuse(codeBadMessage, "stream is camera or screen")
		}
		if t.Width < 0 || t.Height < 0 || t.Width > maxPixels || t.Height > maxPixels {
			return refuse(codeBadMessage, "width and height are 0 to %d", maxPixels)
		}
	}
	return nil
}

func (r *chatRequest) check() error {
	if r.Text == "" {
		return refuse(codeBadMessage, "chat needs text")
	}
	return nil
}

func (r *updateRequest) check() error {
	if r.Name == nil && r.Metadata == nil {
		return refuse(codeBadMessage, "update needs name or metadata")
	}
	return nil
}

func (r *signalRequest) check() error {
	if r.To == "" || r.Data == nil {
		return refuse(codeBadMessage, "signal needs to and data")
	}
	return nil
}

func (r *moderateRequest) check() error {
	switch r.Action {
	case "lock", "unlock", "end", "admit", "decline", "unban":
		return nil
	case "mute", "remove":
	default:
		return refuse(codeBadMessage, "action is mute, remove, lock, unlock, end, admit, decline or unban")
	}
	if r.Participant == "" {
		return refuse(codeBadMessage, "%s needs participant", r.Action)
	}
	if r.Kind != "" {
		return checkKind(r.Kind)
	}
	return nil
}

// parse decodes a message into to and checks it.
func parse(msg []byte, to checker) error {
	if err := decode(msg, to); err != nil {
		return err
	}
	return to.check()
}
