package quality

import (
	"testing"
	"time"
)

func TestScore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		m    Measure
		want int
	}{
		{Measure{Connected: true}, 5},
		{Measure{}, 1},
		{Measure{Connected: true, RTT: 40 * time.Millisecond, LossToPeer: 0.01}, 5},
		{Measure{Connected: true, LossToPeer: 0.03}, 4},
		{Measure{Connected: true, LossOfPeer: 0.06}, 4},
		{Measure{Connected: true, LossToPeer: 0.10}, 4},
		{Measure{Connected: true, LossToPeer: 0.10, Bare: true}, 2},
		{Measure{Connected: true, LossOfPeer: 0.15}, 3},
		{Measure{Connected: true, LossOfPeer: 0.30, Bare: true}, 2},
		{Measure{Connected: true, LossOfPeer: 0.5, LossToPeer: 0.01}, 1},
		{Measure{Connected: true, RTT: 300 * time.Millisecond}, 4},
		{Measure{Connected: true, RTT: 2 * time.Second, Limited: true}, 2},
		{Measure{Connected: true, Limited: true}, 3},
		{Measure{Connected: true, Limited: true, Held: true}, 2},
		{Measure{Connected: true, Dead: true}, 3},
	} {
		if got := Score(c.m); got != c.want {
			t.Errorf("%+v: %d, want %d", c.m, got, c.want)
		}
	}
}
