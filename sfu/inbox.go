package sfu

import (
	"errors"
	"slices"
	"sync"

	"github.com/pion/rtp"
)

// maxPosted bounds the packets that wait for a loop. They wait while somebody else is in it, a batch long; the newest are dropped.
const maxPosted = 1024

var errPosted = errors.New("too many packets for another loop")

// inbox holds packets for lines whose source runs in another loop. A loop never waits for another: it leaves packets here, and
// whoever did so enters this loop after it has left its own. Loops that forward to each other could wait for ever otherwise.
type inbox struct {
	mu          sync.Mutex // taken within any loop, and nothing is within it
	full, empty []posted   // Guarded by mu; empty keeps the memory.
}

// posted is one packet, copied: the ring that it lies in belongs to the other loop.
type posted struct {
	line    *Line
	header  rtp.Header
	payload []byte
}

// post leaves a packet for a line of the loop to. The caller is in l. The result is that of the line's packet before, which is
// known by now.
func (l *loop) post(to *loop, line *Line, h *rtp.Header, payload []byte) (int, error) {
	if !to.incoming.put(line, h, payload) {
		return 0, errPosted
	}
	if !slices.Contains(l.foreign, to) {
		l.foreign = append(l.foreign, to)
	}
	if before := line.outcome.Swap(nil); before != nil {
		return before.n, before.err
	}
	return len(payload), nil
}

func (in *inbox) put(line *Line, h *rtp.Header, payload []byte) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.full) == maxPosted {
		return false
	}
	if n := len(in.full); n < cap(in.full) {
		in.full = in.full[:n+1]
	} else {
		in.full = append(in.full, posted{})
	}
	p := &in.full[len(in.full)-1]
	p.line, p.header, p.payload = line, *h, append(p.payload[:0], payload...)
	p.header.Extension, p.header.Extensions = false, nil // they refer to the other loop's memory
	return true
}

// outcome is what became of a posted packet, where that was not well.
type outcome struct {
	n   int
	err error
}

// drain sends what was posted. The caller is in the loop.
func (in *inbox) drain() {
	in.mu.Lock()
	in.full, in.empty = in.empty[:0], in.full
	work := in.empty // nobody but the next drain touches it, and that is in the loop, too
	in.mu.Unlock()
	for i := range work {
		p := &work[i]
		if n, err := p.line.cfg.Egress.WriteRTP(&p.header, p.payload); n == 0 || err != nil {
			p.line.outcome.Store(&outcome{n, err})
		}
		p.line = nil
	}
}
