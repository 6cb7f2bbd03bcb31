package bwesim

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/parley/parley/internal/netsim"
	"github.com/parley/parley/sfu/internal/bwe"
)

// TestRandomNetworks holds what is true in any network: bounds, counters that add up, a link that is used, and a queue that is not
// kept full where nobody else fills it.
func TestRandomNetworks(t *testing.T) {
	t.Parallel()
	n := uint64(40)
	if testing.Short() {
		n = 10
	}
	for seed := range n {
		rng := rand.New(rand.NewPCG(seed, 5))
		between := func(low, high float64) float64 { return low + rng.Float64()*(high-low) }
		ms := func(low, high float64) time.Duration {
			return time.Duration(between(low, high) * float64(time.Millisecond))
		}
		sc := Scenario{
			Length: 40 * time.Second, Delay: ms(1, 200), Queue: ms(50, 800), Every: ms(20, 250), Whole: rng.IntN(2) == 0,
			Jitter: ms(0, 30) * time.Duration(rng.IntN(2)), Reorder: rng.IntN(2) == 0,
			Loss:         netsim.Loss{Share: between(0, 0.08) * float64(rng.IntN(2)), Burst: between(1, 4)},
			FeedbackLoss: between(0, 0.1), Source: Source(rng.IntN(2)),
		}
		rate := between(0.5, 12)
		for at := time.Duration(0); at < 30*time.Second; at += ms(4_000, 15_000) {
			sc.Rate = append(sc.Rate, netsim.Step{At: at, Rate: rate * 1e6})
			rate = min(max(rate*between(0.4, 2.5), 0.4), 12)
		}
		est := bwe.New(bwe.Config{})
		r := Run(sc, est, seed)
		for _, s := range r.Trace {
			if s.Target < 30_000 || s.Target > 50_000_000 || s.Queue < 0 || s.Loss < 0 || s.Loss > 1 {
				t.Fatalf("seed %d: %+v", seed, s)
			}
		}
		if s := r.Stats; s.Malformed != 0 || s.Unknown != 0 && !sc.Reorder || s.ProbesUp > s.Probes { // what was overtaken is reported over and over
			t.Errorf("seed %d: %+v", seed, s)
		}
		over := 0 // samples with most of the queue full
		for _, s := range r.Trace {
			if s.Backlog > max(sc.Queue*2/3, 100*time.Millisecond) {
				over++
			}
		}
		if share := float64(over) / float64(len(r.Trace)); share > 0.2 {
			t.Errorf("seed %d: the queue was full in %.0f %% of the time: %+v", seed, 100*share, sc)
		}
		if r.Utilisation < 0.65 {
			t.Errorf("seed %d: used %.2f: %+v", seed, r.Utilisation, sc)
		}
	}
}
