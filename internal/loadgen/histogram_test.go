package loadgen

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestBucketsAreInOrderAndTight(t *testing.T) {
	t.Parallel()
	last := -1
	for _, v := range []time.Duration{0, 1, 63, 64, 65, 127, 128, 129, 1000, 4095, 4096, 1e6, 1e9, time.Hour, math.MaxInt64} {
		b := bucketOf(v)
		if b < last || b >= buckets {
			t.Errorf("%d is in bucket %d after %d", v, b, last)
		}
		last = b
		if u := upper(b); u < v || float64(u-v) > float64(v)/50 {
			t.Errorf("bucket %d of %d ends at %d", b, v, u)
		}
		if b > 0 && upper(b-1) >= v {
			t.Errorf("%d belongs into the bucket before", v)
		}
	}
	if bucketOf(-5) != 0 {
		t.Error("a step of the clock is not counted as zero")
	}
}

func TestQuantiles(t *testing.T) {
	t.Parallel()
	var h histogram
	if got := h.summary(); got != (Quantiles{}) {
		t.Errorf("nothing counted: %+v", got)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var all []time.Duration
	for range 10_000 {
		d := time.Duration(random.ExpFloat64() * 5e6)
		all = append(all, d)
		h.add(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0.01, 0.5, 0.95, 0.99, 1} {
		want := all[int(math.Ceil(q*10_000))-1]
		if got := h.quantile(q); got < want || float64(got-want) > float64(want)/60 {
			t.Errorf("quantile %v: %v, want %v", q, got, want)
		}
	}
	if h.quantile(1) != all[len(all)-1] || h.summary().Count != 10_000 {
		t.Errorf("%+v, the largest is %v", h.summary(), all[len(all)-1])
	}
	h.reset()
	h.add(time.Second)
	if h.quantile(0.5) != time.Second || h.n != 1 {
		t.Errorf("after a reset: %v of %d", h.quantile(0.5), h.n)
	}
}
