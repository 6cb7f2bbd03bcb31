package sfu

import "github.com/parley/parley/sfu/internal/ring"

// evenMost is by how many bytes a packet is lengthened at most.
const evenMost = 4

// even makes packets of one frame equal in length by RTP padding (RFC 3550, section 5.1), where they differ by a few bytes: encoders
// split a frame into parts that differ by one, and only datagrams of one length leave as one GSO run. It costs less than half a
// percent of the bytes and saves every other run. Packets with dependency descriptors are left alone: these differ in length, too.
func even(r *ring.Ring, batch []uint16) {
	for len(batch) > 1 {
		first := r.Slot(batch[0])
		shortest, longest, n := len(first.Payload()), len(first.Payload()), 1
		for ; n < len(batch); n++ {
			s := r.Slot(batch[n])
			low, high := min(shortest, len(s.Payload())), max(longest, len(s.Payload()))
			if s.Timestamp != first.Timestamp || high-low > evenMost {
				break
			}
			shortest, longest = low, high
		}
		for i, index := range batch[:n] {
			s := r.Slot(index)
			if last := i == n-1; !last { // the last one of a run may be shorter
				s.SetPadding(longest - len(s.Payload()))
			}
		}
		batch = batch[n:]
	}
}
