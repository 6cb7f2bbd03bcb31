package mux

import (
	"net"
	"sync"
)

// branchBacklog is how many decided connections wait for Accept; overflow closes the newest.
const branchBacklog = 64

// branch is the listener of one kind of connection.
type branch struct {
	// Static after construction.
	tcp    *TCP
	queue  chan net.Conn
	closed chan struct{}

	leaving sync.Once

	// Guarded by mu.
	mu   sync.Mutex // orders put and shut, so that no connection is queued and forgotten
	over bool
}

var _ net.Listener = (*branch)(nil)

func newBranch(t *TCP) *branch {
	return &branch{tcp: t, queue: make(chan net.Conn, branchBacklog), closed: make(chan struct{})}
}

func (b *branch) put(c net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return false
	}
	select {
	case b.queue <- c:
		return true
	default:
		return false
	}
}

// Accept waits for the next connection of this kind.
func (b *branch) Accept() (net.Conn, error) {
	select {
	case <-b.closed:
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-b.queue:
		return c, nil
	case <-b.closed:
		return nil, net.ErrClosed
	}
}

func (b *branch) Addr() net.Addr { return b.tcp.Addr() }

// Close ends this branch; connections of its kind are closed from now on. The listener closes with the second branch.
func (b *branch) Close() error {
	var err error
	b.leaving.Do(func() {
		b.shut()
		err = b.tcp.leave()
	})
	return err
}

// shut closes what is queued.
func (b *branch) shut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return
	}
	b.over = true
	close(b.closed)
	for {
		select {
		case c := <-b.queue:
			c.Close()
		default:
			return
		}
	}
}
