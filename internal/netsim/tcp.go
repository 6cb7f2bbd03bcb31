package netsim

import "time"

const (
	segment      = 1460 // bytes
	tcpHeaders   = 40
	tcpFirst     = 10  // segments in the first window
	tcpReduced   = 0.7 // of the window after a loss
	tcpReordered = 3   // later segments acknowledged before one counts as lost
	tcpTimeout   = time.Second
)

// TCP is a flow with always more to send, which fills a queue until it drops: slow start, then one segment more per round trip,
// times 0.7 at a loss.
type TCP struct {
	Link *Link
	Back time.Duration // the acknowledgement's way

	window, threshold float64 // segments
	next, highest     int     // segments: to be sent, acknowledged at most
	out               []bool  // by segment: still under way
	flying            int
	recover           int // losses before it were answered
	acked             time.Duration
	stopped           bool

	Delivered int // bytes
}

// Start lets the flow run until it is stopped.
func (t *TCP) Start() {
	t.window, t.threshold, t.highest, t.stopped = tcpFirst, 1<<20, -1, false
	t.acked = t.Link.Clock.Now()
	t.push()
	t.watch()
}

// Stop ends it.
func (t *TCP) Stop() { t.stopped = true }

func (t *TCP) push() {
	for !t.stopped && t.flying < int(t.window) {
		n := t.next
		t.next++
		t.flying++
		t.out = append(t.out, true)
		t.Link.Send(segment+tcpHeaders, func() {
			t.Delivered += segment
			t.Link.Clock.At(t.Link.Clock.Now()+t.Back, func() { t.ack(n) })
		})
	}
}

func (t *TCP) ack(n int) {
	t.acked = t.Link.Clock.Now()
	if !t.out[n] {
		return
	}
	t.out[n] = false
	t.flying--
	if n > t.highest {
		for i := max(t.highest-tcpReordered, 0); i < n-tcpReordered; i++ {
			if t.out[i] {
				t.out[i] = false
				t.flying--
				t.lost(i)
			}
		}
		t.highest = n
	}
	if t.window < t.threshold {
		t.window++
	} else {
		t.window += 1 / t.window
	}
	t.push()
}

func (t *TCP) lost(n int) {
	if n < t.recover {
		return
	}
	t.window = max(t.window*tcpReduced, 2)
	t.threshold = t.window
	t.recover = t.next
}

// watch starts over when nothing is acknowledged any more.
func (t *TCP) watch() {
	c := t.Link.Clock
	c.At(c.Now()+tcpTimeout/4, func() {
		if t.stopped {
			return
		}
		if t.flying > 0 && c.Now()-t.acked > tcpTimeout {
			t.threshold, t.window, t.flying, t.acked = max(t.window/2, 2), 1, 0, c.Now()
			clear(t.out)
			t.push()
		}
		t.watch()
	})
}
