package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

func TestTransportFeedbackIsDue(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		since time.Duration
		held  int
		want  bool
	}{
		{time.Second, 0, false},
		{40 * time.Millisecond, 100, false},
		{50 * time.Millisecond, 19, false},
		{50 * time.Millisecond, 20, true},
		{99 * time.Millisecond, 5, false},
		{100 * time.Millisecond, 1, true},
	} {
		f := feedback{lastTransport: now.Add(-c.since)}
		if got := f.due(now, c.held); got != c.want {
			t.Errorf("%d packets after %v: %v", c.held, c.since, got)
		}
	}
}

func TestTransportNumbersThatJump(t *testing.T) {
	t.Parallel()
	var f feedback
	f.init(1)
	at := f.start
	record := func(seqs ...uint16) (reported int) {
		for _, s := range seqs {
			f.arrived(2, s, at)
			at = at.Add(time.Millisecond)
		}
		for _, p := range f.recorder.BuildFeedbackPacket() {
			reported += int(p.(*rtcp.TransportLayerCC).PacketStatusCount)
		}
		return reported
	}
	for _, c := range []struct {
		what string
		seqs []uint16
		want int // packets reported on, missing ones included
	}{
		{"the first", []uint16{65533, 65534}, 2},
		{"around the end, one missing", []uint16{65535, 1, 2}, 4},
		{"one forged", []uint16{30000, 3}, 1},
		{"forged, each elsewhere", []uint16{20000, 40000, 20000, 40000, 30000, 4}, 1},
		{"a new beginning", []uint16{20000, 20001, 20002, 20003}, 2},
		{"from there", []uint16{20004}, 1},
	} {
		if got := record(c.seqs...); got != c.want {
			t.Errorf("%s: %d reported, want %d", c.what, got, c.want)
		}
	}
}
