package bwe

// window sums bytes over the last 800 ms, by the sender's clock.
type window struct {
	slots [rateSlots]int32
	at    int64
	first int64
	last  int64
}

func (w *window) add(at int64, size int) {
	if w.last == 0 {
		w.first, w.at = at, at/rateSlot
	}
	w.advance(at)
	w.slots[w.at%rateSlots] += int32(size)
	w.last = max(w.last, at)
}

func (w *window) advance(at int64) {
	n := at / rateSlot
	if n-w.at >= rateSlots {
		w.slots, w.at = [rateSlots]int32{}, n
	}
	for w.at < n {
		w.at++
		w.slots[w.at%rateSlots] = 0
	}
}

// over is the bit/s of the last span µs before now.
func (w *window) over(now, span int64) float64 {
	w.advance(now)
	n := min(span/rateSlot, rateSlots)
	var bytes int64
	for i := range n {
		if w.at >= i {
			bytes += int64(w.slots[(w.at-i)%rateSlots])
		}
	}
	span = (n-1)*rateSlot + max(now-w.at*rateSlot, 0)
	return float64(bytes) * 8e6 / float64(max(min(span, now-w.first), rateSlot))
}
