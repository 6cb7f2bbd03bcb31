package sfu

import (
	"testing"
	"unsafe"
)

// TestHotFields guards that what a packet needs of each who is shown it lies in few cache lines: with many receivers, or a machine that
// does other work in between, each line is fetched from far away, and that is most of what a packet costs here (BenchmarkVisit).
func TestHotFields(t *testing.T) {
	t.Parallel()
	const cacheLine = 64
	var k Sink
	var l Line
	var s slotLine
	var g leg
	var p Peer
	for name, c := range map[string]struct {
		first, end uintptr // of the fields
		lines      uintptr
	}{
		"Sink":     {unsafe.Offsetof(k.packets), unsafe.Offsetof(k.turning) + 1, 2},
		"Line":     {0, unsafe.Offsetof(l.cfg) + unsafe.Offsetof(l.cfg.even) + 1, 3},
		"slotLine": {0, unsafe.Offsetof(s.repair), 3}, // one packet needs one word of media's last two
		"leg":      {0, unsafe.Offsetof(g.gcm) + unsafe.Sizeof(g.gcm), 2},
		"downlink": {
			unsafe.Offsetof(p.downlink), unsafe.Offsetof(p.downlink) + unsafe.Offsetof(p.downlink.pacer) + 16, 2,
		},
	} {
		if n := (c.end-1)/cacheLine - c.first/cacheLine + 1; n > c.lines {
			t.Errorf("%s: bytes %d to %d are in %d lines, want %d", name, c.first, c.end, n, c.lines)
		}
	}
}
