package signaling

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/parley/parley/internal/audit"
	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/signaling/internal/eventlog"
)

// outgoingQueue is the number of replies that wait for the transport. When it is full the client does not read, and the
// connection is closed as too slow. Events are not queued: they wait in the room's log.
const outgoingQueue = 128

// Link is the server's side of one connection. The transport calls Receive for each message and End when the connection
// has ended, for whatever reason.
type Link struct {
	// Static after construction.
	srv      *Server
	room     string
	conn     Conn
	bearer   string
	from     netip.Addr // of the client; the zero Addr: not known
	log      *slog.Logger
	opened   time.Time
	limiter  *rate.Limiter
	strikes  *rate.Limiter // what is refused by the limiter; when this one refuses too, the connection is closed
	out      chan outgoing
	stopping chan struct{} // closed by shut
	written  chan struct{} // closed when the writer has ended
	ctx      context.Context
	cancel   context.CancelFunc

	// receiving is held while a message is handled: transports that get messages by POST may deliver two at once.
	receiving sync.Mutex

	mu sync.Mutex

	// Guarded by mu.
	session *session
	knocked *knock // that the client waits with, or waited
	closed  bool
	code    CloseCode
	reason  string

	heard   atomic.Int64 // Unix nanoseconds
	writeBy atomic.Int64 // Unix nanoseconds: the deadline of the write under way, or of the one that failed; 0: none
	full    atomic.Bool  // what push wanted to send found no place
	busy    atomic.Bool  // a message is being handled: not silent
}

// outgoing is one message for the writer.
type outgoing struct {
	msg    []byte
	pong   bool       // msg is made by the writer
	follow *following // events go out from now on
}

// following is where a session's event stream begins.
type following struct {
	log  *eventlog.Log
	from eventlog.Position
	as   eventlog.Reader
}

// Open starts the server's side of a connection to a room; bearer is the access token where the transport carries one, from the client's
// address, which limits count by. The error is ErrDraining. The caller must call End.
func (s *Server) Open(room, bearer string, from netip.Addr, conn Conn) (*Link, error) {
	limits := s.cfg.Limits
	perSecond := rate.Limit(limits.MessagesPerSecond)
	now := steady.Now()
	log := s.log
	if ValidRoom(room) {
		log = log.With("room", room)
	}
	l := &Link{
		srv: s, room: room, conn: conn, bearer: bearer, from: from,
		log:      log,
		opened:   now,
		limiter:  rate.NewLimiter(perSecond, limits.MessageBurst),
		strikes:  rate.NewLimiter(perSecond/10, limits.MessageBurst),
		out:      make(chan outgoing, outgoingQueue),
		stopping: make(chan struct{}),
		written:  make(chan struct{}),
	}
	l.heard.Store(now.UnixNano())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, ErrDraining
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	s.links[l] = struct{}{}
	s.count.opened.Add(1)
	go l.write()
	return l, nil
}

// End says that the connection has ended: graceful is true where the client closed it for good (1000, 1001), which ends
// the session too. It returns when nothing of the link runs any more.
func (l *Link) End(graceful bool) {
	code := l.ending(steady.Now())
	if graceful {
		l.leave(closeGone)
	}
	l.shut(code, "")
	<-l.written
	l.cancel()
	l.srv.forget(l)
}

// TooBig is called by the transport instead of Receive for a message over Server.MaxMessage, or over what it takes of strangers, with the
// beginning that it has. A stranger is told what is wrong with the token, as if the join had come whole.
func (l *Link) TooBig(begin []byte) {
	var err error = refuse(codeTooBig, "a message of more than %d bytes", l.srv.cfg.Limits.OfferBytes)
	if !l.Joined() {
		claims, wrong := l.srv.verify(tokenIn(begin), l.bearer, l.room)
		if wrong != nil {
			err = wrong
		}
		l.srv.noteRefusal(audit.Who{Room: l.room, Identity: cut(claims.Identity, l.srv.cfg.Limits.IdentityBytes), Address: l.from}, "join", err)
	}
	l.refuse(nil, err)
}

