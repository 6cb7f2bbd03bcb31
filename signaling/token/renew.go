package token

import "time"

// Renewed is a token that somebody who is in a room comes back with.
type Renewed struct {
	Compact string        // empty: there is none
	TTL     time.Duration // from the now it was made at
	Last    bool          // no later one is good for longer
}

// Renew makes the token to come back with: what the own one says, for that room and that identity alone, good for
// Config.TTL. Who is in need not knock again. There is none when the token that everything began with has ended and nothing
// may outlive it; nor where the own one is so long that a claim more is too much.
func (v *Verifier) Renew(c Claims, room, identity string, now time.Time) Renewed {
	if v == nil {
		return Renewed{}
	}
	c.First, c.Knock = c.Origin(), false
	expires := now.Add(v.ttl).Truncate(time.Second)
	if c.First.IsZero() { // there was no token
		c.First = expires
	}
	return v.issue(c, room, identity, now, expires)
}

// Issue makes the token that somebody comes in with, who has something else than a token. Where nothing outlives a token it is good
// until what he has ends, else for Config.TTL.
func (v *Verifier) Issue(c Claims, room, identity string, now, until time.Time) Renewed {
	if v == nil {
		return Renewed{}
	}
	expires := now.Add(v.ttl)
	if v.enforce {
		expires = until
	}
	return v.issue(c, room, identity, now, expires.Truncate(time.Second))
}

// Admit makes the token of somebody who has been let in, and has not joined yet.
func (v *Verifier) Admit(c Claims, room, identity string, now time.Time) Renewed {
	until := c.Expires
	c.Knock = false
	if until.IsZero() {
		until = now.AddDate(1, 0, 0) // there was no token
	}
	return v.Issue(c, room, identity, now, until)
}

func (v *Verifier) issue(c Claims, room, identity string, now, expires time.Time) Renewed {
	c.Room, c.Identity, c.NotBefore, c.Expires = room, identity, time.Time{}, expires
	last := v.enforce && !c.Anonymous && c.WasIn() && !c.Expires.Before(c.First)
	if last {
		c.Expires = c.First
	}
	ttl := c.Expires.Sub(now)
	if ttl < time.Second {
		return Renewed{}
	}
	compact, err := Sign(v.signing, c)
	if err != nil || len(compact) > MaxBytes {
		return Renewed{}
	}
	return Renewed{Compact: compact, TTL: ttl, Last: last}
}

// Last is when the last token ends that somebody may hold who is in with these claims: his own, or one that it was renewed to.
func (v *Verifier) Last(c Claims, now time.Time) time.Time {
	if v == nil {
		return now
	}
	last := now.Add(v.ttl)
	if c.Expires.After(last) {
		last = c.Expires
	}
	if v.enforce && !c.Anonymous && c.Origin().Before(last) {
		last = c.Origin()
	}
	return last.Add(v.leeway)
}

// Ends is when a session that began with these claims ends, and how long before that its holder is told. The zero time is
// never.
func (v *Verifier) Ends(c Claims) (at time.Time, notice time.Duration) {
	if v == nil || !v.enforce || c.Origin().IsZero() || c.Anonymous {
		return time.Time{}, 0
	}
	return c.Origin().Add(v.grace), v.grace
}
