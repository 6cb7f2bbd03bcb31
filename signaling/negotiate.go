package signaling

import (
	"errors"
	"time"

	"github.com/parley/parley/sfu"
)

// negotiate answers a new offer for the session's connection: an ICE restart, or more slots.
func (s *session) negotiate(id uint64, msg []byte) (any, error) {
	var m negotiateRequest
	if err := parse(msg, &m); err != nil {
		return nil, err
	}
	if s.peer == nil {
		return nil, errNoMedia()
	}
	srv := s.room.srv
	if err := srv.checkOffer(m.Media); err != nil {
		return nil, err
	}
	ctx, cancel := s.timeout()
	defer cancel()
	sdp, err := s.peer.Negotiate(ctx, *m.Media)
	if err != nil {
		return nil, mediaError(err)
	}
	s.room.mu.Lock()
	s.growLocked(len(m.Media.Slots))
	s.room.mu.Unlock()
	s.look()
	servers, ttl := srv.iceServers(s, time.Now())
	return negotiatedReply{Type: "negotiated", ID: id, Media: answer{SDP: sdp}, ICEServers: servers, ICETTL: ttl}, nil
}

// checkOffer reports what is wrong with an offer before the media node sees it.
func (s *Server) checkOffer(o *sfu.Offer) error {
	if o.SDP == "" {
		return refuse(codeBadOffer, "the offer has no sdp")
	}
	if len(o.Slots) > s.cfg.Limits.Slots {
		return refuse(codeBadOffer, "the offer has more than %d slots", s.cfg.Limits.Slots)
	}
	seen := map[sfu.Kind]bool{}
	for _, line := range o.Send {
		if !line.Kind.Valid() || seen[line.Kind] {
			return refuse(codeBadOffer, "send names each of microphone, camera, screen and screen_audio at most once")
		}
		seen[line.Kind] = true
	}
	return nil
}

// mediaError turns an error of the media node into what the client is told.
func mediaError(err error) error {
	switch {
	case errors.Is(err, sfu.ErrBadOffer):
		return refuse(codeBadOffer, "%v", err)
	case errors.Is(err, sfu.ErrNoLine):
		return refuse(codeNoMedia, "the offer had no line for that kind")
	case errors.Is(err, sfu.ErrClosed):
		return refuse(codeNoMedia, "the media connection has ended: join anew")
	default:
		return err
	}
}

func errNoMedia() error { return refuse(codeNoMedia, "this session joined without media") }

// iceServers gives the ICE servers for a session, with the seconds for which their credentials are good.
func (s *Server) iceServers(sess *session, now time.Time) (servers []ICEServer, ttl int) {
	servers, good := s.cfg.ICE.Servers(sess.identity, sess.id, now)
	if servers == nil {
		servers = []ICEServer{}
	}
	return servers, int(good / time.Second)
}
