package sfu

import (
	"runtime"

	"github.com/pion/rtp"

	"github.com/parley/parley/internal/batch"
	"github.com/parley/parley/sfu/internal/ring"
)

// crew are goroutines, one for each core but the caller's, that help loops with fan-outs that are too long for one core. There
// is one crew for a node, whatever the number of rooms. A loop that needs help asks who has nothing to do, and waits for nobody else.
type crew struct {
	// Static after construction.
	conns []*batch.Conn
	size  int
	work  chan errand // nothing is queued: only who waits is given work
}

// errand is one helper's part in a spread.
type errand struct {
	*spread
	turn  uint32
	from  *batch.Conn // the socket of the goroutine that is in the loop
	place int         // counts the helpers of the spread
}

// newCrew returns a crew of one helper for each core but one; nil where there is one core. Each helper is run by who calls this.
func newCrew(conns []*batch.Conn) *crew {
	n := runtime.GOMAXPROCS(0) - 1
	if n < 1 {
		return nil
	}
	return &crew{conns: conns, size: n, work: make(chan errand)}
}

// run is one helper.
func (c *crew) run(stop <-chan struct{}) {
	h := &hand{}
	for {
		select {
		case e := <-c.work:
			h.aim(c.conns, e.place+1, e.from)
			e.help(e.turn, h)
		case <-stop:
			return
		}
	}
}

// ask gives an errand to up to n helpers that have nothing to do.
func (c *crew) ask(e errand, n int) {
	for e.place = range min(n, c.size) {
		select {
		case c.work <- e:
		default:
			return
		}
	}
}

// hand is what one goroutine of a spread writes with. What sinks share otherwise, each hand has of its own.
type hand struct {
	out       *batch.Sender // nil without a plane
	header    rtp.Header    // reused for every packet
	redundant redundant
	scratch   [ring.MaxPayload]byte
}

// aim lets the hand send by a socket that nobody else of the spread uses, where there are as many. From is the caller's: one socket
// used at once from two cores makes both wait.
func (h *hand) aim(conns []*batch.Conn, place int, from *batch.Conn) {
	if len(conns) == 0 {
		return
	}
	at := place
	for i, c := range conns {
		if c == from {
			at += i
		}
	}
	conn := conns[at%len(conns)]
	if h.out == nil {
		h.out = conn.NewSender()
	}
	h.out.Use(conn)
}

// begin forgets the redundancy made for another spread.
func (h *hand) begin() {
	for i := range h.redundant.made {
		h.redundant.made[i].serial = 0
	}
}

// patched returns a copy of the slot's payload, its padding behind it, with a line's picture ids.
func (h *hand) patched(s *ring.Slot, e *sent) []byte {
	p := s.Payload()
	copy(h.scratch[:], p[:len(p)+int(s.Padding())])
	b := h.scratch[:len(p)]
	s.Rewrite(b, e.pictureID, e.tl0)
	return b
}
