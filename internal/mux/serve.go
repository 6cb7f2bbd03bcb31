package mux

import (
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/parley/parley/internal/batch"
)

// served is how a UDP with taps is read: each socket has a reader, and media's own reader gets what is left by a queue. That is
// little, and nothing where the taps take all.
type served struct {
	// Static after construction.
	queue *queue
	first *batch.Conn // all else that is sent leaves by it
}

// reader reads one socket in batches, and shows what is media's to its tap.
type reader struct {
	// Static after construction.
	udp *UDP
	tap batch.Tap
	in  *batch.Receiver

	// Owned by the goroutine.
	taken    []bool
	verdicts []class
	failures int // reads in a row
}

// Batched makes the sockets ready for batched sends, and for Serve.
func (m *mediaConn) Batched(log *slog.Logger) ([]*batch.Conn, error) {
	m.udp.log = log
	var conns []*batch.Conn
	for i, s := range m.udp.sockets {
		c, err := batch.NewConn(s, log)
		if err != nil {
			return nil, fmt.Errorf("socket %d: %w", i, err)
		}
		conns = append(conns, c)
	}
	return conns, nil
}

// Serve begins to read the sockets, which Batched made ready, each in a goroutine of its own, and shows the socket's tap every
// datagram that is not TURN's. Call it once, before anybody reads; from now on reading Media need not go on for TURN
// to be served.
func (m *mediaConn) Serve(conns []*batch.Conn, taps []batch.Tap) {
	u := m.udp
	u.served.Store(&served{queue: newQueue(), first: conns[0]})
	for i, c := range conns {
		r := &reader{udp: u, tap: taps[i], in: c.NewReceiver()}
		u.readers.Go(r.run)
	}
}

// run ends when the socket is closed.
func (r *reader) run() {
	for {
		err := r.in.Serve(r.batch)
		if r.failures++; !r.udp.stumble(err, r.failures) {
			return
		}
	}
}

// batch classifies a batch, gives the tap its part, and deals the rest.
func (r *reader) batch(n int) {
	r.failures = 0
	u := r.udp
	defer u.guard()
	s := u.served.Load()
	r.taken, r.verdicts = r.taken[:0], r.verdicts[:0]
	shown := false
	for i := 0; i < n; i++ {
		pkt := r.in.Packet(i)
		taken := false
		c := class(0) // of a packet that is dropped, nobody looks
		if drop, ok := u.admit(r.in.From(i).Addr()); !ok {
			u.dropped[drop].Add(1)
			taken = true
		} else {
			c = classify(pkt)
			u.count[c].Add(1)
		}
		if c.media() && !u.media.closed.Load() {
			shown = true
			at := netip.Addr{}
			if c != rtp { // media goes to the address that ICE chose
				at = r.in.At(i)
			}
			taken = r.tap.Packet(pkt, r.in.From(i), at)
		}
		r.taken, r.verdicts = append(r.taken, taken), append(r.verdicts, c)
		if taken && i == n-1 && c == rtp && moreComes(pkt) {
			n = r.in.More()
		}
	}
	if shown {
		r.tap.Done()
	}
	for i := range n {
		if !r.taken[i] {
			r.deal(s, i)
		}
	}
}

// moreComes guesses whether a packet is one of a burst that is still arriving: a long one that does not end a frame.
// Forwarding takes longer than to look once more, and a burst that stays together leaves in fewer system calls.
func moreComes(pkt []byte) bool {
	const long, marker = 300, 0x80
	return len(pkt) >= long && pkt[1]&marker == 0
}

// deal gives a packet to the side it is for.
func (r *reader) deal(s *served, i int) {
	u, pkt, from := r.udp, r.in.Packet(i), r.in.From(i)
	switch c := r.verdicts[i]; {
	case c.media() && u.media.closed.Load():
		u.dropped[dropMediaClosed].Add(1)
	case c.media():
		// What the tap did not want is mostly of somebody who has gone: it must not keep others from joining.
		if c == rtp && s.queue.room() <= queueLen/2 {
			u.dropped[dropStrayFull].Add(1)
		} else if !s.queue.put(pkt, from) {
			u.dropped[dropMediaFull].Add(1)
		}
	case c.turn():
		u.turn.asked.note(from, r.in.At(i))
		if drop, ok := u.turn.put(pkt, from); !ok {
			u.dropped[drop].Add(1)
		}
	}
}
