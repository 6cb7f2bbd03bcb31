package signaling

import (
	"context"
	"slices"

	"github.com/parley/parley/signaling/token"
)

// permissions are what a session's token allows.
type permissions []token.Permission

func (p permissions) has(want token.Permission) bool { return slices.Contains(p, want) }

// hears reports whether chat and data reach their holder: who watches or talks may also read.
func (p permissions) hears() bool { return p.has(token.Subscribe) || p.has(token.Message) }

// need is the error for a missing permission, or nil.
func (p permissions) need(want token.Permission) error {
	if p.has(want) {
		return nil
	}
	return refuse(codeForbidden, "the token does not allow %s", want)
}

// isRequest reports whether typ is a message that needs a session and has an id.
func isRequest(typ string) bool { return slices.Contains(requestTypes(), typ) }

// answer serves the request with this id and replies on l, or repeats the reply that was given before. Requests of a
// session are served one at a time, also when they come over two connections during a resume. serve gives the reply or
// an error, and what to do once the reply is queued.
func (s *session) answer(l *Link, id uint64, serve func() (reply any, after func(), err error)) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-l.stopping:
		return
	}
	if reply, known := s.answers.find(id); known {
		if reply == nil {
			l.refuse(&id, refuse(codeBadMessage, "ids rise; this one is too old to be answered again"))
			return
		}
		s.room.srv.count.repeated.Add(1)
		l.send(outgoing{msg: reply})
		return
	}
	reply, after, err := serve()
	if err != nil {
		encoded, refusal := l.errorReply(&id, err)
		s.answers.add(id, encoded)
		l.send(outgoing{msg: encoded})
		if code := refusal.closing(true); code != closeGone {
			l.shut(code, "")
		}
		return
	}
	encoded := encode(reply)
	s.answers.add(id, encoded)
	l.send(outgoing{msg: encoded})
	if after != nil {
		after()
	}
}

// serve does what a request asks for. It runs with turn held.
func (s *session) serve(typ string, id uint64, msg []byte) (reply any, after func(), err error) {
	switch typ {
	case "negotiate":
		reply, err = s.negotiate(id, msg)
	case "publish":
		reply, err = s.publish(id, msg)
	case "unpublish":
		reply, err = s.unpublish(id, msg)
	case "mute":
		reply, err = s.mute(id, msg)
	case "layers":
		reply, err = s.layers(id, msg)
	case "subscribe":
		reply, err = s.subscribe(id, msg)
	case "chat":
		reply, err = s.chat(id, msg)
	case "update":
		reply, err = s.update(id, msg)
	case "signal":
		reply, err = s.signal(id, msg)
	case "moderate":
		return s.moderate(id, msg)
	case "invite":
		reply, err = s.invite(id, msg)
	case "invitations":
		reply, err = s.invitations(id)
	case "revoke":
		reply, err = s.revoke(id, msg)
	case "bans":
		reply, err = s.listBans(id)
	case "stats":
		reply, err = s.stats(id)
	default:
		err = refuse(codeUnknownType, "no message has the type %q", cut(typ, maxQuoted))
	}
	return reply, nil, err
}

// okay is the plain reply.
func okay(id uint64) okReply { return okReply{Type: "ok", ID: id} }

// timeout bounds a call to the media node. It does not end with the connection: the reply is remembered for a resume.
func (s *session) timeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), s.room.srv.cfg.Timing.Negotiate)
}
