package signaling

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"github.com/parley/parley/internal/audit"
	"github.com/parley/parley/internal/clientip"
	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

// A participant's changes are told one by one up to the burst, then at this pace, the newest for all: everybody gets each one, watchers
// included.
const (
	updatesPerSecond = 1
	updateBurst      = 5
)

// idLength is the length of a participant's id: 16 characters of base32 are 80 random bits.
const idLength = 16

// join makes the link's session: the token, the limits, the media, then the room. Where it fails nothing is left behind.
func (l *Link) join(id uint64, msg []byte) (err error) {
	who := audit.Who{Address: l.from}
	defer func() { l.srv.noteRefusal(who, "join", err) }()
	var m joinRequest
	if err := decode(msg, &m); err != nil {
		return err
	}
	if !ValidRoom(l.room) {
		return refuse(codeBadRoom, "a room name has %s", names.RoomGrammar)
	}
	who.Room = l.room
	claims, err := l.srv.verify(m.Token, l.bearer, l.room)
	who.Identity = cut(claims.Identity, l.srv.cfg.Limits.IdentityBytes)
	if err != nil {
		return err
	}
	s, err := l.srv.newSession(m, claims, clientip.Group(l.from))
	if err != nil {
		return err
	}
	if identity, letIn := l.wasLetIn(); letIn && (claims.Identity == "" || claims.Identity == identity) {
		s.identity, s.letIn = identity, true
	}
	r, err := l.srv.enter(l.room, s)
	if err != nil {
		return l.joinFailed(err)
	}
	s.room, s.from = r, l.from
	s.log = r.log.With("participant", s.id)
	if err := l.joinRoom(id, s, m.Media); err != nil {
		if s.peer != nil {
			s.closePeer()
		}
		l.srv.leave(r, s)
		return l.joinFailed(err)
	}
	return nil
}

// joinFailed turns the error of a join into what the client is told, if it is still there.
func (l *Link) joinFailed(err error) error {
	switch {
	case errors.Is(err, ErrDraining):
		l.shut(closeDraining, l.srv.drainReason())
		return nil
	case errors.Is(err, ErrTooManyRooms):
		return refuse(codeTooManyRooms, "the server has as many rooms as it may")
	case !l.isOpen():
		l.log.Debug("join given up: the connection is gone", "err", err)
		return nil
	default:
		return err
	}
}

// joinRoom brings s into its room and answers. Where it fails the caller closes the peer.
func (l *Link) joinRoom(id uint64, s *session, offer *sfu.Offer) error {
	r := s.room
	if err := r.admit(s); err != nil {
		return err
	}
	var media *answer
	if offer != nil {
		if err := l.srv.checkOffer(offer); err != nil {
			return err
		}
		peer, err := l.srv.cfg.Media.NewPeer(s.id, r.name, s)
		if err != nil {
			return err
		}
		s.peer = peer
		r.anticipate(s, len(offer.Slots))
		ctx, cancel := context.WithTimeout(l.ctx, l.srv.cfg.Timing.Negotiate)
		defer cancel()
		sdp, err := peer.Negotiate(ctx, *offer)
		if err != nil {
			return mediaError(err)
		}
		media = &answer{SDP: sdp}
	}
	s.answers.newest = id
	return l.welcome(id, s, offer, media)
}

// welcome adds s to its room and queues the reply, with the event stream right behind it.
func (l *Link) welcome(id uint64, s *session, offer *sfu.Offer, media *answer) error {
	srv := l.srv
	slots := 0
	if offer != nil {
		slots = len(offer.Slots)
	}
	snapshot, history, err := s.room.add(s, l, slots)
	if err != nil {
		return err
	}
	servers, ttl, pass := s.issue(time.Now())
	srv.count.joined.Add(1)
	srv.cfg.Audit.Joined(s.who())
	l.send(outgoing{
		msg: encode(welcomeReply{
			Type: "welcome", ID: id, Session: s.id, Secret: s.secret, Participant: s.id, Can: s.permissions(),
			Room: snapshot, Messages: history, Media: media,
			ICEServers: servers, ICETTL: ttl, passport: pass, Limits: srv.cfg.Limits,
			PingSeconds:   srv.cfg.Timing.Ping.Seconds(),
			ResumeSeconds: srv.cfg.Timing.Resume.Seconds(),
		}),
		follow: s.follow(snapshot.Position),
	})
	return nil
}

