package mux

import (
	"os"
	"sync"
	"time"
)

// errDeadline is what a read past its deadline returns; it is a net.Error whose Timeout is true.
var errDeadline = os.ErrDeadlineExceeded

// deadline closes a channel when its time has come. The channel stays the same until it was closed, so a reader that waits
// on it notices every later setting too.
type deadline struct {
	mu      sync.Mutex
	expired chan struct{}
	timer   *time.Timer
}

func (d *deadline) init() { d.expired = make(chan struct{}) }

func (d *deadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.expired
}

// set arms the deadline; the zero time disarms it.
func (d *deadline) set(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.expired // the timer has fired, or is about to: let it close its own channel
	}
	d.timer = nil
	select {
	case <-d.expired:
		d.expired = make(chan struct{})
	default:
	}
	if at.IsZero() {
		return
	}
	expired := d.expired
	d.timer = time.AfterFunc(time.Until(at), func() { close(expired) })
}

func (d *deadline) stop() { d.set(time.Time{}) }
