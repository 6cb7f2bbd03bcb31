package sfu

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/parley/parley/sfu/internal/bwe"
	"github.com/parley/parley/sfu/quality"
)

// TestScoresSayWhatIsSeen is a table of impairments, of the picture that people see with them (docs/media.md), and of the scores that say
// so, for receivers that report once a second, that send many small reports besides, and that tell of each packet.
func TestScoresSayWhatIsSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		loss        float64
		rtt         time.Duration
		picture     string
		m           quality.Measure
		best, worst int
	}{
		{0, 20 * time.Millisecond, "30 frames of 720 lines", quality.Measure{}, 5, 5},
		{0.005, 20 * time.Millisecond, "30 frames of 720 lines", quality.Measure{}, 5, 4},
		{0.03, 20 * time.Millisecond, "30 frames of 720 lines", quality.Measure{}, 4, 4},
		{0.05, 20 * time.Millisecond, "30 frames of 720 lines, a percent of the sound to invent", quality.Measure{}, 4, 4},
		{0.08, 60 * time.Millisecond, "28 frames of 720 lines, a percent of the sound to invent", quality.Measure{}, 4, 4},
		{0.18, 60 * time.Millisecond, "20 frames, sound with holes", quality.Measure{}, 3, 3},
		{0.32, 60 * time.Millisecond, "freezes", quality.Measure{}, 2, 2},
		{0.55, 60 * time.Millisecond, "hardly anything", quality.Measure{}, 1, 1},
		{0.08, 60 * time.Millisecond, "a freeze for each frame that is torn", quality.Measure{Bare: true}, 2, 2},
		{0, 20 * time.Millisecond, "30 frames of 360 lines where 720 were asked for", quality.Measure{Limited: true}, 3, 3},
		{0, 20 * time.Millisecond, "sound without the picture", quality.Measure{Held: true}, 2, 2},
		{0, 700 * time.Millisecond, "people interrupt each other", quality.Measure{}, 3, 3},
	} {
		for _, reports := range []string{"each second", "many small", "transport-wide"} {
			t.Run(fmt.Sprintf("%g %%, %v, %s: %s", 100*c.loss, c.rtt, reports, c.picture), func(t *testing.T) {
				t.Parallel()
				scoreOver(t, c.loss, reports, func(now time.Time, share float64) {
					m := c.m
					m.Connected, m.RTT, m.LossToPeer = true, c.rtt, share
					if got := quality.Score(m); got > c.best || got < c.worst {
						t.Errorf("after %v: %d for %.1f %%, want %d to %d", now.Sub(time.Unix(1000, 0)), got, 100*share, c.worst, c.best)
					}
					if off := share - c.loss; off > 0.01+c.loss/2 || off < -0.01-c.loss/2 {
						t.Errorf("after %v: %.1f %% of %.1f are told", now.Sub(time.Unix(1000, 0)), 100*share, 100*c.loss)
					}
				})
			})
		}
	}
}

// scoreOver lets a receiver report on a minute of 150 packets a second, and calls look every two seconds.
func scoreOver(t *testing.T, loss float64, reports string, look func(now time.Time, share float64)) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(1000*loss), 3))
	now := time.Unix(1000, 0)
	d := &downlink{loop: &loop{}, reports: reportsREMB}
	l := &slotLine{video: true}
	var stats bwe.Stats
	seq, total, due := uint16(65000), uint32(0), now
	for i := range 60 * 150 {
		now = now.Add(time.Second / 150)
		seq++
		lost := rng.Float64() < loss
		switch {
		case reports == "transport-wide" && lost:
			stats.Lost++
		case reports == "transport-wide":
			stats.Acked++
		case lost:
			total++
		}
		switch {
		case reports == "transport-wide":
			d.reports = reportsTransport
			if i%8 == 0 {
				d.follow(now, stats)
			}
		case !now.Before(due), reports == "many small" && lost: // right when something is missing
			d.received(now, l, &rtcp.ReceptionReport{LastSequenceNumber: uint32(seq), TotalLost: total & 0xffffff}, 0)
			if !now.Before(due) {
				due = now.Add(time.Second)
			}
		}
		if i > 5*150 && i%300 == 0 {
			look(now, d.loss.share(now))
		}
	}
}