// Receive handles one message and returns when it has been dealt with, which for join and negotiate takes as long as
// the media node does.
func (l *Link) Receive(msg []byte) {
	l.receiving.Lock()
	defer l.receiving.Unlock()
	if !l.isOpen() {
		return
	}
	l.busy.Store(true)
	l.hear()
	defer func() {
		l.hear()
		l.busy.Store(false)
		if p := recover(); p != nil {
			ref := rand.Text()[:8]
			l.log.Error("panic in a request: the connection is closed", "ref", ref, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			l.refuse(nil, errors.New(ref))
			l.shut(closeInternal, "")
		}
	}()
	l.handle(msg)
}

// hear notes a sign of life.
func (l *Link) hear() {
	now := steady.Now().UnixNano()
	l.heard.Store(now)
	if s := l.current(); s != nil {
		s.pulse.heard.Store(now)
	}
}

func (l *Link) handle(msg []byte) {
	env, err := decodeEnvelope(msg)
	l.srv.count.message(env.Type)
	now := steady.Now()
	if cost := l.srv.cfg.Limits.cost(len(msg)); !l.limiter.AllowN(now, cost) {
		l.flooded(env, now, cost)
		return
	}
	limit := l.srv.cfg.Limits.MessageBytes
	if len(msg) > limit && env.Type != "join" && env.Type != "negotiate" {
		err = refuse(codeTooBig, "a message of more than %d bytes", limit)
	}
	if err != nil {
		l.refuse(env.ID, err)
		return
	}
	s := l.current()
	switch env.Type {
	case "ping":
		if s != nil {
			s.pulse.ping(now, l.srv.cfg.Timing)
		}
		l.send(outgoing{pong: true})
	case "leave":
		l.leave(closeNormal)
		l.shut(closeNormal, "")
	case "join", "resume", "knock":
		switch {
		case s != nil:
			l.refuse(env.ID, refuse(codeAlreadyJoined, "this connection has a session already"))
		case env.ID == nil:
			l.refuse(nil, refuse(codeBadMessage, "%s needs an id", env.Type))
		case env.Type == "join":
			l.refuseIf(env.ID, l.join(*env.ID, msg))
		case env.Type == "knock":
			l.refuseIf(env.ID, l.knock(*env.ID, msg))
		default:
			l.refuseIf(env.ID, l.resume(*env.ID, msg))
		}
	default:
		l.request(s, env, msg)
	}
}

// flooded refuses a message over the rate, which counts as cost messages. The answer to a request is remembered as any other: a client that wants to
// try again takes a new id.
func (l *Link) flooded(env envelope, now time.Time, cost int) {
	if !l.strikes.AllowN(now, 1) {
		l.shut(closeRateLimited, "")
		return
	}
	wait := l.limiter.ReserveN(now, cost)
	err := &requestError{code: codeRateLimited, text: "too many messages", retry: wait.DelayFrom(now) + time.Millisecond}
	wait.CancelAt(now)
	if s := l.current(); s != nil && env.ID != nil && isRequest(env.Type) {
		s.answer(l, *env.ID, func() (any, func(), error) { return nil, nil, err })
		return
	}
	l.refuse(env.ID, err)
}

// request serves a message that needs a session.
func (l *Link) request(s *session, env envelope, msg []byte) {
	switch {
	case !isRequest(env.Type):
		l.refuse(env.ID, refuse(codeUnknownType, "no message has the type %q", cut(env.Type, maxQuoted)))
	case s == nil:
		l.refuse(env.ID, refuse(codeNotJoined, "join first"))
	case env.ID == nil:
		l.refuse(nil, refuse(codeBadMessage, "%s needs an id", env.Type))
	default:
		s.answer(l, *env.ID, func() (any, func(), error) {
			reply, after, err := s.serve(env.Type, *env.ID, msg)
			l.srv.noteRefusal(s.who(), env.Type, err)
			return reply, after, err
		})
	}
}

// maxQuoted is how much of a name that a client sent is told back to it, in bytes.
const maxQuoted = 32

// cut returns the first n bytes of s, without what they hold of a character that goes on.
func cut(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }

// leave ends the session at the client's wish, unless it lives on another connection by now.
func (l *Link) leave(code CloseCode) {
	s := l.current()
	if s == nil {
		if k := l.waits(); k != nil {
			k.finish(l, knockLeft)
		}
		return
	}
	r := s.room
	r.mu.Lock()
	if s.latest != l {
		r.mu.Unlock()
		return
	}
	link, ended := r.endLocked(s, reasonLeft)
	r.mu.Unlock()
	if ended {
		r.ended(s, link, reasonLeft, code)
	}
}

// adopt binds a session to the link, unless the connection is closed already.
func (l *Link) adopt(s *session) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.session = s
	return true
}

func (l *Link) current() *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session
}

func (l *Link) isOpen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.closed
}

// refuseIf sends an error if there is one.
func (l *Link) refuseIf(id *uint64, err error) {
	if err != nil {
		l.refuse(id, err)
	}
}

// refuse sends an error, and closes the connection where the table of errors says so.
func (l *Link) refuse(id *uint64, err error) {
	reply, refusal := l.errorReply(id, err)
	l.send(outgoing{msg: reply})
	if code := refusal.closing(l.current() != nil); code != closeGone {
		l.shut(code, "")
	}
}

// errorReply makes the reply for err. What is not the client's fault is logged, and told by a reference alone.
func (l *Link) errorReply(id *uint64, err error) ([]byte, *requestError) {
	ref := rand.Text()[:8]
	reply, refusal := encodeError(id, err, ref)
	l.srv.count.failure(refusal.code)
	if refusal.code == codeInternal {
		l.log.Error("request failed", "ref", ref, "err", err)
	}
	return reply, refusal
}

// send queues a message. It does not wait: a client that lets the queue fill up is closed.
func (l *Link) send(m outgoing) {
	select {
	case l.out <- m:
	default:
		l.shut(closeTooSlow, "")
	}
}

// shut closes the connection: the writer sends what is queued, then the code. The session lives on without it, unless
// the code tells the client not to come back. Only the first call counts.
func (l *Link) shut(code CloseCode, reason string) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.closed, l.code, l.reason = true, code, reason
	s, k := l.session, l.knocked
	close(l.stopping)
	l.mu.Unlock()
	l.cancel()
	l.srv.count.close(code)
	l.log.Debug("connection closed", "code", int(code), "name", code.String())
	if s != nil {
		s.detach(l, code)
	}
	if k != nil {
		k.detach(l, code)
	}
}
