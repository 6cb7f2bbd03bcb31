package sfu

import "testing"

// TestHistoryGrowsToASecond: what the rings still hold can be sent again, and slow lines keep less.
func TestHistoryGrowsToASecond(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ perSecond, size, kept, first int }{
		{100, 128, 100, 65000}, {180, 256, 180, 65000}, {400, 512, 400, 65013}, {4000, mostHistory, mostHistory, 65000},
	} {
		h := newHistory(videoHistory, uint16(tt.first-1))
		var last uint16
		for i := range 3 * tt.perSecond {
			last = uint16(tt.first + i)
			h.put(sent{serial: uint64(i + 1), seq: last, timestamp: uint32(i * videoRate / tt.perSecond)}, videoRate)
		}
		if len(h.packets) != tt.size {
			t.Errorf("%d a second: %d are kept", tt.perSecond, len(h.packets))
		}
		for i := range tt.kept {
			if e := h.find(last - uint16(i)); e == nil || e.serial != uint64(3*tt.perSecond-i) {
				t.Fatalf("%d a second: the %d. is gone", tt.perSecond, i)
			}
		}
	}
}

// TestHistoryHoldsABurst: of what comes at once, a keyframe that waits for a slow link, nothing is forgotten, whatever its first number is,
// where numbers are missing and where some were given back.
func TestHistoryHoldsABurst(t *testing.T) {
	t.Parallel()
	for first := range uint16(2 * lookAhead) {
		h := newHistory(videoHistory, first-1)
		missing := func(seq uint16) bool { return seq%16 == first%16 }
		for seq := first; seq != first+100; seq++ {
			h.put(sent{serial: 1, seq: seq, timestamp: 7}, videoRate)
		}
		for seq := first; seq != first+400; seq++ {
			if !missing(seq) {
				h.put(sent{serial: 2, seq: seq, timestamp: 7}, videoRate)
			}
		}
		for seq := first; seq != first+400; seq++ {
			if e := h.find(seq); !missing(seq) && (e == nil || e.serial != 2) {
				t.Fatalf("from %d: %d is gone", first, seq)
			}
		}
	}
}
