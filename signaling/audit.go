package signaling

import (
	"errors"

	"github.com/parley/parley/internal/audit"
	"github.com/parley/parley/internal/steady"
)

// who is the session's participant, as the audit log knows him.
func (s *session) who() audit.Who {
	return audit.Who{Room: s.room.name, Identity: s.identity, Participant: s.id, Address: s.from}
}

// noteRefusal writes to the audit log that somebody wanted what he may not have. Other errors are nobody's to answer for.
func (s *Server) noteRefusal(who audit.Who, what string, err error) {
	var refusal *requestError
	if errors.As(err, &refusal) && refusal.denies() {
		s.cfg.Audit.Refused(who, what, string(refusal.code), steady.Now())
	}
}

// denies reports whether the refusal is about who may do what, or about a place that is taken.
func (e *requestError) denies() bool {
	switch e.code {
	case codeUnauthorized, codeForbidden, codeBanned, codeRoomLocked, codeRoomFull, codeTooManyRooms, codeTooManyBans, codeTooManySeats,
		codeDeclined, codeTooManyWaiting, codeInvitationClosed, codeInvitationRevoked, codeTooManyInvitations:
		return true
	}
	return false
}