// follow is the session's event stream from a position on.
func (s *session) follow(from eventlog.Position) *following {
	return &following{log: s.room.events, from: from, as: s.reader()}
}

// reader is as whom the session reads the room's log.
func (s *session) reader() eventlog.Reader {
	r := eventlog.Participant(s.id)
	if s.can.hears() {
		r = r.Listening()
	}
	return r
}

// verify checks the token of a join: the one in the message, or else the one that the transport carries.
func (s *Server) verify(inMessage, bearer, room string) (token.Claims, error) {
	if inMessage == "" {
		inMessage = bearer
	}
	claims, err := s.cfg.Tokens.Verify(inMessage, room, time.Now())
	switch {
	case err == nil:
		return claims, permissions(claims.Permissions()).need(token.Join)
	case errors.Is(err, token.ErrRoom):
		return claims, refuse(codeForbidden, "%v", err)
	default:
		return claims, refuse(codeUnauthorized, "%v", err)
	}
}

// newSession makes a session of what its client says about itself and what its token says.
func (s *Server) newSession(m joinRequest, claims token.Claims, group netip.Prefix) (*session, error) {
	id := strings.ToLower(rand.Text()[:idLength])
	identity := claims.Identity
	if claims.Anonymous && identity == "" && s.cfg.Tokens.Lenient() {
		identity = m.Identity
	}
	if identity == "" {
		identity = id
	}
	if len(identity) > s.cfg.Limits.IdentityBytes {
		return nil, refuse(codeNameTooLong, "the identity is longer than %d bytes", s.cfg.Limits.IdentityBytes)
	}
	if !claims.May(token.Update) {
		m.Name, m.Metadata = "", nil
	}
	name, err := s.checkName(firstOf(m.Name, claims.Name, identity))
	if err != nil {
		return nil, err
	}
	given := m.Metadata
	if isNull(given) {
		given = claims.Metadata
	}
	metadata, err := s.checkMetadata(given)
	if err != nil {
		return nil, err
	}
	sess := &session{
		id: id, secret: rand.Text(), can: claims.Permissions(), claims: claims,
		host: claims.May(token.Moderate) && !claims.Anonymous,
		turn: make(chan struct{}, 1), dirty: make(chan struct{}, 1), done: make(chan struct{}), news: newNews(), refresh: make(chan struct{}, 1),
		identity: identity, group: group, name: name, skeleton: names.SkeletonOf(name), metadata: metadata,
		updates: rate.NewLimiter(updatesPerSecond, updateBurst),
		sources: map[sfu.Kind]*publication{}, watched: map[sfu.Kind]watched{},
	}
	sess.pulse.heard.Store(steady.Now().UnixNano())
	return sess, nil
}

func firstOf(names ...string) string {
	for _, name := range names {
		if strings.TrimSpace(name) != "" {
			return name
		}
	}
	return ""
}

// checkName returns the name as it will be shown.
func (s *Server) checkName(name string) (string, error) {
	shown, err := names.Display(name)
	if err != nil {
		return "", refuse(codeBadName, "%v", err)
	}
	if utf8.RuneCountInString(shown) > s.cfg.Limits.NameChars {
		return "", refuse(codeNameTooLong, "the name is longer than %d characters", s.cfg.Limits.NameChars)
	}
	return shown, nil
}

// checkMetadata returns a compact JSON object; nothing gives an empty one.
func (s *Server) checkMetadata(raw json.RawMessage) (json.RawMessage, error) {
	if isNull(raw) {
		return json.RawMessage("{}"), nil
	}
	if !isObject(raw) {
		return nil, refuse(codeBadMessage, "metadata is a JSON object")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, refuse(codeBadMessage, "metadata is a JSON object")
	}
	if compact.Len() > s.cfg.Limits.MetadataBytes {
		return nil, refuse(codeMetadataTooLong, "the metadata is longer than %d bytes", s.cfg.Limits.MetadataBytes)
	}
	return compact.Bytes(), nil
}

// isNull reports whether raw is absent or null.
func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }
