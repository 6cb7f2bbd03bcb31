package quality

import "time"

// Measure is what a score is made of. Shares are 0 to 1.
type Measure struct {
	Connected  bool
	RTT        time.Duration // 0: unknown
	LossToPeer float64
	LossOfPeer float64 // of what the peer sends
	Bare       bool    // pictures that are lost on the way to the peer are not sent again
	Limited    bool    // some video that it is shown is not what it asked for, for want of bandwidth
	Held       bool    // some video is paused for it
	Dead       bool    // a layer that it should send does not come
}

// Shares of loss from which a score is at most 4, 3, 2 and 1. What is sent again is hardly seen: 10 % of loss leave a picture of 28 frames a
// second and half a percent of the sound to invent (docs/media.md).
var (
	repairedLoss = [...]float64{0.02, 0.12, 0.25, 0.40}
	bareLoss     = [...]float64{0.01, 0.03, 0.06, 0.12}
)

// Score is from 1 (bad) to 5 (excellent). The worst of its parts decides.
func Score(m Measure) int {
	score := 5
	most := func(n int) { score = min(score, n) }
	steps := repairedLoss
	if m.Bare {
		steps = bareLoss
	}
	for i := range steps {
		if m.LossToPeer >= steps[i] || m.LossOfPeer >= repairedLoss[i] {
			most(4 - i)
		}
	}
	switch {
	case m.RTT >= time.Second:
		most(2)
	case m.RTT >= 500*time.Millisecond:
		most(3)
	case m.RTT >= 250*time.Millisecond:
		most(4)
	}
	switch {
	case !m.Connected:
		most(1)
	case m.Held:
		most(2)
	case m.Limited, m.Dead:
		most(3)
	}
	return score
}
