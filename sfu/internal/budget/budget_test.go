package budget

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestTake(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	b := New(10, 5)
	for i := range 5 {
		if !b.Take(now, 1) {
			t.Fatalf("take %d of a full bucket of 5", i)
		}
	}
	if b.Take(now, 1) || b.Take(now.Add(99*time.Millisecond), 1) {
		t.Error("took what is not there")
	}
	if !b.Take(now.Add(100*time.Millisecond), 1) {
		t.Error("one is there after a tenth of a second, whoever asked in between")
	}
	now = now.Add(time.Hour)
	if !b.Full(now) || b.Take(now, 6) || !b.Take(now, 5) || b.Full(now) || b.Take(now, 1) {
		t.Error("a bucket that has filled holds its depth")
	}
}

func TestNoLimit(t *testing.T) {
	t.Parallel()
	b := New(0, 0)
	if !b.Take(time.Time{}, math.MaxInt) || !b.Full(time.Time{}) {
		t.Error("a rate of 0 is no limit")
	}
}

func TestClockSetBack(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	b := Every(2*time.Second, 3)
	if !b.Take(now, 3) {
		t.Fatal("full")
	}
	now = now.Add(-time.Hour)
	if b.Take(now, 1) {
		t.Error("nothing is gained by it")
	}
	if !b.Take(now.Add(2*time.Second), 1) {
		t.Error("an hour is not waited for")
	}
}

// TestBound: whoever asks how often for whatever gets no more than the depth and the rate, and hardly less if he asks enough.
func TestBound(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	const rate, depth = 60_000, 30_000
	b, began := New(rate, depth), time.Unix(1_800_000_000, 0)
	now, taken := began, 0
	for range 20_000 {
		now = now.Add(time.Duration(rnd.IntN(10)) * time.Millisecond)
		if n := rnd.IntN(1500); b.Take(now, n) {
			taken += n
		}
		most := depth + int(now.Sub(began).Seconds()*rate*1.001) // whole nanoseconds for each
		if taken > most {
			t.Fatalf("%d taken of %d", taken, most)
		}
	}
	if most := int(now.Sub(began).Seconds() * rate); taken < most-2*1500 {
		t.Errorf("%d taken where %d were there", taken, most)
	}
}

func BenchmarkTake(b *testing.B) {
	bound, now := New(2_500_000, 2_500_000), time.Now()
	for b.Loop() {
		now = now.Add(time.Millisecond)
		bound.Take(now, 1200)
	}
}
