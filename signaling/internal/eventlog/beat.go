package eventlog

import "time"

// beat spaces wake-ups: the first after a pause comes at once, those that follow too soon come as one. The log's mutex guards it.
type beat struct {
	timer   *time.Timer // made with the first wake-up
	pending bool
	at      time.Time // of the last
}

// schedule has f run on a goroutine of its own, once until it calls done: now, or when every allows it.
func (b *beat) schedule(every time.Duration, f func()) {
	if b.pending {
		return
	}
	b.pending = true
	wait := max(0, every-time.Since(b.at))
	if b.timer == nil {
		b.timer = time.AfterFunc(wait, f)
		return
	}
	b.timer.Reset(wait)
}

func (b *beat) done() { b.pending, b.at = false, time.Now() }

func (b *beat) stop() {
	b.pending = false
	if b.timer != nil {
		b.timer.Stop()
	}
}
