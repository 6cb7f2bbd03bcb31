package signaling

import (
	"encoding/json"
	"errors"

	"github.com/parley/parley/sfu/quality"
	"github.com/parley/parley/signaling/internal/eventlog"
)

// The replies, as in docs/protocol.md.

type welcomeReply struct {
	Type        string         `json:"type"` // "welcome"
	ID          uint64         `json:"id"`
	Session     string         `json:"session"`
	Secret      string         `json:"secret"`
	Participant string         `json:"participant"`
	Can         permissions    `json:"can"`
	Room        Snapshot       `json:"room"`
	Messages    []messageEvent `json:"messages"`
	Media       *answer        `json:"media,omitempty"`
	ICEServers  []ICEServer    `json:"ice_servers"`
	ICETTL      int            `json:"ice_ttl"` // seconds
	passport
	Limits        Limits  `json:"limits"`
	PingSeconds   float64 `json:"ping_seconds"`
	ResumeSeconds float64 `json:"resume_seconds"`
}

// answer is the server's half of a negotiation.
type answer struct {
	SDP string `json:"sdp"`
}

type resumedReply struct {
	Type       string            `json:"type"` // "resumed"
	ID         uint64            `json:"id"`
	Position   eventlog.Position `json:"position"`
	ICEServers []ICEServer       `json:"ice_servers"`
	ICETTL     int               `json:"ice_ttl"` // seconds
	passport
	*resumedState
}

// resumedState is sent where the client's position was gone: it replaces what the client knows.
type resumedState struct {
	Room     Snapshot       `json:"room"`
	Messages []messageEvent `json:"messages"`
	Slots    []slotState    `json:"slots"`
}

// passport is what a client comes back with, and until when it may stay.
type passport struct {
	Token      string `json:"token,omitempty"`
	TokenTTL   int    `json:"token_ttl,omitempty"`   // seconds
	SessionTTL int    `json:"session_ttl,omitempty"` // seconds; only where sessions end with their token
}

// credentialsNotice replaces what welcome and resumed gave, before it ends. What is absent is as it was.
type credentialsNotice struct {
	Type       string      `json:"type"` // "credentials"
	ICEServers []ICEServer `json:"ice_servers,omitempty"`
	ICETTL     int         `json:"ice_ttl,omitempty"` // seconds
	passport
}

// waitingReply says that a knock stands, and whom it is for: now, and later whenever that changes, then without an id.
type waitingReply struct {
	Type          string     `json:"type"` // "waiting"
	ID            *uint64    `json:"id,omitempty"`
	Knock         string     `json:"knock"`
	Secret        string     `json:"secret"`
	For           waitingFor `json:"for"`
	PingSeconds   float64    `json:"ping_seconds"`
	ResumeSeconds float64    `json:"resume_seconds"`
}

// waitingFor is who has to do something for a knock to be answered.
type waitingFor string

const (
	forModerator waitingFor = "moderator" // one is there, and may decide
	forHost      waitingFor = "host"      // nobody is there who may
)

// admittedNotice lets a client in that waited: with the token, or where there is none on this connection, with its own.
type admittedNotice struct {
	Type     string `json:"type"` // "admitted"
	Token    string `json:"token,omitempty"`
	TokenTTL int    `json:"token_ttl,omitempty"` // seconds
}

type invitedReply struct {
	Type       string     `json:"type"` // "invited"
	ID         uint64     `json:"id"`
	Invitation Invitation `json:"invitation"`
}

type invitationsReply struct {
	Type        string       `json:"type"` // "invitations"
	ID          uint64       `json:"id"`
	Invitations []Invitation `json:"invitations"`
}

type bansReply struct {
	Type string `json:"type"` // "bans"
	ID   uint64 `json:"id"`
	Bans []Ban  `json:"bans"`
}

type negotiatedReply struct {
	Type       string      `json:"type"` // "negotiated"
	ID         uint64      `json:"id"`
	Media      answer      `json:"media"`
	ICEServers []ICEServer `json:"ice_servers"`
	ICETTL     int         `json:"ice_ttl"` // seconds
}

type okReply struct {
	Type     string             `json:"type"` // "ok"
	ID       uint64             `json:"id"`
	Source   *Source            `json:"source,omitempty"`
	Position *eventlog.Position `json:"position,omitempty"`
}

type statsReply struct {
	Type string `json:"type"` // "stats"
	ID   uint64 `json:"id"`
	quality.Report
}

type pongReply struct {
	Type     string             `json:"type"` // "pong"
	Position *eventlog.Position `json:"position,omitempty"`
}

type errorReply struct {
	Type    string    `json:"type"` // "error"
	ID      *uint64   `json:"id,omitempty"`
	Code    errorCode `json:"code"`
	Message string    `json:"message"`
	RetryMS int64     `json:"retry_ms,omitempty"`
}

// encode makes the bytes of a reply or event of ours. That cannot fail: all raw JSON in them was checked when it came.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("signaling: encode a message of ours: " + err.Error())
	}
	return b
}

// encodeError makes the error reply for err, which may be any error: what is no requestError is told as internal, with
// ref to look up in the log. id is nil where no request is to blame.
func encodeError(id *uint64, err error, ref string) ([]byte, *requestError) {
	var re *requestError
	if !errors.As(err, &re) {
		re = refuse(codeInternal, "something went wrong on our side (%s)", ref)
	}
	return encode(errorReply{
		Type: "error", ID: id, Code: re.code, Message: cut(re.text, maxErrorText), RetryMS: re.retry.Milliseconds(),
	}), re
}

// maxErrorText bounds the sentence in an error reply, in bytes. Some quote what the client sent, which may have 256 KiB, and
// the session remembers its replies.
const maxErrorText = 256
