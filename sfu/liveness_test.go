package sfu

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestStoppedServerFindsNoLayerDead: what came while the process was not let run is read afterwards, one layer after the other, and none is
// dead for having to wait for its turn.
func TestStoppedServerFindsNoLayerDead(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 4))
		p, v := newPublisher(t, 3), &viewer{}
		p.src.Attach(p.now, newVideoLine(v), 1280, 720)
		frame := func(layer int) { p.src.Receive(p.now, layer, p.encode(layer, false)...) }
		for layer := range 3 {
			p.src.Receive(p.now, layer, p.encode(layer, true)...)
		}
		for range 40 {
			for range 10 {
				p.tick()
				for layer := range 3 {
					frame(layer)
				}
			}
			stopped := 100 + rng.IntN(300) // ms
			p.now = p.now.Add(time.Duration(stopped) * time.Millisecond)
			for layer := range 3 {
				for range stopped / 33 {
					frame(layer)
				}
				p.src.Tick(p.now)
				for i, l := range p.src.streams {
					if !l.live {
						t.Fatalf("seed %d: layer %d is dead after %d ms, when %d was read", seed, i, stopped, layer)
					}
				}
			}
		}
	}
}
