package nack

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

func TestGraceThenRetries(t *testing.T) {
	t.Parallel()
	var tr Tracker
	if !tr.Gap(start, 65535, 65537) {
		t.Fatal("refused")
	}
	type ask struct {
		ms   int64
		seqs string
	}
	var got []ask
	early := int64(0)
	for ms := range int64(10000) {
		now := start.Add(time.Duration(ms) * time.Millisecond)
		if ms == 150 {
			tr.Arrived(now, 65536)
			tr.Arrived(now, 1)
		}
		seqs, lost := tr.Due(now, 100*time.Millisecond)
		if len(seqs) > 0 {
			got = append(got, ask{ms, fmt.Sprint(seqs)})
		}
		if lost && ms < 600 {
			early = ms
		} else if lost {
			got = append(got, ask{ms, "lost"})
		}
	}
	first := got[0]
	if early < 300 || early > 500 {
		t.Errorf("told after %d ms that decoders wait", early)
	}
	if first.ms != 10 || first.seqs != "[65535 0 1]" {
		t.Errorf("first %v", first)
	}
	if got[1].ms != 120 || got[2].ms != 255 || got[2].seqs != "[65535 1]" {
		t.Errorf("then %v", got[1:3])
	}
	if last := got[len(got)-1]; last.seqs != "lost" || last.ms < 1000 || last.ms > 1500 || len(got) != 7 || tr.Outstanding() != 0 {
		t.Errorf("in the end %v of %d", last, len(got))
	}
}

func TestTooManyAreForgotten(t *testing.T) {
	t.Parallel()
	var tr Tracker
	if tr.Gap(start, 1, 101) {
		t.Error("101 at once")
	}
	for n := uint64(0); n < 100; n += 10 {
		if !tr.Gap(start, 1000+2*n, 1009+2*n) {
			t.Fatal("refused within the limit")
		}
	}
	if tr.Gap(start, 5000, 5000) || tr.Outstanding() != 0 {
		t.Error("101 in all")
	}
	if seqs, lost := tr.Due(start.Add(time.Minute), 0); len(seqs) > 0 || lost {
		t.Error("asks for what was forgotten")
	}
}

// A lossy, reordering link whose retransmissions are lost, too: all arrives in the end, nothing is asked for that was only
// reordered, and little twice.
func TestLossySimulation(t *testing.T) {
	t.Parallel()
	for _, loss := range []float64{0, 0.03, 0.1, 0.3} {
		rnd := rand.New(rand.NewPCG(7, uint64(loss*100)))
		const rtt, total = 60 * time.Millisecond, 20000
		var tr Tracker
		type arrival struct {
			at  time.Time
			num uint64
		}
		var wire []arrival
		send := func(now time.Time, num uint64) {
			if rnd.Float64() >= loss {
				jitter := time.Duration(rnd.IntN(15)) * time.Millisecond
				wire = append(wire, arrival{now.Add(rtt/2 + jitter), num})
			}
		}
		got := make(map[uint64]bool)
		asked, needless, next, newest := 0, 0, uint64(1), uint64(0)
		for ms := 0; next <= total || ms < total+3000; ms++ {
			now := start.Add(time.Duration(ms) * time.Millisecond)
			if next <= total {
				send(now, next)
				next++
			}
			slices.SortFunc(wire, func(a, b arrival) int { return a.at.Compare(b.at) })
			for len(wire) > 0 && !wire[0].at.After(now) {
				num := wire[0].num
				wire = wire[1:]
				got[num] = true
				switch {
				case newest == 0 || num == newest+1:
					newest = num
				case num > newest:
					tr.Gap(now, newest+1, num-1)
					newest = num
				default:
					tr.Arrived(now, num)
				}
			}
			seqs, _ := tr.Due(now, rtt)
			for _, s := range seqs {
				asked++
				if got[uint64(s)] {
					needless++
				}
				send(now.Add(rtt/2), uint64(s))
			}
		}
		missing := 0
		for n := uint64(1); n <= newest; n++ {
			if !got[n] && n > 10 {
				missing++
			}
		}
		if limit := int(total * math.Pow(loss, 8)); missing > limit || needless > 0 {
			t.Errorf("loss %v: %d missing, %d needless", loss, missing, needless)
		}
		if limit := int(total * loss / (1 - loss) * 1.3); asked > limit {
			t.Errorf("loss %v: asked %d times, want at most %d", loss, asked, limit)
		}
	}
}

func TestSpacing(t *testing.T) {
	t.Parallel()
	if d := spacing(0, firstGrace, 0); d != defaultRTT+firstGrace {
		t.Errorf("unknown: %v", d)
	}
	if d := spacing(time.Millisecond, minGrace, 0); d != time.Millisecond+minGrace {
		t.Errorf("short: %v", d)
	}
	if d := spacing(time.Hour, minGrace, 9); d != maxSpacing {
		t.Errorf("long: %v", d)
	}
}

func TestDueDoesNotAllocate(t *testing.T) {
	var tr Tracker
	now, n := start, uint64(0)
	f := func() {
		n += 2
		tr.Gap(now, n, n)
		now = now.Add(30 * time.Millisecond)
		tr.Due(now, 0)
		tr.Arrived(now, n)
	}
	f()
	if a := testing.AllocsPerRun(100, f); a != 0 {
		t.Errorf("%v allocations", a)
	}
}

func TestClockSetBack(t *testing.T) {
	t.Parallel()
	var tr Tracker
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	tr.Gap(now, 1, 3)
	now = now.Add(-time.Hour)
	if seqs, lost := tr.Due(now, 0); len(seqs) > 0 || !lost || tr.Outstanding() > 0 {
		t.Errorf("%v, lost %v, %d outstanding", seqs, lost, tr.Outstanding())
	}
	tr.Gap(now, 10, 10)
	if seqs, _ := tr.Due(now.Add(50*time.Millisecond), 0); len(seqs) != 1 {
		t.Errorf("%v is asked for", seqs)
	}
}
