package eventlog

// bell wakes the watchers who see the same: what is for everybody, or what is for moderators, too. The log's mutex guards it.
type bell struct {
	watchers int           // open cursors
	newest   uint64        // the newest entry for them
	rung     uint64        // the newest that they were told of
	ring     chan struct{} // closed to wake those who wait; nil when nobody does
	rings    beat
}

// bellOf is the bell that a watcher waits for.
func (l *Log) bellOf(r Reader) *bell {
	if r.moderates {
		return &l.moderated
	}
	return &l.public
}

// wait returns what is closed when there is something behind seq; opened is closed already.
func (b *bell) wait(seq uint64, opened chan struct{}) <-chan struct{} {
	if b.rung > seq {
		return opened
	}
	if b.ring == nil {
		b.ring = make(chan struct{})
	}
	return b.ring
}

// wake wakes those who wait, and returns what must be closed for that without the lock: with 10,000 it takes about 2 ms.
func (b *bell) wake() (ring chan struct{}) {
	ring, b.ring = b.ring, nil
	b.rung = b.newest
	return ring
}

// strikeLocked sees to it that the watchers hear of the newest entry: now, or when the pace allows it. The ring itself is left to a
// timer's goroutine: the caller of Append holds the room's lock.
func (l *Log) strikeLocked(b *bell) {
	if b.watchers == 0 {
		b.rung = b.newest
		return
	}
	b.rings.schedule(pace, func() { l.ring(b) })
}

// ring runs on the timer's goroutine.
func (l *Log) ring(b *bell) {
	l.mu.Lock()
	b.rings.done()
	ring := b.wake()
	l.mu.Unlock()
	if ring != nil {
		close(ring)
	}
}
