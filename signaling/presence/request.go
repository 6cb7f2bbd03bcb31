package presence

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/parley/parley/internal/audit"
	"github.com/parley/parley/internal/clientip"
	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

// authorize checks that the request may do what needs p, in room ("" where none is meant). accessToken is what the query
// gave, where a query may; the header goes before it.
func (s *Server) authorize(r *http.Request, room string, p token.Permission, accessToken string) (token.Claims, error) {
	claims, err := s.verify(r, room, accessToken)
	var f failure
	switch {
	case err != nil:
		f = refusal(err)
	case !claims.May(p):
		f = errMayNot
	case names.Room(room) && s.cfg.Rooms.KeptOut(room, claims):
		f = errBarred
	default:
		return claims, nil
	}
	who := audit.Who{Identity: claims.Identity, Address: clientip.Of(r)}
	if names.Room(room) {
		who.Room = room
	}
	s.cfg.Audit.Refused(who, string(p), f.code, steady.Now())
	if f.status == http.StatusForbidden {
		s.count.forbidden.Add(1)
	} else {
		s.count.unauthorized.Add(1)
	}
	return token.Claims{}, f
}

func (s *Server) verify(r *http.Request, room, accessToken string) (token.Claims, error) {
	compact, err := token.FromHeader(r.Header.Values("Authorization"))
	if err != nil && s.cfg.Tokens.Lenient() {
		compact, err = "", nil
	}
	if err != nil {
		return token.Claims{}, err
	}
	if compact == "" {
		compact = accessToken
	}
	return s.cfg.Tokens.Verify(compact, room, time.Now())
}

// fail answers with err, which is a failure.
func fail(w http.ResponseWriter, err error) {
	var f failure
	if !errors.As(err, &f) {
		f = errInternal
	}
	refuse(w, f)
}

// feedQuery is what the query string of a feed says.
type feedQuery struct {
	accessToken string
	after       string        // as given; "" is none
	wait        time.Duration // not negative, at most the limit
}

// parseFeedQuery reads the query string of a feed. Errors are failures. What is unknown is ignored, what is given twice
// counts once, the first: except the token, which then is none that anybody would have signed.
func parseFeedQuery(raw string, t Timing) (feedQuery, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return feedQuery{}, errQuery
	}
	q := feedQuery{after: values.Get("after"), wait: t.Wait}
	q.accessToken = strings.Join(values["access_token"], ",")
	if w := values.Get("wait"); w != "" {
		if q.wait, err = parseWait(w); err != nil {
			return feedQuery{}, errWait
		}
	}
	q.wait = min(q.wait, t.MaxWait)
	return q, nil
}

// parseWait reads "25s", or "25" for seconds.
func parseWait(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		n, err := strconv.ParseUint(s, 10, 31)
		if err != nil {
			return 0, errWait
		}
		d = time.Duration(n) * time.Second
	}
	if d < 0 {
		return 0, errWait
	}
	return d, nil
}

// resumeFrom finds the position that a watcher wants to go on from: the Last-Event-ID header, which a browser keeps up
// to date by itself, before ?after=. What is no position of ours is one that we do not know, not an error: an
// EventSource would stop for good. named tells whether there was anything at all.
func resumeFrom(h http.Header, q feedQuery) (pos eventlog.Position, named bool) {
	name := h.Get("Last-Event-ID")
	if name == "" {
		name = q.after
	}
	if name == "" {
		return eventlog.Position{}, false
	}
	pos, err := eventlog.ParsePosition(name)
	if err != nil {
		return eventlog.Position{}, true // the zero position is in no log
	}
	return pos, true
}
