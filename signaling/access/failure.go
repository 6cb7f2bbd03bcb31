package access

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/parley/parley/signaling/access/guests"
	"github.com/parley/parley/signaling/access/hosts"
	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

// failure is an answer other than the one asked for: {"error":{"code","message","retry_ms"?}}.
type failure struct {
	status  int
	code    string
	message string // a sentence for a person
	retry   time.Duration
}

func (f failure) Error() string { return f.code + ": " + f.message }

var (
	errNotFound  = failure{status: http.StatusNotFound, code: "not_found", message: "There is nothing here."}
	errMethod    = failure{status: http.StatusMethodNotAllowed, code: "method_not_allowed", message: "This is done by another method."}
	errBody      = failure{status: http.StatusBadRequest, code: "bad_request", message: "The body is not the JSON that is expected here."}
	errRoom      = failure{status: http.StatusBadRequest, code: "bad_room", message: "A room's name is " + names.RoomGrammar + "."}
	errName      = failure{status: http.StatusBadRequest, code: "bad_name", message: "That name cannot be shown, or is too long."}
	errOrigin    = failure{status: http.StatusForbidden, code: "forbidden", message: "A page of another origin may not do this."}
	errMayNot    = failure{status: http.StatusForbidden, code: "forbidden", message: "The access token does not allow this."}
	errToken     = failure{status: http.StatusUnauthorized, code: "unauthorized", message: "Rooms here are entered with a token of an application."}
	errBadToken  = failure{status: http.StatusUnauthorized, code: "unauthorized", message: "The access token is missing, has expired, or is not valid."}
	errSignIn    = failure{status: http.StatusUnauthorized, code: "sign_in_needed", message: "Rooms here are opened by hosts. Sign in, or use an invitation."}
	errInvalid   = failure{status: http.StatusForbidden, code: "invitation_invalid", message: "This is no invitation to this room. Copy the whole link, or ask for a new one."}
	errExpired   = failure{status: http.StatusForbidden, code: "invitation_expired", message: "This invitation has expired. Ask for a new one."}
	errRevoked   = failure{status: http.StatusForbidden, code: "invitation_revoked", message: "This invitation was withdrawn. Ask for a new one."}
	errClosed    = failure{status: http.StatusForbidden, code: "invitation_closed", message: "Somebody who came by this invitation was removed: it lets nobody new in. Ask for a new one."}
	errWrong     = failure{status: http.StatusUnauthorized, code: "wrong_passphrase", message: "That is not the passphrase. Try again."}
	errKey       = failure{status: http.StatusUnauthorized, code: "bad_key", message: "This sign-in link was used already, has expired, or is of an earlier start of the server. Restart it to get a new one."}
	errNoSignIn  = failure{status: http.StatusNotFound, code: "not_found", message: "Nobody signs in like that here."}
	errInviteMax = failure{status: http.StatusTooManyRequests, code: "too_many_invitations", message: "There are as many invitations as there may be. Revoke some."}
	errNoGuest   = failure{status: http.StatusForbidden, code: "forbidden", message: "That invitation would let nobody in: it may allow what its maker may, and that includes nothing to join with."}
	errNoInvite  = failure{status: http.StatusNotFound, code: "no_such_invitation", message: "There is no such invitation, or it has ended."}
	errNoBan     = failure{status: http.StatusNotFound, code: "no_such_ban", message: "Nobody of that identity is kept out."}
	errNoKnock   = failure{status: http.StatusNotFound, code: "no_such_knock", message: "Nobody of that id waits (any more)."}
	errInternal  = failure{status: http.StatusInternalServerError, code: "internal", message: "Our fault. Try again."}
)

// tooMany says when to come back.
func tooMany(code string, wait time.Duration) failure {
	return failure{status: http.StatusTooManyRequests, code: code, message: "That was too often. Wait a moment, then try again.", retry: wait}
}

// failureOf turns an error of hosts or guests into an answer.
func failureOf(err error) failure {
	var f failure
	var many *hosts.TooMany
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &many):
		return tooMany("too_many_tries", many.Wait)
	case errors.Is(err, hosts.ErrWrong):
		return errWrong
	case errors.Is(err, hosts.ErrKey):
		return errKey
	case errors.Is(err, hosts.ErrOff):
		return errNoSignIn
	case errors.Is(err, guests.ErrExpired):
		return errExpired
	case errors.Is(err, guests.ErrRevoked):
		return errRevoked
	case errors.Is(err, guests.ErrInvalid):
		return errInvalid
	case errors.Is(err, token.ErrUnknown):
		return errBody
	case errors.Is(err, token.ErrNobody):
		return errNoGuest
	case errors.Is(err, token.ErrMore), errors.Is(err, guests.ErrOver):
		return errMayNot
	case errors.Is(err, guests.ErrTooMany):
		return errInviteMax
	}
	return errInternal
}

// refuse writes f.
func refuse(w http.ResponseWriter, f failure) {
	body := map[string]any{"code": f.code, "message": f.message}
	if f.retry > 0 {
		body["retry_ms"] = f.retry.Milliseconds()
		w.Header().Set("Retry-After", strconv.Itoa(int((f.retry+time.Second-1)/time.Second)))
	}
	if f.status == http.StatusUnauthorized && f.code == "unauthorized" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="parley"`)
	}
	answer(w, f.status, map[string]any{"error": body})
}

// answer writes JSON that nobody may keep.
func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("access: encode an answer of ours: " + err.Error())
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b) // a client that is gone needs no answer
}
