package signaling

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

const (
	// declineHold is how long one who was declined cannot knock again.
	declineHold = time.Minute

	// maxLetIn bounds the identities of which a room remembers that they may come in. Over it any one is forgotten, and is asked again
	// at a locked room.
	maxLetIn = 4096

	// A knock that loses its connection again and again is told of at this pace, the newest for all.
	knockUpdateEvery = 2 * time.Second
	knockUpdateBurst = 4
)

// knock is somebody who waits to be let in. It outlives its connections.
type knock struct {
	// Static after construction.
	id, secret     string
	claims         token.Claims
	identity, name string
	look           names.Skeleton
	group          netip.Prefix // whose seat it takes
	from           netip.Addr
	room           *room
	at             time.Time // when it came, by the wall clock
	since          time.Time // the same, by the steady clock

	// Guarded by room.mu.
	link    *Link     // nil: no connection now
	cutAt   time.Time // when the connection was lost
	awaits  waitingFor
	told    bool // moderators know of it
	away    bool // as they were told
	updates *rate.Limiter
	end     knockEnd      // empty: it has not ended
	why     *requestError // of one that was not let in
	endedAt time.Time

	over atomic.Int64 // endedAt, in steady nanoseconds; 0: it has not ended
}

// porch is what is in front of a room: who waits there, and what was decided. The room's mu guards it.
type porch struct {
	waiting  []*knock             // as they came
	ended    map[string]*knock    // by id: decided, and the client may not know it yet
	letIn    map[string]bool      // identities that a moderator let in, or that were in and not removed
	declined map[string]time.Time // until when, by identity or address
	rate     *rate.Limiter        // of knocks
	callers  map[netip.Prefix]*rate.Limiter
	later    deeds // for the room's goroutine
}

func newPorch(l Limits) porch {
	return porch{
		ended: map[string]*knock{}, letIn: map[string]bool{}, declined: map[string]time.Time{}, callers: map[netip.Prefix]*rate.Limiter{},
		rate: rate.NewLimiter(rate.Limit(l.Waiting)/30, 2*l.Waiting),
	}
}

// doorLocked reports why one who comes with these claims cannot just come in; nil: he can. Who may come at all is not its concern.
func (r *room) doorLocked(c token.Claims, identity string) error {
	switch {
	case c.Identity != "" && r.porch.letIn[identity]: // an identity that a token names: others choose theirs
		return nil
	case c.Knock && !c.WasIn():
		return refuse(codeMustKnock, "a moderator has to let you in: knock")
	case c.Guest && !c.WasIn() && len(r.sessions) == 0:
		return refuse(codeMustKnock, "nobody is in the room yet: knock, and wait for a host")
	case r.locked && !c.May(token.Moderate) && !r.appointed(c):
		return refuse(codeRoomLocked, "a moderator has locked the room")
	}
	return nil
}

// letInLocked remembers that an identity may come in while the room lives, also when it is locked.
func (r *room) letInLocked(identity string) {
	for other := range r.porch.letIn {
		if len(r.porch.letIn) < maxLetIn {
			break
		}
		delete(r.porch.letIn, other)
	}
	r.porch.letIn[identity] = true
}

// receive puts k among those who wait, on the link, and answers request id. The error is what the client is told, or errLinkClosed.
func (r *room) receive(k *knock, l *Link, id uint64, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.mayKnockLocked(k, now); err != nil {
		return err
	}
	if !l.await(k) {
		return errLinkClosed
	}
	k.link, k.awaits = l, r.awaitedLocked()
	l.push(k.reply(&id))
	r.porch.waiting = append(r.porch.waiting, k)
	if r.doorLocked(k.claims, k.identity) != nil {
		r.tellKnockLocked(k)
	} else {
		r.laterLocked(r.endKnockLocked(k, knockAdmitted, "", nil, now)) // it knocked without need
	}
	return nil
}

// mayKnockLocked reports why k cannot wait here.
func (r *room) mayKnockLocked(k *knock, now time.Time) error {
	limits, count := r.srv.cfg.Limits, r.srv.count
	if r.closed {
		return ErrDraining
	}
	if err := r.barsLocked(k.claims, k.identity); err != nil {
		return err
	}
	if hold := r.holdLocked(k, now); hold > 0 {
		count.knock("held")
		return &requestError{code: codeDeclined, text: "a moderator declined to let you in", retry: hold}
	}
	same := 0
	for _, o := range r.porch.waiting {
		if o.group == k.group {
			same++
		}
	}
	switch {
	case len(r.porch.waiting) >= limits.Waiting:
		count.knock("room_full")
		return refuse(codeTooManyWaiting, "%d wait at this room already", limits.Waiting)
	case k.counted() && same >= limits.WaitingPerAddress:
		count.knock("address_full")
		return refuse(codeTooManyWaiting, "%d from your address wait at this room already", same)
	}
	if wait := r.hurryLocked(k, now); wait > 0 {
		count.knock("too_often")
		return &requestError{code: codeRateLimited, text: "too many knocks at this room", retry: wait}
	}
	return nil
}

