package signaling

import (
	"errors"
	"fmt"
	"time"

	"github.com/parley/parley/signaling/internal/names"
)

// Errors of Open and Watch, before there is a connection to answer on.
var (
	ErrDraining     = errors.New("signaling: the server is shutting down")
	ErrBadRoom      = errors.New("signaling: a room name has " + names.RoomGrammar)
	ErrTooManyRooms = errors.New("signaling: too many rooms")
)

// errorCode is what a client's code switches on. The strings are part of the wire protocol.
type errorCode string

const (
	codeBadMessage     errorCode = "bad_message"
	codeUnknownType    errorCode = "unknown_type"
	codeTooBig         errorCode = "message_too_big"
	codeRateLimited    errorCode = "rate_limited"
	codeNotJoined      errorCode = "not_joined"
	codeAlreadyJoined  errorCode = "already_joined"
	codeUnauthorized   errorCode = "unauthorized"
	codeForbidden      errorCode = "forbidden"
	codeRoomFull       errorCode = "room_full"
	codeRoomLocked     errorCode = "room_locked"
	codeBanned         errorCode = "banned"
	codeMustKnock      errorCode = "must_knock"
	codeDeclined       errorCode = "declined"
	codeWaitingTimeout errorCode = "waiting_timeout"
	codeTooManyWaiting errorCode = "too_many_waiting"
	codeNoKnock        errorCode = "no_such_knock"

	codeInvitationClosed   errorCode = "invitation_closed"
	codeInvitationRevoked  errorCode = "invitation_revoked"
	codeTooManyInvitations errorCode = "too_many_invitations"
	codeNoInvitation       errorCode = "no_such_invitation"

	codeTooManyBans     errorCode = "too_many_bans"
	codeTooManyRooms    errorCode = "too_many_rooms"
	codeTooManySeats    errorCode = "too_many_seats"
	codeBadRoom         errorCode = "bad_room"
	codeBadName         errorCode = "bad_name"
	codeNameTooLong     errorCode = "name_too_long"
	codeMetadataTooLong errorCode = "metadata_too_long"
	codeTextTooLong     errorCode = "text_too_long"
	codeTooManyTracks   errorCode = "too_many_publications"
	codeBadOffer        errorCode = "bad_offer"
	codeNoMedia         errorCode = "no_media"
	codeNoParticipant   errorCode = "no_such_participant"
	codeNoSource        errorCode = "no_such_source"
	codeSessionGone     errorCode = "session_gone"
	codeInternal        errorCode = "internal"
)

// errorRow is one line of the table of errors. joining is the close code that follows where the client has not joined
// yet, joined where it has; closeGone leaves the connection open.
type errorRow struct {
	code    errorCode
	joining CloseCode
	joined  CloseCode
}

// errorTable is every error code, with what happens to the connection.
func errorTable() []errorRow {
	return []errorRow{
		{code: codeBadMessage, joining: closeBadMessage},
		{code: codeUnknownType},
		{code: codeTooBig, joining: closeTooBig, joined: closeTooBig},
		{code: codeRateLimited},
		{code: codeNotJoined},
		{code: codeAlreadyJoined},
		{code: codeUnauthorized, joining: closeUnauthorized},
		{code: codeForbidden, joining: closeForbidden},
		{code: codeRoomFull, joining: closeRoomFull},
		{code: codeRoomLocked, joining: closeRoomLocked},
		{code: codeBanned, joining: closeBanned},
		{code: codeTooManyBans},
		{code: codeMustKnock},
		{code: codeDeclined, joining: closeDeclined},
		{code: codeWaitingTimeout, joining: closeWaitingTimeout},
		{code: codeTooManyWaiting, joining: closeTooManyWaiting},
		{code: codeInvitationClosed, joining: closeBanned},
		{code: codeInvitationRevoked, joining: closeUnauthorized},
		{code: codeTooManyInvitations},
		{code: codeNoInvitation},
		{code: codeNoKnock},
		{code: codeTooManyRooms, joining: closeTooManyRooms},
		{code: codeTooManySeats, joining: closeTooManySeats},
		{code: codeBadRoom, joining: closeBadMessage},
		{code: codeBadName},
		{code: codeNameTooLong},
		{code: codeMetadataTooLong},
		{code: codeTextTooLong},
		{code: codeTooManyTracks},
		{code: codeBadOffer},
		{code: codeNoMedia},
		{code: codeNoParticipant},
		{code: codeNoSource},
		{code: codeSessionGone},
		{code: codeInternal},
	}
}

// requestError is what goes back to a client whose request failed: a code for its program and a sentence for a person.
type requestError struct {
	code  errorCode
	text  string
	retry time.Duration // for rate_limited and declined
}

func (e *requestError) Error() string { return string(e.code) + ": " + e.text }

// refuse makes a requestError.
func refuse(code errorCode, format string, args ...any) *requestError {
	return &requestError{code: code, text: fmt.Sprintf(format, args...)}
}

// closing is the close code that follows e on a connection, or closeGone.
func (e *requestError) closing(joined bool) CloseCode {
	for _, row := range errorTable() {
		if row.code != e.code {
			continue
		}
		if joined {
			return row.joined
		}
		return row.joining
	}
	return closeGone
}
