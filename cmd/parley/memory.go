package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"time"
)

// A join allocates a multiple of what it keeps, and a server in which nobody joins allocates next to nothing: the collector
// would let the rest lie for minutes. So it is told to run once when a burst is over, and sooner within one: at half as much
// garbage as lives, where Go's default is as much.

const (
	garbagePercent = 50 // GOGC, unless it is set

	memoryCheck = 3 * time.Second
	worthwhile  = 4 << 20 // bytes that are garbage or free, and more than a quarter of what lives
)

// heap decides when to collect: pure, fed every memoryCheck. The zero value is ready.
type heap struct {
	allocated uint64 // in all, at the last look
	burst     bool   // one is under way, or has not been cleared up
}

// due reports whether to collect now, given the bytes allocated since the start, those of the heap in use by objects (dead
// ones included), its free ones that the system does not have back, and those that were live after the last collection.
func (h *heap) due(allocated, objects, free, live uint64) bool {
	grown := allocated - h.allocated
	h.allocated = allocated
	if grown > max(worthwhile, live)/4 { // reports and checks of those who are there are far less
		h.burst = true
		return false
	}
	idle := free
	if objects > live {
		idle += objects - live
	}
	if !h.burst || idle < worthwhile || idle < live/4 {
		return false
	}
	h.burst = false
	return true
}

// release collects three times. What pools hold goes with the second, and each halves the stacks that grew for the handshakes.
func release() {
	for range 2 {
		runtime.GC()
	}
	debug.FreeOSMemory()
}

// tidy gives memory back to the system after bursts, until ctx ends.
func tidy(ctx context.Context) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	samples := []runtimemetrics.Sample{
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/gc/heap/live:bytes"},
	}
	tick := time.NewTicker(memoryCheck)
	defer tick.Stop()
	var h heap
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			runtimemetrics.Read(samples)
			var v [4]uint64
			for i, s := range samples {
				v[i] = s.Value.Uint64()
			}
			if h.due(v[0], v[1], v[2], v[3]) {
				release()
			}
		}
	}
}
