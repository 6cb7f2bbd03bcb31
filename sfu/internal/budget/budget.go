package budget

import "time"

// Budget is what may be spent: it grows by one each so often, up to a depth. It is for one goroutine at a time.
type Budget struct {
	every time.Duration // for one; 0: no limit
	depth time.Duration // of a full bucket
	spent int64         // Unix nanoseconds: the bucket is as full as the time since then, or full
}

// New returns a full budget of depth, which gains rate a second. A rate of 0 is no limit.
func New(rate, depth int) Budget {
	if rate <= 0 {
		return Budget{}
	}
	every := time.Second / time.Duration(rate)
	return Budget{every: max(every, 1), depth: max(every, 1) * time.Duration(depth)}
}

// Every returns a full budget of depth, which gains one each so often.
func Every(d time.Duration, depth int) Budget {
	return Budget{every: d, depth: d * time.Duration(depth)}
}

// Take spends n if so much is there.
func (b *Budget) Take(now time.Time, n int) bool {
	if b.every == 0 {
		return true
	}
	at := now.UnixNano()
	from := b.since(at)
	if from += int64(n) * int64(b.every); from > at {
		return false
	}
	b.spent = from
	return true
}

// Full reports whether nothing is missing.
func (b *Budget) Full(now time.Time) bool {
	at := now.UnixNano()
	return b.every == 0 || b.since(at) == at-int64(b.depth)
}

// since returns spent where it counts: a bucket holds no more than its depth, and owes nothing to a clock that was set back.
func (b *Budget) since(at int64) int64 {
	if b.spent > at {
		b.spent = at
	}
	return max(b.spent, at-int64(b.depth))
}
