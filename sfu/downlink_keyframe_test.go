package sfu

import (
	"testing"
	"time"
)

// A keyframe that takes its receiver's link for seconds comes through whole, though video goes on behind it: neither is the video
// paused for it, nor is it dropped for what it holds up.
func TestLongKeyframeComesThrough(t *testing.T) {
	t.Parallel()
	const packets = 150
	r, v := newViewedPlane(t)
	v.estimate(900_000, 1)
	var seq uint16
	r.frame(t, &seq, 1, true, packets)
	asked := r.pub.count.keyframesSent.Load()
	came := make(map[uint32]int) // by timestamp
	for picture, read := uint16(2), 0; picture < 500; picture++ {
		v.read(40 * time.Millisecond)
		v.peer.downlink.loop.Lock()
		v.peer.downlink.decreased = time.Now() // the link is known to be thin: nothing is tried
		v.peer.downlink.loop.Unlock()
		for ; read < len(v.pkts); read++ {
			if p := v.pkts[read]; p.SSRC != v.line.rtx {
				if came[p.Timestamp]++; came[p.Timestamp] == packets {
					return
				}
			}
		}
		n := r.pub.count.keyframesSent.Load()
		if n == asked {
			r.frame(t, &seq, picture, false, 1)
			continue
		}
		asked = n
		r.frame(t, &seq, picture, true, packets)
	}
	t.Error("no keyframe came whole")
}
