package mux

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"

	"github.com/parley/parley/internal/batch"
)

// tapped reads the socket in batches and shows RTP and RTCP to a tap before media's reader gets them.
type tapped struct {
	// Static after construction.
	tap batch.Tap

	// Guarded by mu, which readers of media hold while they wait: there is one, pion's.
	mu       sync.Mutex
	in       *batch.Receiver
	got      int
	next     int
	taken    []bool
	verdicts []class
}

// Batched makes the socket ready for batched sends, and for SetTap.
func (m *mediaConn) Batched(log *slog.Logger) (*batch.Conn, error) {
	return batch.NewConn(m.udp.conn, log)
}

// SetTap reads c, which Batched made, in batches from now on, and shows tap every datagram that looks like RTP or RTCP. Call it
// before anybody reads.
func (m *mediaConn) SetTap(c *batch.Conn, tap batch.Tap) {
	m.udp.tap.Store(&tapped{tap: tap, in: c.NewReceiver()})
}

// receive is UDP.receive for a tapped socket.
func (t *tapped) receive(u *UDP, b []byte) (int, netip.AddrPort, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for failures := 0; ; {
		for t.next < t.got {
			i := t.next
			t.next++
			if t.taken[i] {
				continue
			}
			pkt, from := t.in.Packet(i), t.in.From(i)
			switch c := t.verdicts[i]; {
			case c.media():
				return copy(b, pkt), from, nil
			case c.turn():
				if drop, ok := u.turn.put(pkt, from); !ok {
					u.dropped[drop].Add(1)
				}
			}
		}
		t.next, t.got = 0, 0
		n, err := t.in.Receive()
		if err != nil {
			failures++
			if errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) || failures == maxReadFailures {
				return 0, netip.AddrPort{}, err
			}
			u.dropped[dropReadError].Add(1)
			continue
		}
		failures = 0
		t.show(u, n)
	}
}

// show classifies a batch and gives the tap its part. The rest stays for receive.
func (t *tapped) show(u *UDP, n int) {
	t.taken, t.verdicts = t.taken[:0], t.verdicts[:0]
	shown := false
	for i := 0; i < n; i++ {
		pkt := t.in.Packet(i)
		taken := false
		c := class(0) // of a packet that is dropped, nobody looks
		if drop, ok := u.admit(t.in.From(i).Addr()); !ok {
			u.dropped[drop].Add(1)
			taken = true
		} else {
			c = classify(pkt)
			u.count[c].Add(1)
		}
		if c == rtp && !u.media.closed.Load() {
			shown = true
			taken = t.tap.Packet(pkt, t.in.From(i))
		}
		t.taken, t.verdicts = append(t.taken, taken), append(t.verdicts, c)
		if taken && i == n-1 { // forwarding takes longer than to look once more: bursts stay together
			n = t.in.More()
		}
	}
	t.got = n
	if shown {
		t.tap.Done()
	}
}
