package quality

import "time"

// Measure is what a score is made of. Shares are 0 to 1.
type Measure struct {
	Connected  bool
	RTT        time.Duration // 0: unknown
	LossToPeer float64
	LossOfPeer float64 // of what the peer sends
	Limited    bool    // some video that it is shown is not what it asked for, for want of bandwidth
	Held       bool    // some video is paused for it
	Dead       bool    // a layer that it should send does not come
}

// Score is from 1 (bad) to 5 (excellent). The worst of its parts decides.
func Score(m Measure) int {
	score := 5
	most := func(n int) { score = min(score, n) }
	switch loss := max(m.LossToPeer, m.LossOfPeer); {
	case loss >= 0.20:
		most(1)
	case loss >= 0.10:
		most(2)
	case loss >= 0.05:
		most(3)
	case loss >= 0.02:
		most(4)
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
