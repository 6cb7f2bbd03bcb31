package sfu

import "testing"

// TestHistoryGrowsToASecond: what the rings still hold can be sent again, and slow lines keep less.
func TestHistoryGrowsToASecond(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ perSecond, size, kept int }{{100, 128, 100}, {180, 256, 180}, {400, 512, 400}, {4000, mostHistory, mostHistory}} {
		h := make(history, videoHistory)
		var last uint16
		for i := range 3 * tt.perSecond {
			last = uint16(65000 + i)
			h.put(sent{serial: uint64(i + 1), seq: last, timestamp: uint32(i * videoRate / tt.perSecond)}, videoRate)
		}
		if len(h) != tt.size {
			t.Errorf("%d a second: %d are kept", tt.perSecond, len(h))
		}
		for i := range tt.kept {
			if e := h.find(last - uint16(i)); e == nil || e.serial != uint64(3*tt.perSecond-i) {
				t.Fatalf("%d a second: the %d. is gone", tt.perSecond, i)
			}
		}
	}
}