// counted reports whether k counts against what its address may. This machine is not bound.
func (k *knock) counted() bool { return k.group.IsValid() && !k.group.Addr().IsLoopback() }

// hurryLocked takes a knock from what the address and the room may have, or says when there is one.
func (r *room) hurryLocked(k *knock, now time.Time) (wait time.Duration) {
	p := &r.porch
	if !k.counted() {
		return take(now, p.rate)
	}
	caller := p.callers[k.group]
	if caller == nil {
		own := r.srv.cfg.Limits.WaitingPerAddress
		caller = rate.NewLimiter(rate.Limit(own)/60, own)
	}
	if wait = take(now, caller, p.rate); wait == 0 {
		p.callers[k.group] = caller // of the last minute alone, see prune: so the room's rate bounds how many there are
	}
	return wait
}

// take takes one of each, or none and says when there is one of each.
func take(now time.Time, from ...*rate.Limiter) (wait time.Duration) {
	for _, l := range from {
		if tokens := l.TokensAt(now); tokens < 1 {
			wait = max(wait, time.Duration((1-tokens)/float64(l.Limit())*float64(time.Second))+time.Millisecond)
		}
	}
	if wait == 0 {
		for _, l := range from {
			l.AllowN(now, 1)
		}
	}
	return wait
}

// holdLocked is how long k cannot knock because it was declined.
func (r *room) holdLocked(k *knock, now time.Time) (hold time.Duration) {
	for _, who := range k.declinedAs() {
		hold = max(hold, r.porch.declined[who].Sub(now))
	}
	return hold
}

// declinedAs names whom a decline keeps out: the identity, and the address, but for this machine's.
func (k *knock) declinedAs() []string {
	if !k.counted() {
		return []string{"identity " + k.identity}
	}
	return []string{"identity " + k.identity, "address " + k.group.String()}
}

// awaitedLocked is who has to do something for those who wait.
func (r *room) awaitedLocked() waitingFor {
	if r.moderatedLocked() {
		return forModerator
	}
	return forHost
}

// reply tells the client that it waits; id is nil where it did not ask.
func (k *knock) reply(id *uint64) []byte {
	timing := k.room.srv.cfg.Timing
	return encode(waitingReply{
		Type: "waiting", ID: id, Knock: k.id, Secret: k.secret, For: k.awaits,
		PingSeconds: timing.Ping.Seconds(), ResumeSeconds: timing.Resume.Seconds(),
	})
}

// audience of what becomes of k: the newest says all. It counts as talk in the log: strangers cause it, and must not push out what else
// happens.
func (k *knock) audience() eventlog.Audience {
	return eventlog.Moderators().About("knock " + k.id).By("knocks")
}

// tellKnockLocked tells moderators that k waits, or what has become of it.
func (r *room) tellKnockLocked(k *knock) {
	k.told = true
	r.appendLocked("knocking", k.audience(), func(e event) any {
		return knockingEvent{event: e, Knock: r.seenLocked(k)}
	})
}

// seenLocked is the knock as moderators see it.
func (r *room) seenLocked(k *knock) Knock {
	return Knock{
		ID: k.id, Identity: k.identity, Name: k.name, Guest: k.claims.Guest, Since: k.at, Like: r.alikeLocked(k.look, k.identity), Away: k.away,
	}
}

// waitingLocked lists those who wait, as they came.
func (r *room) waitingLocked() []Knock {
	list := make([]Knock, len(r.porch.waiting))
	for i, k := range r.porch.waiting {
		list[i] = r.seenLocked(k)
	}
	return list
}

// snapshotLocked is the room's state as the session may see it.
func (s *session) snapshotLocked(at eventlog.Position) Snapshot {
	snap := s.room.snapshotLocked(at)
	if s.may(token.Moderate) {
		snap.Waiting = s.room.waitingLocked()
	}
	return snap
}

// answerLocked is called when something changed that who waits depends on: who is in, the lock, a ban. It lets in who needs no decision any
// more, sends away who is banned by now, and tells the others whom they wait for. So nobody ever waits at an open door.
func (r *room) answerLocked() {
	if len(r.porch.waiting) == 0 || r.closed {
		return
	}
	now, awaited := steady.Now(), r.awaitedLocked()
	for _, k := range slices.Clone(r.porch.waiting) {
		switch barred := r.barsLocked(k.claims, k.identity); {
		case barred != nil:
			r.laterLocked(r.endKnockLocked(k, knockDeclined, "", barred, now))
		case r.doorLocked(k.claims, k.identity) == nil:
			r.laterLocked(r.endKnockLocked(k, knockAdmitted, "", nil, now))
		case k.awaits != awaited:
			k.awaits = awaited
			k.link.push(k.reply(nil))
		}
	}
}

// laterLocked has the room's goroutine do what cannot be done with the lock held.
func (r *room) laterLocked(f func()) {
	r.porch.later.add(f)
	select {
	case r.door <- struct{}{}:
	default:
	}
}

