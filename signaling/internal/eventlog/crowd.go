package eventlog

import "time"

const (
	// crowdFrom is how many participants make a crowd: what is not urgent wakes them together.
	crowdFrom = 50

	// crowdPace is the least time between two such wake-ups. A wake-up costs a crowd's member about 10 µs, whatever it brings: where
	// many join at once, that was most of what a join costs.
	crowdPace = 100 * time.Millisecond
)

// wakeCrowd runs on the timer's goroutine.
func (l *Log) wakeCrowd() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.crowds.done()
	l.wakeAllLocked(l.next - 1)
}

// wakeAllLocked wakes all participants: there is something up to seq.
func (l *Log) wakeAllLocked(seq uint64) {
	for _, cursors := range l.sessions {
		for _, c := range cursors {
			if c.seq < seq {
				c.due = seq
				c.wakeLocked()
			}
		}
	}
}
