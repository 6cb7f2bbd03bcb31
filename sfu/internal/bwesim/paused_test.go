package bwesim

import (
	"strings"
	"testing"
	"time"
)

// TestNoLongPauses: on a link that has become thin, after loss or not, the picture comes back soon: sound that is repeated yields to it, and
// it is probed for with what it takes.
func TestNoLongPauses(t *testing.T) {
	t.Parallel()
	seeds := uint64(20)
	if testing.Short() {
		seeds = 4
	}
	for _, sc := range Scenarios() {
		if !strings.HasPrefix(sc.Name, "layers, redundant sound") {
			continue
		}
		t.Run(sc.Name, func(t *testing.T) {
			t.Parallel()
			longest := [2]time.Duration{}
			for seed := range seeds {
				for i := range longest {
					sc.Greedy = i == 1
					r := Run(sc, sc.Reports.Estimator(), seed)
					longest[i] = max(longest[i], r.Paused)
				}
			}
			t.Logf("paused for %v at most, %v where sound does not yield", longest[0], longest[1])
			if longest[0] > time.Second {
				t.Errorf("paused for %v", longest[0])
			}
		})
	}
}
