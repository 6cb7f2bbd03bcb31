package sfu

import (
	"errors"
	"math/rand/v2"
	"testing"
)

// queueOfBytes is a channel that nobody reads.
type queueOfBytes struct{ bytes int }

func (q *queueOfBytes) Send(b []byte) error    { q.bytes += len(b); return nil }
func (q *queueOfBytes) BufferedAmount() uint64 { return uint64(q.bytes) }

// TestFloodLeavesRoomForOthers: one sender that never stops takes half of a receiver's queue, and others' messages still go, before the
// channel is open and after.
func TestFloodLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	for _, open := range []bool{false, true} {
		d := &dataChannels{}
		q := &queueOfBytes{}
		if open {
			d.open[reliableChannel] = q
		}
		b := make([]byte, 1000)
		fill := func(from string) (n int) {
			for {
				switch _, err := d.send(from, b, true); {
				case err == nil:
					n += len(b)
				case errors.Is(err, ErrSlow):
					return n
				default:
					t.Fatal(err)
				}
			}
		}
		first, second, third := fill("flood"), fill("b"), fill("c")
		if first < reliableQueue/2-1000 || first > reliableQueue/2+1000 || second < reliableQueue/4-1000 || third < reliableQueue/8-1000 {
			t.Errorf("open %v: %d, %d and %d bytes wait", open, first, second, third)
		}
		if !open {
			continue
		}
		if q.bytes -= first; fill("flood") == 0 || fill("d") == 0 { // all of the first's has left
			t.Error("what has left still counts")
		}
		if q.bytes > reliableQueue {
			t.Errorf("%d bytes wait", q.bytes)
		}
	}
}

// TestSharesAddUp: whatever comes and leaves, the parts are those of what waits.
func TestSharesAddUp(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	var s shares
	var queue []string // a byte each
	for range 5000 {
		if rng.IntN(2) == 0 {
			from, n := string(rune('a'+rng.IntN(4))), 1+rng.IntN(20)
			s.add(from, n)
			for range n {
				queue = append(queue, from)
			}
		} else {
			n := rng.IntN(len(queue) + 1)
			queue = queue[n:]
			s.left(len(queue))
		}
		of := map[string]int{}
		for _, from := range queue {
			of[from]++
		}
		if s.bytes != len(queue) || len(of) != len(s.of) {
			t.Fatalf("%d bytes of %d senders, not %d of %d", s.bytes, len(s.of), len(queue), len(of))
		}
		for from, n := range of {
			if s.of[from] != n {
				t.Fatalf("%s has %d, not %d", from, s.of[from], n)
			}
		}
	}
}
