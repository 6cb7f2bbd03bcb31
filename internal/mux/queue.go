package mux

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	queueLen  = 256  // packets, 512 KiB in all; overflow drops the newest
	queueSlot = 2048 // bytes; a longer datagram is neither TURN nor media over any usual MTU and is dropped
)

// queue holds what a side has not read yet.
type queue struct {
	// Static after construction.
	free   chan *queued // empty slots
	full   chan *queued // filled ones, oldest first
	closed chan struct{}

	closing  sync.Once
	deadline deadline
}

type queued struct {
	from netip.AddrPort
	n    int
	buf  [queueSlot]byte
}

func newQueue() *queue {
	q := &queue{
		free:   make(chan *queued, queueLen),
		full:   make(chan *queued, queueLen),
		closed: make(chan struct{}),
	}
	q.deadline.init()
	for range queueLen {
		q.free <- nil // made when it is needed
	}
	return q
}

// put queues a copy of b. False: it is full. It never blocks.
func (q *queue) put(b []byte, from netip.AddrPort) bool {
	select {
	case p := <-q.free:
		if p == nil {
			p = new(queued)
		}
		p.from, p.n = from, copy(p.buf[:], b)
		q.full <- p // never blocks: there are as many slots as places
		return true
	default:
		return false
	}
}

// room is how many more packets there is room for.
func (q *queue) room() int { return len(q.free) }

func (q *queue) isClosed() bool {
	select {
	case <-q.closed:
		return true
	default:
		return false
	}
}

// take waits for the oldest packet. A packet longer than b is cut, as a socket would.
func (q *queue) take(b []byte) (int, netip.AddrPort, error) {
	expired := q.deadline.wait()
	select {
	case <-q.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	case <-expired:
		return 0, netip.AddrPort{}, errDeadline
	default:
	}
	select {
	case p := <-q.full:
		n, from := copy(b, p.buf[:p.n]), p.from
		q.free <- p
		return n, from, nil
	case <-q.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	case <-expired:
		return 0, netip.AddrPort{}, errDeadline
	}
}

// close ends take and returns whether this was the first time; what is queued is lost.
func (q *queue) close() (first bool) {
	q.closing.Do(func() {
		first = true
		q.deadline.stop()
		close(q.closed)
	})
	return first
}

func (q *queue) setDeadline(at time.Time) error {
	if q.isClosed() {
		return net.ErrClosed
	}
	q.deadline.set(at)
	return nil
}