// settle does what was left for later.
func (r *room) settle() {
	r.mu.Lock()
	later := r.porch.later
	r.porch.later = nil
	r.mu.Unlock()
	later.do()
}

// attendKnocks ends what has waited too long or has been without a connection for too long, and tells who has none.
func (r *room) attendKnocks(now time.Time) {
	timing := r.srv.cfg.Timing
	r.mu.Lock()
	var after deeds
	for _, k := range slices.Clone(r.porch.waiting) {
		cut := k.link == nil
		switch away := cut && now.Sub(k.cutAt) >= cutGrace; {
		case cut && now.Sub(k.cutAt) >= timing.Resume:
			after.add(r.endKnockLocked(k, knockTimeout, "", nil, now))
		case now.Sub(k.since) >= timing.Waiting:
			after.add(r.endKnockLocked(k, knockTimeout, "", refuse(codeWaitingTimeout, "nobody answered: knock again"), now))
		case away != k.away && k.told && k.updates.AllowN(now, 1):
			k.away = away
			r.tellKnockLocked(k)
		}
	}
	r.answerLocked() // an invitation may have been revoked, of which the room is not told
	r.porch.prune(now, timing.Resume)
	r.mu.Unlock()
	after.do()
}

// prune forgets what is over.
func (p *porch) prune(now time.Time, resume time.Duration) {
	for id, k := range p.ended {
		if now.Sub(k.endedAt) >= resume {
			delete(p.ended, id)
		}
	}
	for who, until := range p.declined {
		if !now.Before(until) {
			delete(p.declined, who)
		}
	}
	for group, l := range p.callers {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(p.callers, group)
		}
	}
}

// deeds are what is left to be done when the lock is given back.
type deeds []func()

func (d *deeds) add(f func()) { *d = append(*d, f) }

func (d deeds) do() {
	for _, f := range d {
		f()
	}
}

// endKnockLocked ends a knock; by is the participant who decided, if one did, and why is told to a client that is not let in. The caller
// calls what is returned without the lock.
func (r *room) endKnockLocked(k *knock, end knockEnd, by string, why *requestError, now time.Time) (after func()) {
	k.end, k.why, k.endedAt = end, why, now
	k.over.Store(now.UnixNano())
	r.porch.waiting = slices.DeleteFunc(r.porch.waiting, func(o *knock) bool { return o == k })
	if why != nil && why.code == codeDeclined {
		for _, who := range k.declinedAs() {
			r.porch.declined[who] = now.Add(declineHold)
		}
	}
	if end == knockAdmitted || why != nil {
		r.porch.ended[k.id] = k
	}
	if k.told {
		r.appendLocked("knock_ended", k.audience(), func(e event) any {
			return knockEndedEvent{event: e, Knock: k.id, Reason: end, By: by}
		})
	}
	r.srv.count.knock(string(end))
	r.log.Debug("knock ended", "knock", k.id, "reason", string(end))
	finish := k.announceLocked(now)
	return func() {
		r.srv.unhold(r, k)
		finish()
	}
}

// announceLocked tells the client how the knock ended, if it is there and has not left. The caller calls what is returned without the
// lock.
func (k *knock) announceLocked(now time.Time) (after func()) {
	l, srv := k.link, k.room.srv
	if l == nil || k.end != knockAdmitted && k.why == nil {
		return func() {}
	}
	if k.end == knockAdmitted {
		notice := admittedNotice{Type: "admitted"}
		pass := srv.cfg.Tokens.Admit(k.claims, k.room.name, k.identity, time.Now())
		notice.Token, notice.TokenTTL = pass.Compact, int(pass.TTL/time.Second)
		l.push(encode(notice))
		return func() {}
	}
	told := *k.why
	if told.code == codeDeclined {
		told.retry = max(declineHold-now.Sub(k.endedAt), time.Millisecond)
	}
	return func() { l.refuse(nil, &told) }
}

// detach notes that the connection is gone. A code that tells the client not to come back ends the knock.
func (k *knock) detach(l *Link, code CloseCode) {
	k.room.mu.Lock()
	after := func() {}
	if k.link == l {
		k.link, k.cutAt = nil, steady.Now()
		if code >= 4500 && k.end == "" {
			after = k.room.endKnockLocked(k, knockLeft, "", nil, steady.Now())
		}
	}
	k.room.mu.Unlock()
	after()
}

// finish ends the knock that the link's client has no need of any more: it is in, or went.
func (k *knock) finish(l *Link, end knockEnd) {
	k.room.mu.Lock()
	after := func() {}
	if k.link == l {
		k.link = nil
		if k.end == "" {
			after = k.room.endKnockLocked(k, end, "", nil, steady.Now())
		}
		delete(k.room.porch.ended, k.id)
	}
	k.room.mu.Unlock()
	after()
}

// wasLetIn reports whether a moderator let in who waited on this link, and who that is.
func (l *Link) wasLetIn() (identity string, yes bool) {
	k := l.waits()
	if k == nil {
		return "", false
	}
	k.room.mu.Lock()
	defer k.room.mu.Unlock()
	return k.identity, k.end == knockAdmitted
}
