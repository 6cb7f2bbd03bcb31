package sfu

import (
	"time"

	"github.com/parley/parley/internal/batch"
)

// Sound for a receiver that takes no RED and loses packets: each is sent once more, behind the next one. It is the same datagram to
// the last bit, so nothing is sealed twice under one number, and who has the first drops the second as a replay. Of 10 % random loss 1 %
// is left. Not where congestion is why packets are lost.

const (
	againFrom = 1.0 / 100 // of loss
	againMost = 400       // bytes of a datagram
)

// again is what a line has sent of sound, and whether it is to be sent once more.
type again struct {
	until     time.Time // zero: nothing was lost yet
	last, now []byte    // as they were sealed
}

// lost is told which share of the line's packets the receiver reports as lost. What is left of the loss once all is sent twice is reason
// enough to go on. The caller is in the peer's loop.
func (l *slotLine) lost(now time.Time, share float64) {
	a := &l.again
	if share >= againFrom || share > 0 && now.Before(a.until) {
		a.until = now.Add(redHold)
		l.repeats = !l.video
	}
}

// remember keeps a packet that is sealed, where such are sent again. The caller is in the peer's loop, as is that of repeat.
func (k *leg) remember(l *slotLine, b []byte) bool {
	a := &l.again
	if !l.repeats {
		return false
	}
	now := k.loop.clock()
	if now.After(a.until) || len(b) > againMost || k.downlink.thin(now) || redType(l.agreed.codecs) != 0 {
		a.last = a.last[:0]
		return false
	}
	a.now = append(a.now[:0], b...)
	return true
}

// repeat sends the packet before the one that was just remembered once more.
func (k *leg) repeat(l *slotLine, out *batch.Sender) {
	a := &l.again
	a.last, a.now = a.now, a.last
	n := len(a.now)
	if n == 0 {
		return
	}
	copy(out.Next()[:n], a.now)
	k.downlink.leaves(l, l.ssrc, n, false)
	k.count(n, true)
	out.Commit(n, k.to, l, true)
}
