package signaling

import (
	"crypto/rand"
	"crypto/subtle"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/parley/parley/internal/audit"
	"github.com/parley/parley/internal/clientip"
	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/signaling/internal/names"
)

// knock makes the link's client wait at the room, or takes up a knock that it made over another connection.
func (l *Link) knock(id uint64, msg []byte) (err error) {
	who := audit.Who{Address: l.from}
	defer func() { l.srv.noteRefusal(who, "knock", err) }()
	var m knockRequest
	if err := parse(msg, &m); err != nil {
		return err
	}
	if !ValidRoom(l.room) {
		return refuse(codeBadRoom, "a room name has %s", names.RoomGrammar)
	}
	who.Room = l.room
	if l.waits() != nil {
		return refuse(codeAlreadyJoined, "this connection knocks already")
	}
	if m.Knock != "" {
		return l.takeUp(id, m)
	}
	claims, err := l.srv.verify(m.Token, l.bearer, l.room)
	who.Identity = cut(claims.Identity, l.srv.cfg.Limits.IdentityBytes)
	if err != nil {
		return err
	}
	// What a join would find wrong is found now: as whom the client comes, and what it says about itself.
	s, err := l.srv.newSession(joinRequest{Identity: m.Identity, Name: m.Name, Metadata: m.Metadata}, claims, clientip.Group(l.from))
	if err != nil {
		return err
	}
	now := steady.Now()
	k := &knock{
		id: strings.ToLower(rand.Text()[:idLength]), secret: s.secret, claims: claims,
		identity: s.identity, name: s.name, look: s.skeleton,
		group: s.group, from: l.from, at: time.Now().UTC().Truncate(time.Millisecond), since: now,
		updates: rate.NewLimiter(rate.Every(knockUpdateEvery), knockUpdateBurst),
	}
	if k.room, err = l.srv.hold(l.room, k.group); err != nil {
		return l.joinFailed(err)
	}
	if err := k.room.receive(k, l, id, now); err != nil {
		l.srv.unhold(k.room, k)
		return l.joinFailed(err)
	}
	return nil
}

// takeUp gives a knock a new connection. The one it had is closed.
func (l *Link) takeUp(id uint64, m knockRequest) error {
	gone := refuse(codeSessionGone, "nobody waits with that id and secret: knock anew")
	r := l.srv.lookup(l.room)
	if r == nil {
		return gone
	}
	r.mu.Lock()
	k := r.porch.find(m.Knock, m.Secret)
	if k == nil || !l.await(k) {
		r.mu.Unlock()
		return gone
	}
	old := k.link
	k.link = l
	l.push(k.reply(&id))
	after := func() {}
	if k.end != "" {
		after = k.announceLocked(steady.Now())
	}
	r.mu.Unlock()
	if old != nil {
		old.shut(closeReplaced, "")
	}
	after()
	return nil
}

// find returns the knock with this id and secret that waits, or whose client may not know how it ended.
func (p *porch) find(id, secret string) *knock {
	found := p.ended[id]
	for _, k := range p.waiting {
		if k.id == id {
			found = k
		}
	}
	if found == nil || subtle.ConstantTimeCompare([]byte(found.secret), []byte(secret)) != 1 {
		return nil
	}
	return found
}

// waitsPerAddress times limits.waiting_per_address is how many of one address wait at all rooms together.
const waitsPerAddress = 4

// hold keeps a room for one who waits at it, as for a watcher, and takes a seat from his address. The error is ErrDraining,
// ErrTooManyRooms or a too_many_seats.
func (s *Server) hold(name string, group netip.Prefix) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if limit := s.cfg.Limits.SeatsPerAddress; group.IsValid() && s.seats[group] >= limit && !group.Addr().IsLoopback() {
		s.count.fullAddress.Add(1)
		return nil, refuse(codeTooManySeats, "there are %d participants from your address already", limit)
	}
	if limit := waitsPerAddress * s.cfg.Limits.WaitingPerAddress; s.knockers[group] >= limit && group.IsValid() && !group.Addr().IsLoopback() {
		s.count.knock("address_full")
		return nil, refuse(codeTooManyWaiting, "%d from your address wait at rooms of this server already", limit)
	}
	r, err := s.watchLocked(name)
	if err != nil {
		return nil, err
	}
	if group.IsValid() {
		s.seats[group]++
		s.knockers[group]++
	}
	if s.occupied == 0 && s.waiting == 0 {
		s.attendance.begin()
	}
	r.waiting++
	s.waiting++
	return r, nil
}

// unhold gives back what hold took.
func (s *Server) unhold(r *room, k *knock) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.group.IsValid() {
		if s.knockers[k.group]--; s.knockers[k.group] == 0 {
			delete(s.knockers, k.group)
		}
		if s.seats[k.group]--; s.seats[k.group] == 0 {
			delete(s.seats, k.group)
		}
	}
	r.waiting--
	s.waiting--
	s.unwatchLocked(r)
}

// await binds a knock to the link, unless the connection is closed already.
func (l *Link) await(k *knock) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.knocked = k
	return true
}

// waits is the knock of the link's client, if it made one.
func (l *Link) waits() *knock {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.knocked
}

// push queues a message for a client that waits, and may be called with the room's lock held, so that what it is told comes in order. A
// nil link has nobody to tell. When the queue is full the client does not read: it learns what it missed when it takes up its knock.
func (l *Link) push(msg []byte) {
	if l == nil {
		return
	}
	select {
	case l.out <- outgoing{msg: msg}:
	default:
		l.full.Store(true)
	}
}
