package sfu

import (
	"sync/atomic"
)

// Fan-out over cores. The sinks of a stream are cut into parts, and whoever is there takes one part after the other: the goroutine
// that is in the loop, and the crew's helpers. All forward the same packets of the ring, by reference, and the loop goes on when
// the last part has been sent: so a line's packets leave in the order in which they came, whoever sends them. A peer's sinks are in
// one part, so nobody but the ring is shared, and that is only read.

const (
	// spreadFrom is for how many packets out at least a fan-out is spread. Measured on two cores (BenchmarkSpread, frames of 6 packets):
	// 10 viewers take 113 µs alone and 125 spread, 50 take 485 and 470, 100 take 890 and 690, 1000 take 9.8 and 5.0 ms.
	spreadFrom = 512
	partLen    = 64 // sinks
)

// spread is a loop's fan-out over several cores.
type spread struct {
	// Static after construction.
	crew  *crew
	least int // packets out
	size  int // sinks of a part

	// Owned by the loop. Helpers read them between claim and left.
	source *Source
	stream *stream
	sinks  []*Sink
	batch  []uint16
	own    hand
	turn   uint32

	claim   atomic.Uint64 // turn, and how many parts nobody has taken: 32 bits each
	left    atomic.Int32  // parts that are not done
	foreign atomic.Bool   // some lines belong to another loop
	over    chan struct{} // holds one: a helper has done the last part
}

func newSpread(c *crew) *spread {
	return &spread{crew: c, least: spreadFrom, size: partLen, over: make(chan struct{}, 1)}
}

// spreads returns what a fan-out of n packets is to be spread with; nil: it is not. The caller is in the loop.
func (l *loop) spreads(n int) *spread {
	sp := l.spread
	switch {
	case sp == nil && n >= spreadFrom && l.plane != nil && l.plane.crew != nil:
		sp = newSpread(l.plane.crew)
		l.spread = sp
	case sp == nil || n < sp.least:
		return nil
	}
	return sp
}

// run forwards stored packets to all sinks. The caller is in the loop, which leaves what the parts write to them.
func (sp *spread) run(s *Source, l *stream, sinks []*Sink, indices []uint16) {
	lp, e := s.mu, errand{spread: sp, turn: sp.turn + 1}
	lp.clock() // nobody is to set it meanwhile
	if lp.plane != nil {
		sp.own.out = lp.sender()
		sp.own.out.Flush() // what was written before leaves before
		e.from = sp.own.out.Conn()
	}
	sp.source, sp.stream, sp.sinks, sp.batch = s, l, sinks, indices
	parts := (len(sinks) + sp.size - 1) / sp.size
	sp.turn = e.turn
	sp.left.Store(int32(parts))
	sp.claim.Store(uint64(sp.turn)<<32 | uint64(parts))
	sp.crew.ask(e, parts-1)
	if !sp.work(e.turn, &sp.own) {
		<-sp.over
	}
	if sp.foreign.Swap(false) {
		for _, k := range sinks {
			if k.line.from != nil {
				k.take(l, indices)
			}
		}
	}
	sp.source, sp.stream, sp.sinks, sp.batch, sp.own.out = nil, nil, nil, nil, nil
}

// help is a helper's work.
func (sp *spread) help(turn uint32, h *hand) {
	if sp.work(turn, h) {
		sp.over <- struct{}{}
	}
}

// work does parts while there are any of that turn. A helper may come when all is done, and another turn has begun. True: the last part
// that was left was done here.
func (sp *spread) work(turn uint32, h *hand) (last bool) {
	h.begin()
	for {
		c := sp.claim.Load()
		if uint32(c>>32) != turn || uint32(c) == 0 {
			return last
		}
		if !sp.claim.CompareAndSwap(c, c-1) {
			continue
		}
		sp.part(int(uint32(c))-1, h)
		last = sp.left.Add(-1) == 0
	}
}

// part forwards to the sinks of one part, and sends it.
func (sp *spread) part(i int, h *hand) {
	if l, ok := sp.source.cfg.Upstream.(*sendLine); ok {
		defer l.peer.guard("forward")
	}
	if h.out != nil {
		defer h.out.Flush()
	}
	var k *Sink
	defer func() {
		if k != nil { // it panicked
			k.line.hand = nil
		}
	}()
	for _, k = range sp.sinks[sp.start(i):sp.start(i+1)] {
		if k.line.from != nil {
			sp.foreign.Store(true)
			continue
		}
		k.line.hand = h
		k.take(sp.stream, sp.batch)
		k.line.hand = nil
	}
	k = nil
}

// start is where a part begins. A peer that is shown the source twice is in one part: such sinks are neighbours.
func (sp *spread) start(i int) int {
	at := min(i*sp.size, len(sp.sinks))
	for at > 0 && at < len(sp.sinks) && sp.sinks[at].beside(sp.sinks[at-1]) {
		at++
	}
	return at
}

// beside reports whether both lines go to one peer.
func (k *Sink) beside(o *Sink) bool {
	d := k.line.cfg.paced
	return d != nil && d == o.line.cfg.paced
}

// place is where the sink belongs in a list: beside those of its peer, else at the end.
func (k *Sink) place(list []*Sink) int {
	if k.twin {
		for i, o := range list {
			if k.beside(o) {
				return i
			}
		}
	}
	return len(list)
}

// take forwards stored packets to the sink.
func (k *Sink) take(l *stream, batch []uint16) {
	k.seen += uint64(len(batch))
	k.stored += uint64(len(batch))
	for _, index := range batch {
		k.forward(l.ring.Slot(index), index)
	}
}
