package signaling

import "strconv"

// CloseCode says why a connection ended. 4000 to 4499: the client reconnects, resume first. 4500 to 4999: it does not,
// until a person changed something. RFC 6455 section 7.4.2 leaves 4000 to 4999 to applications.
type CloseCode int

const (
	closeNormal       CloseCode = 1000
	closeDraining     CloseCode = 4000
	closeTimeout      CloseCode = 4001
	closeTooSlow      CloseCode = 4002
	closeInternal     CloseCode = 4004
	closeRateLimited  CloseCode = 4005
	closeJoinTimeout  CloseCode = 4006
	closeBadMessage   CloseCode = 4500
	closeUnauthorized CloseCode = 4501
	closeForbidden    CloseCode = 4503
	closeReplaced     CloseCode = 4504
	closeRemoved      CloseCode = 4505
	closeRoomEnded    CloseCode = 4506
	closeRoomLocked   CloseCode = 4507
	closeRoomFull     CloseCode = 4508
	closeTooBig       CloseCode = 4509
	closeTooManyRooms CloseCode = 4511
	closeBanned       CloseCode = 4512
	closeTooManySeats CloseCode = 4513
	closeTokenExpired CloseCode = 4514
	closeDeclined     CloseCode = 4515

	closeTooManyWaiting CloseCode = 4516
	closeWaitingTimeout CloseCode = 4517

	// closeGone is for a transport that ended without our doing. It is never sent.
	closeGone CloseCode = 0
)

// closeRow is one line of the table that docs/protocol.md and the client's copy are held against.
type closeRow struct {
	Code    CloseCode `json:"code"`
	Name    string    `json:"name"`
	Retry   bool      `json:"retry"`
	Meaning string    `json:"meaning"`
}

// closeTable is every close code that the server sends.
func closeTable() []closeRow {
	rows := []closeRow{
		{Code: closeNormal, Name: "left", Meaning: "the client asked to leave"},
		{Code: closeDraining, Name: "draining", Meaning: "the server is shutting down: reconnect after the seconds in the reason"},
		{Code: closeTimeout, Name: "timeout", Meaning: "nothing heard for 10 s"},
		{Code: closeTooSlow, Name: "too_slow", Meaning: "the client did not read fast enough; resume by position"},
		{Code: closeInternal, Name: "internal", Meaning: "our fault"},
		{Code: closeRateLimited, Name: "rate_limited", Meaning: "kept sending too much"},
		{Code: closeJoinTimeout, Name: "join_timeout", Meaning: "no join in time"},
		{Code: closeBadMessage, Name: "bad_message", Meaning: "what came before the join was not a message, or names no room"},
		{Code: closeUnauthorized, Name: "unauthorized", Meaning: "the token was refused"},
		{Code: closeForbidden, Name: "forbidden", Meaning: "the token does not allow this"},
		{Code: closeReplaced, Name: "replaced", Meaning: "the session was resumed on another connection, or its identity joined anew while it could not be reached"},
		{Code: closeRemoved, Name: "removed", Meaning: "a moderator removed the participant"},
		{Code: closeRoomEnded, Name: "room_ended", Meaning: "a moderator ended the room"},
		{Code: closeRoomLocked, Name: "room_locked", Meaning: "a moderator locked the room"},
		{Code: closeRoomFull, Name: "room_full", Meaning: "the room has as many participants as it may"},
		{Code: closeTooBig, Name: "message_too_big", Meaning: "a message over the limit"},
		{Code: closeTooManyRooms, Name: "too_many_rooms", Meaning: "the server has as many rooms as it may"},
		{Code: closeBanned, Name: "banned", Meaning: "a moderator removed this identity, and the room has not ended since"},
		{Code: closeTooManySeats, Name: "too_many_seats", Meaning: "the identity or the address has as many seats as it may"},
		{Code: closeTokenExpired, Name: "token_expired", Meaning: "the token that the session began with has expired"},
		{Code: closeDeclined, Name: "declined", Meaning: "a moderator declined to let the client in, less than a minute ago"},
		{Code: closeTooManyWaiting, Name: "too_many_waiting", Meaning: "as many people wait at the room, or at it from the client's address, as may"},
		{Code: closeWaitingTimeout, Name: "waiting_timeout", Meaning: "nobody answered the knock for as long as one may wait"},
	}
	for i := range rows {
		rows[i].Retry = rows[i].Code.Retry()
	}
	return rows
}

// Retry reports whether the client should come back by itself.
func (c CloseCode) Retry() bool { return c >= 4000 && c < 4500 }

// String gives the name in the table, or the number.
func (c CloseCode) String() string {
	if c == closeGone {
		return "gone"
	}
	for _, row := range closeTable() {
		if row.Code == c {
			return row.Name
		}
	}
	return strconv.Itoa(int(c))
}
