package signaling

import "time"

// What a session hands its client ends before the session does: the relay's credentials after two minutes, the token to
// come back with after ten. The client is given new ones at half of their life, unasked, so that none is stale when it is
// needed. A client that is away gets them with its resume.

// dues are when a session's run must look after what. The zero time is never.
type dues struct {
	ice, token   time.Time // are to be renewed
	notice, ends time.Time // the client is to be told that its session ends, and it does
}

// issue makes all that a client is given at its join or resume.
func (s *session) issue(now time.Time) (servers []ICEServer, ttl int, pass passport) {
	servers, ttl = s.room.srv.iceServers(s, now)
	pass, _ = s.passport(now)
	return servers, ttl, pass
}

// passport makes the token to come back with, and says when it is time for the next.
func (s *session) passport(now time.Time) (p passport, again time.Time) {
	tokens := s.room.srv.cfg.Tokens
	claims := s.claims
	claims.Can, claims.Appointed = s.can, ""
	if s.promoted.Load() {
		claims.Appointed = s.room.life()
	}
	renewed := tokens.Renew(claims, s.room.name, s.identity, now)
	p.Token, p.TokenTTL = renewed.Compact, int(renewed.TTL/time.Second)
	if !renewed.Last {
		again = half(now, renewed.TTL)
	}
	if ends, _ := tokens.Ends(s.claims); !ends.IsZero() {
		p.SessionTTL = max(int(ends.Sub(now)/time.Second), 1)
	}
	return p, again
}

// half is when half of a life has passed that begins now; none has no half.
func half(now time.Time, life time.Duration) time.Time {
	if life <= 0 {
		return time.Time{}
	}
	return now.Add(life / 2)
}

// plan begins the dues of a session whose client has been given everything now.
func (s *session) plan(now time.Time) dues {
	_, ttl := s.room.srv.cfg.ICE.Servers(s.identity, s.id, now)
	_, again := s.passport(now)
	d := dues{ice: half(now, ttl), token: again}
	if ends, notice := s.room.srv.cfg.Tokens.Ends(s.claims); !ends.IsZero() {
		d.notice, d.ends = ends.Add(-notice), ends
	}
	return d
}

// wait is how long nothing is due. It is bounded, since the clock of tokens may be set while one waits.
func (d dues) wait(now time.Time) time.Duration {
	const most = time.Hour
	wait := most
	for _, at := range []time.Time{d.ice, d.token, d.notice, d.ends} {
		if !at.IsZero() {
			wait = min(wait, at.Sub(now))
		}
	}
	return max(wait, time.Millisecond)
}

// past reports whether something is due at now.
func past(due, now time.Time) bool { return !due.IsZero() && !now.Before(due) }

// attend does what is due at now, and returns what is due later.
func (s *session) attend(now time.Time, d dues) dues {
	if past(d.ends, now) {
		s.room.end(s, reasonExpired, closeTokenExpired)
		return dues{}
	}
	fresh := credentialsNotice{Type: "credentials"}
	if past(d.ice, now) {
		servers, ttl := s.room.srv.cfg.ICE.Servers(s.identity, s.id, now)
		fresh.ICEServers, fresh.ICETTL, d.ice = servers, int(ttl/time.Second), half(now, ttl)
	}
	if past(d.token, now) || past(d.notice, now) {
		fresh.passport, d.token = s.passport(now)
	}
	if past(d.notice, now) {
		d.notice = time.Time{}
	}
	s.room.mu.Lock()
	link := s.link
	s.room.mu.Unlock()
	if link != nil && (fresh.ICETTL > 0 || fresh.passport != passport{}) {
		link.send(outgoing{msg: encode(fresh)})
		s.room.srv.count.renewed.Add(1)
	}
	return d
}
