package eventlog

import "slices"

// Cursor reads a log from a place on, as one reader. It belongs to one goroutine; Close it when done.
//
//	for {
//		entries, err := c.Next(entries[:0])
//		// write them, or start over from a snapshot on ErrGone, or end on ErrClosed
//		select {
//		case <-c.Ready():
//		case <-ctx.Done():
//		}
//	}
type Cursor struct {
	// Static after construction.
	log    *Log
	reader Reader

	// Guarded by log.mu.
	seq  uint64        // everything up to here was read, or was not for this reader
	due  uint64        // sessions: the newest entry for this reader
	wake chan struct{} // sessions: closed to wake the reader; nil when it does not wait
	done bool
}

// Follow starts to read behind pos. The error is ErrGone when the log cannot continue from there. A closed log can
// still be followed, to its end.
func (l *Log) Follow(pos Position, r Reader) (*Cursor, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.knownLocked(pos, r) {
		return nil, ErrGone
	}
	c := &Cursor{log: l, reader: r, seq: pos.Seq}
	if r.participant == "" {
		l.bellOf(r).watchers++
		return c, nil
	}
	c.due = l.next - 1 // there may be something in between: Next will tell
	l.sessions[r.participant] = append(l.sessions[r.participant], c)
	return c, nil
}

// Next appends to dst everything that is due to the reader and moves behind it. It does not wait. The error is ErrGone
// when the reader fell behind the ring (entries it should see are lost), and ErrClosed when the log is closed and
// nothing is left to read; dst is returned as it was.
func (c *Cursor) Next(dst []Entry) ([]Entry, error) {
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.knownLocked(Position{Epoch: l.epoch, Seq: c.seq}, c.reader) {
		return dst, ErrGone
	}
	before := len(dst)
	dst = l.readLocked(dst, c.seq, c.reader)
	c.seq = l.next - 1
	if l.closed && len(dst) == before {
		return dst, ErrClosed
	}
	return dst, nil
}

// Position is the place that the reader has read up to. What came before it and was not returned by Next is not for
// this reader.
func (c *Cursor) Position() Position {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return Position{Epoch: c.log.epoch, Seq: c.seq}
}

// Ready returns a channel that is closed when Next has something to return: entries or an error. Ask anew after each
// Next. A wake-up may be spurious, never missed. Sessions are woken at once, and only by entries that are for them, but in a crowd by what is unhurried at most every 100 ms;
// watchers only by entries that they may see, at most every 5 ms, all that have come up by then together.
func (c *Cursor) Ready() <-chan struct{} {
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || c.done {
		return l.opened
	}
	if c.reader.participant == "" {
		return l.bellOf(c.reader).wait(c.seq, l.opened)
	}
	if c.due > c.seq {
		return l.opened
	}
	if c.wake == nil {
		c.wake = make(chan struct{})
	}
	return c.wake
}

// Close ends the cursor and wakes whoever waits on its Ready, if it is a session's. It is safe to call more than once.
func (c *Cursor) Close() {
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.done {
		return
	}
	c.done = true
	id := c.reader.participant
	if id == "" {
		l.bellOf(c.reader).watchers--
		return
	}
	c.wakeLocked()
	rest := slices.DeleteFunc(l.sessions[id], func(o *Cursor) bool { return o == c })
	if len(rest) == 0 {
		delete(l.sessions, id)
		return
	}
	l.sessions[id] = rest
}

func (c *Cursor) wakeLocked() {
	if c.wake != nil {
		close(c.wake)
		c.wake = nil
	}
}

// announceLocked wakes the readers that may see e: sessions here and now, but where they are many and it can wait; watchers through
// their bells.
func (l *Log) announceLocked(e Entry) {
	switch {
	case e.Audience.kind == only:
		for _, id := range e.Audience.ids {
			l.wakeLocked(id, e.Seq)
		}
	case e.Audience.kind == moderators:
		for id := range l.moderators {
			l.wakeLocked(id, e.Seq)
		}
		l.strikeLocked(&l.moderated)
	case e.Audience.unhurried && len(l.sessions) > crowdFrom:
		l.crowds.schedule(crowdPace, l.wakeCrowd)
	default:
		l.wakeAllLocked(e.Seq)
	}
	if e.Audience.Public() {
		l.strikeLocked(&l.public)
		l.strikeLocked(&l.moderated)
	}
}

// wakeLocked wakes one participant: there is something up to seq.
func (l *Log) wakeLocked(participant string, seq uint64) {
	for _, c := range l.sessions[participant] {
		c.due = seq
		c.wakeLocked()
	}
}
