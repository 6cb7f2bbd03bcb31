package sfu

import (
	"net"
	"os"
	"sync"
)

// maxRecords are those of a client that wait for DTLS: a data channel's may come in bursts, and what is lost comes again.
const maxRecords = 256

// records are the datagrams of DTLS that came, until the DTLS connection takes them: also those that come while it is parked.
type records struct {
	arrived sync.Cond // Static after construction: on mu.

	mu      sync.Mutex // taken by itself
	waiting [][]byte   // Guarded by mu.
	closed  bool       // Guarded by mu.
	opened  bool       // Guarded by mu: the handshake is through.
	bytes   int        // Guarded by mu: that came before.
}

// put keeps a copy of a datagram. False: there is no room.
func (r *records) put(b []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.waiting) == maxRecords || !r.opened && r.bytes+len(b) > handshakeBytes {
		return false
	}
	if !r.opened {
		r.bytes += len(b)
	}
	r.waiting = append(r.waiting, append([]byte(nil), b...))
	r.arrived.Broadcast()
	return true
}

// take waits for the next one on behalf of a path, which is through with the one before.
func (r *records) take(d *dtlsPath) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d.busy = false
	for {
		switch {
		case r.closed || d.muted:
			return nil, net.ErrClosed
		case d.interrupted:
			return nil, os.ErrDeadlineExceeded
		case len(r.waiting) > 0:
			d.busy = true
			b := r.waiting[0]
			r.waiting[0] = nil
			if r.waiting = r.waiting[1:]; len(r.waiting) == 0 {
				r.waiting = nil // most clients never send another
			}
			return b, nil
		}
		r.arrived.Wait()
	}
}

// open takes as much as comes, from now on: the client has shown who it is.
func (r *records) open() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opened = true
}

func (r *records) any() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting) > 0
}

func (r *records) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed, r.waiting = true, nil
	r.arrived.Broadcast()
}

// record takes a datagram of DTLS from a client, who has not authenticated it yet. One that is not DTLS after all costs a connection
// that is parked again.
func (t *direct) record(b []byte) {
	if !t.records.put(b) {
		t.peer.count.dtlsFull.Add(1)
	}
	t.wake()
}
