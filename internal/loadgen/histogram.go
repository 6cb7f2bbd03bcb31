package loadgen

import (
	"math/bits"
	"time"
)

// Values up to 2^linearBits ns are counted exactly, above in 2^linearBits steps an octave: within 1.6 %.
const (
	linearBits = 6
	buckets    = (64 - linearBits) << linearBits
)

// histogram counts durations with a bounded relative error. Its zero value is empty. It has no lock.
type histogram struct {
	counts []uint32 // made with the first value
	n      uint64
	top    time.Duration
}

func bucketOf(d time.Duration) int {
	v := uint64(max(d, 0))
	if v < 1<<linearBits {
		return int(v)
	}
	octave := bits.Len64(v) - 1 - linearBits
	return (octave+1)<<linearBits + int(v>>octave) - 1<<linearBits
}

// upper is the largest duration of a bucket.
func upper(bucket int) time.Duration {
	if bucket < 1<<linearBits {
		return time.Duration(bucket)
	}
	octave := bucket>>linearBits - 1
	low := uint64(bucket&(1<<linearBits-1)+1<<linearBits) << octave
	return time.Duration(low + 1<<octave - 1)
}

// add counts one duration. One below zero, after a step of the clock, counts as zero.
func (h *histogram) add(d time.Duration) {
	if h.counts == nil {
		h.counts = make([]uint32, buckets)
	}
	h.counts[bucketOf(d)]++
	h.n++
	h.top = max(h.top, d)
}

// quantile is the smallest duration that at least the share q of all does not exceed, 0 when nothing was counted.
func (h *histogram) quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	want := max(uint64(q*float64(h.n)+0.999999), 1)
	var seen uint64
	for i, c := range h.counts {
		if seen += uint64(c); seen >= want {
			return min(upper(i), h.top)
		}
	}
	return h.top
}

func (h *histogram) reset() {
	clear(h.counts)
	h.n, h.top = 0, 0
}

// Quantiles sums up durations, in milliseconds.
type Quantiles struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50_ms"`
	P95   float64 `json:"p95_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

func (h *histogram) summary() Quantiles {
	return Quantiles{
		Count: h.n,
		P50:   millis(h.quantile(0.5)), P95: millis(h.quantile(0.95)), P99: millis(h.quantile(0.99)), Max: millis(h.top),
	}
}

func millis(d time.Duration) float64 { return float64(d.Round(time.Microsecond)) / 1e6 }
