package bwe

const (
	rateSlot  = 25_000 // µs of the receiver's clock
	rateSlots = 32
)

// arrivals measures how fast packets arrive: all of them, and those that a busy bottleneck let out one after another.
type arrivals struct {
	slots  [rateSlots]arrivalSlot
	at     int64 // the newest slot
	first  int64 // arrival of the first packet
	last   int64 // arrival of the newest packet
	burst  float64
	bursts burst
	done   [4]burst // those before, a ring
	dones  int
	any    bool
}

type arrivalSlot struct {
	bytes     int32
	lost      int32 // bytes that were to arrive then
	busyBytes int32
	busyTime  int32 // µs
}

// burst is a run of packets that left together; the spacing they arrive with shows the bottleneck's rate.
type burst struct {
	sentAt, from, to int64
	bytes            int64 // all but the first packet's
	packets          int
}

// rate is the bit/s that a burst came through at.
func (b *burst) rate() float64 { return float64(b.bytes) * 8e6 / float64(max(b.to-b.from, deltaUnit)) }

// fastest is the rate of the fastest of the last bursts sent since then, and their number.
func (a *arrivals) fastest(since int64) (rate float64, n int) {
	for i := range a.done {
		if b := &a.done[i]; b.packets > 0 && b.sentAt >= since {
			rate, n = max(rate, b.rate()), n+1
		}
	}
	if b := &a.bursts; b.packets >= 3 && b.sentAt >= since {
		rate, n = max(rate, b.rate()), n+1
	}
	return rate, n
}

// packet takes one that arrived. Busy means that it queued behind the packet before it.
func (a *arrivals) packet(arrivedAt int64, size int, busy bool) {
	if !a.any {
		a.any, a.at, a.first, a.last = true, arrivedAt/rateSlot, arrivedAt, arrivedAt
	}
	gap := arrivedAt - a.last
	s := a.slot(arrivedAt)
	if s == nil {
		return
	}
	s.bytes += int32(size)
	if busy && gap < 1_000_000 { // one that was overtaken took its time before
		s.busyBytes += int32(size)
		s.busyTime += int32(max(gap, 0))
	}
	a.last = max(a.last, arrivedAt)
}

// missed takes a packet that did not arrive, where the one before it did.
func (a *arrivals) missed(size int) {
	if !a.any {
		return
	}
	if s := a.slot(a.last); s != nil {
		s.lost += int32(size)
	}
}

// gone is what was lost in the last span µs, in bytes of what arrived.
func (a *arrivals) gone(span int64) float64 {
	var bytes, lost int64
	for i := range min(span/rateSlot, rateSlots) {
		if a.at-i >= 0 {
			s := &a.slots[(a.at-i)%rateSlots]
			bytes += int64(s.bytes)
			lost += int64(s.lost)
		}
	}
	return float64(lost) / float64(max(bytes, 1))
}

// slot returns the one for a time, or nil where that is too long ago.
func (a *arrivals) slot(at int64) *arrivalSlot {
	n := at / rateSlot
	if n <= a.at-rateSlots || n < 0 {
		return nil
	}
	if n-a.at >= rateSlots {
		a.slots = [rateSlots]arrivalSlot{}
		a.at = n
	}
	for a.at < n {
		a.at++
		a.slots[a.at%rateSlots] = arrivalSlot{}
	}
	return &a.slots[n%rateSlots]
}

// restart forgets all: the receiver's clock has changed.
func (a *arrivals) restart() { *a = arrivals{burst: a.burst} }

// over returns the bit/s that arrived in the last span µs, and the bit/s while the bottleneck was busy, 0 where that was for too
// short a time to tell.
func (a *arrivals) over(span int64) (rate, busy float64) {
	if !a.any {
		return 0, 0
	}
	var bytes, busyBytes, busyTime int64
	n := min(span/rateSlot, rateSlots)
	for i := range n {
		if s := a.slots[max(a.at-i, 0)%rateSlots]; a.at-i >= 0 {
			bytes += int64(s.bytes)
			busyBytes += int64(s.busyBytes)
			busyTime += int64(s.busyTime)
		}
	}
	// The newest slot is full up to the newest packet.
	span = (n-1)*rateSlot + a.last - a.at*rateSlot
	span = max(min(span, a.last-a.first), rateSlot)
	rate = float64(bytes) * 8e6 / float64(span)
	if busyTime >= 20_000 && busyBytes > 0 {
		busy = float64(busyBytes) * 8e6 / float64(busyTime)
	}
	return rate, busy
}

// together takes packets for the rate at which bursts come through. It smooths over some bursts.
func (a *arrivals) together(sentAt, arrivedAt int64, size int) {
	b := &a.bursts
	if sentAt-b.sentAt > 1_500 || sentAt < b.sentAt {
		if b.packets >= 3 {
			a.done[a.dones%len(a.done)] = *b
			a.dones++
			rate := b.rate()
			if a.burst == 0 {
				a.burst = rate
			}
			a.burst += (rate - a.burst) / 4
		}
		*b = burst{sentAt: sentAt, from: arrivedAt, to: arrivedAt, packets: 1}
		return
	}
	b.packets++
	b.bytes += int64(size)
	b.to = max(b.to, arrivedAt)
}
