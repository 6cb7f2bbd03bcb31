package presence

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

// failure is an answer other than the one asked for: {"error":{"code","message"}}.
type failure struct {
	status  int
	code    string
	message string // a sentence for a person
	auth    string // parameters of WWW-Authenticate behind the realm (RFC 6750 section 3); with 401 and 403
}

func (f failure) Error() string { return f.code + ": " + f.message }

var (
	errNotFound    = failure{status: http.StatusNotFound, code: "not_found", message: "There is nothing here."}
	errMethod      = failure{status: http.StatusMethodNotAllowed, code: "method_not_allowed", message: "This can only be read."}
	errRoom        = failure{status: http.StatusBadRequest, code: "bad_room", message: "A room's name is " + names.RoomGrammar + "."}
	errQuery       = failure{status: http.StatusBadRequest, code: "bad_request", message: "The query string is malformed."}
	errWait        = failure{status: http.StatusBadRequest, code: "bad_request", message: "wait is not a time like 25s."}
	errBusy        = failure{status: http.StatusServiceUnavailable, code: "too_many_watchers", message: "Too many are watching now. Try again later."}
	errTokenBusy   = failure{status: http.StatusTooManyRequests, code: "too_many_of_token", message: "Too many watch with this token now. Try again later."}
	errAddressBusy = failure{status: http.StatusTooManyRequests, code: "too_many_of_address", message: "Too many watch from this address now. Try again later."}
	errNotNow      = failure{status: http.StatusServiceUnavailable, code: "unavailable", message: "The room cannot be watched now. Try again later."}
	errInternal    = failure{status: http.StatusInternalServerError, code: "internal", message: "Our fault: this server is not set up to stream."}
	errBarred      = failure{status: http.StatusForbidden, code: "forbidden", message: "You were removed from this room, or your invitation was withdrawn.", auth: `error="insufficient_scope"`}
	errMayNot      = failure{
		status: http.StatusForbidden, code: "forbidden", message: "The access token does not allow this.",
		auth: `error="insufficient_scope"`,
	}
)

// refusal turns an error of the token package into an answer.
func refusal(err error) failure {
	switch {
	case errors.Is(err, token.ErrRoom):
		return failure{status: http.StatusForbidden, code: "forbidden", message: "The access token is for another room.", auth: `error="insufficient_scope"`}
	case errors.Is(err, token.ErrMissing):
		return failure{status: http.StatusUnauthorized, code: "unauthorized", message: "An access token is needed."}
	case errors.Is(err, token.ErrExpired):
		return failure{status: http.StatusUnauthorized, code: "unauthorized", message: "The access token has expired.", auth: `error="invalid_token", error_description="expired"`}
	default:
		return failure{status: http.StatusUnauthorized, code: "unauthorized", message: "The access token is not valid.", auth: `error="invalid_token"`}
	}
}

// refuse writes f.
func refuse(w http.ResponseWriter, f failure) {
	h := w.Header()
	if f.status == http.StatusUnauthorized || f.status == http.StatusForbidden {
		challenge := `Bearer realm="parley"`
		if f.auth != "" {
			challenge += ", " + f.auth
		}
		h.Set("WWW-Authenticate", challenge)
	}
	body, err := json.Marshal(map[string]any{"error": map[string]string{"code": f.code, "message": f.message}})
	if err != nil {
		panic(err) // strings alone: cannot fail
	}
	h.Set("Cache-Control", "no-store")
	writeJSON(w, f.status, body)
}

// writeJSON writes an answer whole. A client that is gone by then is no error of ours: net/http ends its connection.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
