package main

import "testing"

func TestMemoryIsGivenBackAfterBursts(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	var h heap
	for i, step := range []struct {
		allocated, objects, free, live uint64
		want                           bool
	}{
		{5 * mb, 5 * mb, mb, 3 * mb, false},         // the start
		{40 * mb, 20 * mb, 6 * mb, 8 * mb, false},   // people join
		{80 * mb, 22 * mb, 9 * mb, 12 * mb, false},  // and join
		{80*mb + 1, 24 * mb, 9 * mb, 12 * mb, true}, // it is over
		{80*mb + 2, 12 * mb, 6 * mb, 12 * mb, false},
		{80*mb + 3, 12 * mb, 6 * mb, 12 * mb, false}, // what is left is the allocator's
		{82 * mb, 14 * mb, 6 * mb, 12 * mb, false},
		{84 * mb, 16 * mb, 6 * mb, 12 * mb, false}, // steadily, as ever: the collector will see to it
		{98 * mb, 20 * mb, 0, 18 * mb, false},      // another burst
		{98*mb + 1, 20 * mb, 0, 18 * mb, false},    // of what is still in use
		{120 * mb, 30 * mb, 0, 18 * mb, false},
		{120 * mb, 30 * mb, 0, 18 * mb, true},
	} {
		if got := h.due(step.allocated, step.objects, step.free, step.live); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
}
