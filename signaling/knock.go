package signaling

import (
	"crypto/subtle"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/parley/parley/internal/audit"
	"github.com/parley/parley/internal/clientip"
	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

// declineHold is how long somebody who was declined need not knock again.
const declineHold = time.Minute

// knockOutcome is how a knock ended.
type knockOutcome string

const (
	knockAdmitted knockOutcome = "admitted"
	knockDeclined knockOutcome = "declined"
	knockLeft     knockOutcome = "left"
	knockTimeout  knockOutcome = "timeout"
)

// Knock is somebody who asks to be let in, as those see him who may do that.
type Knock struct {
	ID       string    `json:"id"`
	Identity string    `json:"identity"`
	Name     string    `json:"name"`
	Guest    bool      `json:"guest,omitempty"`
	Since    time.Time `json:"since"`
	Like     string    `json:"like,omitempty"` // a participant whose name looks the same
}

// knock is somebody who waits at a room's door. It outlives its connection as a session does.
type knock struct {
	// Static after construction.
	Knock
	secret string
	room   *room
	claims token.Claims
	group  netip.Prefix
	from   netip.Addr
	asks   bool // a moderator decides; else the room need only be opened

	// Guarded by room.mu.
	link    *Link // nil: no connection now
	waits   string
	outcome knockOutcome // empty: it waits
	expiry  *time.Timer
}

// knock makes the link wait at the door of its room, or takes up a wait.
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
	if l.waits() {
		return refuse(codeAlreadyJoined, "this connection knocks already")
	}
	who.Room = l.room
	if m.Knock != "" {
		return l.takeUp(id, m)
	}
	claims, err := l.srv.verify(m.Token, l.bearer, l.room)
	who.Identity = cut(claims.Identity, l.srv.cfg.Limits.IdentityBytes)
	if err != nil {
		return err
	}
	// As whom he will join, and that he could, is found out now.
	sess, err := l.srv.newSession(joinRequest{Name: m.Name, Metadata: m.Metadata, Identity: m.Identity}, claims, clientip.Group(l.from))
	if err != nil {
		return err
	}
	r, err := l.srv.openDoor(l.room)
	if err != nil {
		return l.joinFailed(err)
	}
	k := &knock{
		Knock: Knock{
			ID: sess.id, Identity: sess.identity, Name: sess.name, Guest: claims.Guest,
			Since: time.Now().UTC().Truncate(time.Millisecond),
		},
		secret: sess.secret, room: r, claims: claims, group: sess.group, from: l.from,
	}
	if err := r.receive(k, l, id); err != nil {
		r.waiting.Add(-1)
		l.srv.knocking.Add(-1)
		return err
	}
	return nil
}

// openDoor finds or makes the room that somebody knocks at, and keeps it until he has gone. The error is ErrDraining,
// ErrTooManyRooms or too_many_waiting.
func (s *Server) openDoor(name string) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, ErrDraining
	}
	if s.knocking.Load() >= int64(s.cfg.Limits.Rooms) {
		s.count.knockOver("full")
		return nil, refuse(codeTooManyWaiting, "too many people wait on this server: try again in a minute")
	}
	r := s.rooms[name]
	if r == nil {
		r = s.openRoomLocked(name)
		r.idleSince = time.Now()
	}
	r.waiting.Add(1)
	s.knocking.Add(1)
	return r, nil
}

// receive puts k on the list, or says why not.
func (r *room) receive(k *knock, l *Link, id uint64) error {
	r.mu.Lock()
	if err := r.receiveLocked(k, l); err != nil {
		r.mu.Unlock()
		return err
	}
	l.post(encode(k.replyLocked(&id)))
	if k.waits == "" {
		r.decideLocked(k, knockAdmitted, "")
	} else {
		k.expiry = time.AfterFunc(r.srv.cfg.Timing.Waiting, k.timeout)
	}
	r.mu.Unlock()
	return nil
}

func (r *room) receiveLocked(k *knock, l *Link) error {
	limits, same := r.srv.cfg.Limits, 0
	for _, o := range r.knocks {
		if o.group == k.group {
			same++
		}
	}
	now := steady.Now()
	switch {
	case r.closed:
		return ErrDraining
	case r.barsLocked(k.claims, k.Identity) != nil:
		return r.barsLocked(k.claims, k.Identity)
	case r.holdLocked(k, now) > 0:
		return &requestError{code: codeDeclined, text: "a moderator has declined to let you in", retry: r.holdLocked(k, now)}
	case len(r.knocks) >= limits.Waiting, same >= limits.WaitingPerAddress && k.group.IsValid() && !k.group.Addr().IsLoopback():
		r.srv.count.knockOver("full")
		return refuse(codeTooManyWaiting, "too many people wait at this room: try again in a minute")
	case !l.await(k):
		return errLinkClosed
	}
	k.link = l
	k.asks = k.claims.Knock || r.locked
	k.waits = r.waitsLocked(k.claims, k.Identity)
	k.Like = r.likeLocked(k.Name)
	r.knocks = append(r.knocks, k)
	if k.asks && k.waits != "" {
		r.tellKnockLocked(k)
	}
	return nil
}

