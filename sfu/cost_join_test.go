//go:build linux

package sfu

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestJoinCost tells what a viewer costs who joins, and who then does nothing: no media flows.
// go test ./sfu -run TestJoinCost -v -args -cost
func TestJoinCost(t *testing.T) {
	if !*costFlag {
		t.Skip("only with -args -cost")
	}
	for name := range strings.SplitSeq(*costPlanes, ",") {
		measureJoins(t, Plane(name))
	}
}

func measureJoins(t *testing.T, plane Plane) {
	const warm, joins = 5, 50
	r := startCost(t, plane)
	defer r.close()
	var clients []*costClient
	defer func() {
		for _, c := range clients {
			c.close()
		}
	}()
	clients = append(clients, newCostClient(t, r, 0, false))
	for range warm {
		clients = append(clients, newCostClient(t, r, 0, true))
	}
	<-time.After(time.Second)
	a := r.do(costRequest{Stats: true, Memory: true})
	var took []time.Duration
	for range joins {
		at := time.Now()
		clients = append(clients, newCostClient(t, r, 0, true))
		took = append(took, time.Since(at))
	}
	b := r.do(costRequest{Stats: true})
	<-time.After(parkAfter + time.Second)
	c := r.do(costRequest{Stats: true})
	held := r.do(costRequest{Stats: true, Memory: true})
	slices.Sort(took)
	t.Logf("%-8s a join: %v CPU, %d KiB and %d objects allocated, %v until connected (p95 %v); "+
		"a viewer: %d KiB RSS (heap %d, stacks %d), %.1f goroutines, %v CPU a second",
		plane, ((b.CPU - a.CPU) / joins).Round(10*time.Microsecond), (b.Allocated-a.Allocated)/joins>>10, (b.Objects-a.Objects)/joins,
		took[joins/2].Round(100*time.Microsecond), took[joins*95/100].Round(100*time.Microsecond),
		(held.RSS-a.RSS)/joins, (int(held.Heap)-int(a.Heap))/joins>>10, (int(held.Stacks)-int(a.Stacks))/joins>>10,
		float64(held.Goroutines-a.Goroutines)/joins, ((c.CPU - b.CPU) / 4 / (joins + warm + 1)).Round(time.Microsecond))
}