// takeUp gives a knock that lives a new connection.
func (l *Link) takeUp(id uint64, m knockRequest) error {
	gone := refuse(codeSessionGone, "nobody of that id waits here: knock anew")
	r := l.srv.lookup(l.room)
	if r == nil {
		return gone
	}
	r.mu.Lock()
	i := slices.IndexFunc(r.knocks, func(k *knock) bool {
		return k.ID == m.Knock && subtle.ConstantTimeCompare([]byte(k.secret), []byte(m.Secret)) == 1
	})
	if i < 0 || !l.await(r.knocks[i]) {
		r.mu.Unlock()
		return gone
	}
	k := r.knocks[i]
	old := k.link
	k.link = l
	l.post(encode(k.replyLocked(&id)))
	var after func()
	if k.outcome != "" {
		after = r.tellLocked(k)
	} else {
		k.expiry.Reset(max(time.Until(k.Since.Add(r.srv.cfg.Timing.Waiting)), time.Millisecond))
	}
	r.mu.Unlock()
	if old != nil {
		old.shut(closeReplaced, "")
	}
	if after != nil {
		after()
	}
	return nil
}

// replyLocked is what who waits is told; id is nil where he did not ask.
func (k *knock) replyLocked(id *uint64) waitingReply {
	timing := k.room.srv.cfg.Timing
	return waitingReply{
		Type: "waiting", ID: id, Knock: k.ID, Secret: k.secret, For: k.waits,
		PingSeconds: timing.Ping.Seconds(), ResumeSeconds: timing.Resume.Seconds(),
	}
}

// decideLocked ends a knock; by is the moderator, if one did. The caller calls what it returns, unless it is nil, without the lock.
func (r *room) decideLocked(k *knock, outcome knockOutcome, by string) (after func()) {
	if k.outcome != "" {
		return nil
	}
	k.outcome = outcome
	r.srv.count.knockOver(string(outcome))
	switch outcome {
	case knockAdmitted:
		r.letInLocked(k.Identity)
	case knockDeclined:
		r.declineLocked(k, steady.Now())
	case knockLeft, knockTimeout:
	}
	if k.asks && k.waits != "" {
		r.appendLocked("knock_ended", eventlog.Moderators(), func(e event) any {
			return knockEndedEvent{event: e, Knock: k.ID, Reason: outcome, By: by}
		})
	}
	return r.tellLocked(k)
}

// tellLocked tells who waited how it ended, if he is there. If not, it is kept for him until his knock expires.
func (r *room) tellLocked(k *knock) (after func()) {
	l := k.link
	if l == nil && (k.outcome == knockAdmitted || k.outcome == knockDeclined) {
		return nil
	}
	r.knocks = slices.DeleteFunc(r.knocks, func(o *knock) bool { return o == k })
	if k.expiry != nil {
		k.expiry.Stop()
	}
	k.link = nil
	r.waiting.Add(-1)
	r.srv.knocking.Add(-1)
	if l == nil {
		return nil
	}
	switch k.outcome {
	case knockAdmitted:
		pass := r.srv.cfg.Tokens.Admit(k.claims, r.name, k.Identity, time.Now())
		l.post(encode(admittedNotice{Type: "admitted", Token: pass.Compact, TokenTTL: int(pass.TTL / time.Second)}))
		return nil
	case knockDeclined:
		return func() {
			l.refuse(nil, &requestError{code: codeDeclined, text: "a moderator has declined to let you in", retry: declineHold})
		}
	default:
		return func() { l.shut(closeJoinTimeout, "") }
	}
}

// timeout ends a knock that waited too long, or whose connection has been gone for too long.
func (k *knock) timeout() {
	r := k.room
	r.mu.Lock()
	var after func()
	if k.outcome == "" {
		after = r.decideLocked(k, knockTimeout, "")
	} else if slices.Contains(r.knocks, k) { // decided, and he never came for it
		k.outcome = knockTimeout
		after = r.tellLocked(k)
	}
	r.mu.Unlock()
	if after != nil {
		after()
	}
}

// detach notes that the connection of who waits is gone. A code that says he will not be back ends the knock.
func (k *knock) detach(l *Link, code CloseCode) {
	r := k.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if k.link != l {
		return
	}
	k.link = nil
	if code == closeNormal || code >= 4500 {
		r.decideLocked(k, knockLeft, "")
		return
	}
	k.expiry.Reset(r.srv.cfg.Timing.Resume)
}

// knockingLocked lists those about whom a moderator is to decide, as they came.
func (r *room) knockingLocked() []Knock {
	var list []Knock
	for _, k := range r.knocks {
		if k.asks && k.outcome == "" {
			list = append(list, k.Knock)
		}
	}
	return list
}

// answerLocked is called when somebody came, left, was promoted or unlocked the room: whoever need not wait any more comes in, and the others
// are told what they wait for.
func (r *room) answerLocked() {
	for _, k := range slices.Clone(r.knocks) {
		waits := r.waitsLocked(k.claims, k.Identity)
		if k.outcome != "" {
			continue
		}
		if waits == "" {
			r.decideLocked(k, knockAdmitted, "") // who is admitted needs no call without the lock
			continue
		}
		if r.locked && !k.asks {
			k.asks = true
			r.tellKnockLocked(k)
		}
		if waits != k.waits {
			k.waits = waits
			if k.link != nil {
				k.link.post(encode(k.replyLocked(nil)))
			}
		}
	}
}

// tellKnockLocked tells those who may moderate that somebody knocks.
func (r *room) tellKnockLocked(k *knock) {
	r.appendLocked("knocking", eventlog.Moderators(), func(e event) any { return knockingEvent{event: e, Knock: k.Knock} })
}

// decide admits or declines who knocks; an empty id means all. The error is a no_such_knock.
func (r *room) decide(id string, outcome knockOutcome, by audit.Who) error {
	r.mu.Lock()
	var afters []func()
	var who []audit.Who
	for _, k := range slices.Clone(r.knocks) {
		if !k.asks || k.outcome != "" || id != "" && k.ID != id {
			continue
		}
		who = append(who, audit.Who{Room: r.name, Identity: k.Identity, Address: k.from})
		if after := r.decideLocked(k, outcome, by.Participant); after != nil {
			afters = append(afters, after)
		}
	}
	r.mu.Unlock()
	for _, after := range afters {
		after()
	}
	for _, w := range who {
		r.srv.cfg.Audit.Decided(by, w, string(outcome))
	}
	if len(who) == 0 && id != "" {
		return refuse(codeNoKnock, "nobody of that id waits: another moderator may have decided, or he left")
	}
	return nil
}

// declineLocked remembers who was declined, and drops what is over.
func (r *room) declineLocked(k *knock, now time.Time) {
	if r.declined == nil {
		r.declined = map[string]time.Time{}
	}
	for who, until := range r.declined {
		if !now.Before(until) {
			delete(r.declined, who)
		}
	}
	for _, who := range k.holders() {
		r.declined[who] = now.Add(declineHold)
	}
}

// holdLocked is how long k must not knock again.
func (r *room) holdLocked(k *knock, now time.Time) (hold time.Duration) {
	for _, who := range k.holders() {
		hold = max(hold, r.declined[who].Sub(now))
	}
	return hold
}

// holders are what a decline holds for: the identity, and where the token is nobody's own the address, this machine's aside.
func (k *knock) holders() []string {
	who := []string{"identity " + k.Identity}
	if k.claims.Guest && k.group.IsValid() && !k.group.Addr().IsLoopback() {
		who = append(who, "address "+k.group.String())
	}
	return who
}

// likeLocked is the participant whose name looks the same as this one; empty: nobody's does.
func (r *room) likeLocked(name string) string {
	for _, s := range r.order {
		if names.Alike(s.name, name) {
			return s.id
		}
	}
	return ""
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

// waits reports whether the link's client waits at a door, or did.
func (l *Link) waits() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.knocked != nil
}

// post queues a message for a client that waits. When the queue is full it does not read, and its silence will end it.
func (l *Link) post(msg []byte) {
	select {
	case l.out <- outgoing{msg: msg}:
	default:
	}
}

// Waiting lists those who knock at a room.
func (s *Server) Waiting(room string) []Knock {
	r := s.lookup(room)
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.knockingLocked()
}

// Decide admits or declines who knocks at a room; an empty id means all. It reports whether there was somebody.
func (s *Server) Decide(room, id string, admit bool, by string) bool {
	r := s.lookup(room)
	if r == nil {
		return false
	}
	outcome := knockDeclined
	if admit {
		outcome = knockAdmitted
	}
	return r.decide(id, outcome, audit.Who{Room: room, Identity: by}) == nil
}

// moderating is what says to the log's readers that a session may moderate.
func (s *session) moderating() *atomic.Bool {
	if s.can.has(token.Moderate) {
		yes := new(atomic.Bool)
		yes.Store(true)
		return yes
	}
	return &s.promoted
}
