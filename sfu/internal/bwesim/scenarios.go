package bwesim

import (
	"fmt"
	"time"

	"github.com/parley/parley/internal/netsim"
)

func constant(mbit float64) []netsim.Step { return []netsim.Step{{Rate: mbit * 1e6}} }

// steps are rates in Mb/s that change after so many seconds each.
func steps(seconds int, mbit ...float64) []netsim.Step {
	var out []netsim.Step
	for i, r := range mbit {
		out = append(out, netsim.Step{At: time.Duration(i*seconds) * time.Second, Rate: r * 1e6})
	}
	return out
}

// Scenarios are all that the table shows.
func Scenarios() []Scenario {
	const ms = time.Millisecond
	var out []Scenario
	for _, rate := range []float64{0.3, 1, 3, 10} {
		for _, delay := range []time.Duration{20 * ms, 100 * ms, 300 * ms} {
			out = append(out, Scenario{
				Name: fmt.Sprintf("constant %g Mb/s, %d ms", rate, delay/ms), Rate: constant(rate), Delay: delay,
			})
		}
	}
	add := func(name string, s Scenario) {
		s.Name = name
		if s.Delay == 0 {
			s.Delay = 25 * ms
		}
		out = append(out, s)
	}
	for _, rate := range []float64{0.3, 0.5, 1, 3, 10} {
		add(fmt.Sprintf("layers, %g Mb/s", rate), Scenario{Source: Layered, Rate: constant(rate)})
	}
	add("step 3, 1.5, 3 Mb/s", Scenario{Rate: steps(20, 3, 1.5, 3)})
	add("step 10, 5, 10 Mb/s", Scenario{Rate: steps(20, 10, 5, 10)})
	add("step 2, 1, 2 Mb/s, 100 ms", Scenario{Rate: steps(20, 2, 1, 2), Delay: 100 * ms})
	add("step 10, 0.5, 10 Mb/s", Scenario{Rate: steps(20, 10, 0.5, 10)})
	add("layers, step 10, 0.5, 10 Mb/s", Scenario{Source: Layered, Rate: steps(20, 10, 0.5, 10)})
	add("layers, step 3, 1, 3 Mb/s", Scenario{Source: Layered, Rate: steps(20, 3, 1, 3)})
	add("layers, step 50, 0.5, 50 Mb/s, whole frames", Scenario{Source: Layered, Rate: steps(20, 50, 0.5, 50), Whole: true})
	add("layers, 1 Mb/s, whole frames", Scenario{Source: Layered, Rate: constant(1), Whole: true})
	add("layers, 2.5 Mb/s, whole frames, jitter 30 ms", Scenario{Source: Layered, Rate: constant(2.5), Whole: true, Jitter: 30 * ms})
	for _, loss := range []float64{0.01, 0.03, 0.05, 0.10} {
		add(fmt.Sprintf("3 Mb/s, %g %% loss", loss*100), Scenario{Rate: constant(3), Loss: netsim.Loss{Share: loss}})
	}
	add("10 Mb/s, 5 % loss in bursts", Scenario{Rate: constant(10), Loss: netsim.Loss{Share: 0.05, Burst: 5}})
	add("3 Mb/s, 5 % loss in bursts", Scenario{Rate: constant(3), Loss: netsim.Loss{Share: 0.05, Burst: 5}})
	add("layers, 10 Mb/s, 5 % loss", Scenario{Source: Layered, Rate: constant(10), Loss: netsim.Loss{Share: 0.05}})
	add("layers, 10 Mb/s, 10 % loss", Scenario{Source: Layered, Rate: constant(10), Loss: netsim.Loss{Share: 0.10}})
	add("3 Mb/s, jitter 30 ms", Scenario{Rate: constant(3), Jitter: 30 * ms})
	add("3 Mb/s, jitter 30 ms, overtaking", Scenario{Rate: constant(3), Jitter: 30 * ms, Reorder: true})
	add("layers, 3 Mb/s, 100 ms, jitter 30 ms", Scenario{Source: Layered, Rate: constant(3), Delay: 100 * ms, Jitter: 30 * ms})
	add("layers, 10 Mb/s, 10 % loss, 30 ms jitter", Scenario{Source: Layered, Rate: constant(10), Jitter: 30 * ms, Loss: netsim.Loss{Share: 0.1}})
	for _, turn := range []struct {
		name string
		turn Turn
	}{
		{"100 ms longer", Turn{Delay: 100 * ms}},
		{"100 ms longer, jitter 30 ms each way", Turn{Delay: 70 * ms, Jitter: 60 * ms}}, // 100 ms more or less 30, in order
		{"100 ms longer, jitter 30 ms each way, overtaking", Turn{Delay: 70 * ms, Jitter: 60 * ms, Reorder: true}},
		{"jitter 30 ms", Turn{Jitter: 30 * ms}},
		{"30 ms longer, 10 % loss", Turn{Delay: 30 * ms, Loss: netsim.Loss{Share: 0.1}}},
		{"3 % loss", Turn{Loss: netsim.Loss{Share: 0.03}}},
	} {
		turn.turn.At = 12 * time.Second
		add("layers, turns "+turn.name, Scenario{Source: Layered, Whole: true, Rate: constant(50), Delay: ms, Turn: turn.turn})
	}
	add("TCP beside, 4 Mb/s", Scenario{Rate: constant(4), TCP: 10 * time.Second, TCPEnd: 50 * time.Second})
	add("TCP beside, 4 Mb/s, queue 100 ms", Scenario{Rate: constant(4), TCP: 10 * time.Second, TCPEnd: 50 * time.Second, Queue: 100 * ms})
	add("layers, TCP beside, 3 Mb/s", Scenario{Source: Layered, Rate: constant(3), TCP: 10 * time.Second, TCPEnd: 50 * time.Second})
	add("flapping 5 s, 3 and 0.6 Mb/s", Scenario{Rate: steps(5, 3, 0.6, 3, 0.6, 3, 0.6, 3, 0.6, 3, 0.6, 3, 0.6)})
	add("flapping 2 s, 3 and 1 Mb/s", Scenario{Rate: steps(2, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3), Length: 28 * time.Second})
	add("link down for 2 s", Scenario{Rate: []netsim.Step{{Rate: 3e6}, {At: 20 * time.Second}, {At: 22 * time.Second, Rate: 3e6}}})
	add("tiny queue, 3 Mb/s, 10 ms", Scenario{Rate: constant(3), Queue: 10 * ms})
	add("3 Mb/s, queue 1 s", Scenario{Rate: constant(3), Queue: time.Second})
	add("3 Mb/s, feedback each 10 ms", Scenario{Rate: constant(3), Every: 10 * ms})
	add("3 Mb/s, feedback each 250 ms", Scenario{Rate: constant(3), Every: 250 * ms})
	add("3 Mb/s, 20 % of feedback lost", Scenario{Rate: constant(3), FeedbackLoss: 0.2})
	add("3 Mb/s, receiver's clock jumps 5 s", Scenario{Rate: constant(3), ClockJump: 5 * time.Second})
	add("3 Mb/s, receiver's clock jumps back 5 s", Scenario{Rate: constant(3), ClockJump: -5 * time.Second})
	add("layers, 3 Mb/s, nothing sent for 30 s, feedback lost", Scenario{
		Source: Layered, Rate: constant(3), FeedbackLoss: 0.3, Pause: Span{10 * time.Second, 40 * time.Second},
	})
	add("sound only, 0.3 Mb/s", Scenario{Source: Sound, Rate: constant(0.3)})
	redundant(add)
	stalls(add)
	others(add)
	return out
}

// redundant are of sound that is repeated, on a link that becomes thin.
func redundant(add func(name string, s Scenario)) {
	for _, thin := range []float64{0.3, 0.2} {
		down := []netsim.Step{{Rate: 3e6}, {At: 15 * time.Second, Rate: thin * 1e6}}
		add(fmt.Sprintf("layers, redundant sound, step 3, %g Mb/s", thin), Scenario{Source: Layered, Rate: down, Redundant: true})
		add(fmt.Sprintf("layers, redundant sound, 10 %% loss, then %g Mb/s", thin), Scenario{
			Source: Layered, Rate: down, Redundant: true, Loss: netsim.Loss{Share: 0.1}, LossEnd: 15 * time.Second,
		})
	}
}

// stalls are of a server that is not let run, again and again.
func stalls(add func(name string, s Scenario)) {
	const ms = time.Millisecond
	stall := Stall{Every: 700 * ms, Least: 50 * ms, Most: 300 * ms}
	add("stalls, layers, 10 Mb/s", Scenario{Source: Layered, Rate: constant(10), Stall: stall})
	add("stalls, layers, 10 Mb/s, whole frames", Scenario{Source: Layered, Rate: constant(10), Stall: stall, Whole: true})
	add("stalls, layers, 3 Mb/s, whole frames", Scenario{Source: Layered, Rate: constant(3), Stall: stall, Whole: true})
	add("stalls, layers, 3 Mb/s", Scenario{Source: Layered, Rate: constant(3), Stall: stall})
	add("stalls, layers, 100 Mb/s, 1 ms", Scenario{Source: Layered, Rate: constant(100), Stall: stall, Whole: true, Delay: ms})
	add("stalls, 3 Mb/s", Scenario{Rate: constant(3), Stall: stall})
	add("stalls, layers, step 3, 1, 3 Mb/s", Scenario{Source: Layered, Rate: steps(20, 3, 1, 3), Stall: stall})
}

// others are receivers that are no browsers.
func others(add func(name string, s Scenario)) {
	for _, kind := range []struct {
		name    string
		reports Reports
	}{{"REMB", REMB}, {"loss reports", Loss}, {"reports that know no loss", Deaf}, {"reports that stop", Stops}, {"no probes", Transport}} {
		down := []netsim.Step{{Rate: 3e6}, {At: 20 * time.Second, Rate: 0.2e6}, {At: 30 * time.Second, Rate: 3e6}}
		add(kind.name+", one video, 10 Mb/s", Scenario{Source: Single, Rate: constant(10), Reports: kind.reports, Blind: true})
		add(kind.name+", layers, 3 Mb/s", Scenario{Source: Layered, Rate: constant(3), Reports: kind.reports, Blind: true})
		if kind.reports == Stops {
			continue
		}
		add(kind.name+", layers, 1 Mb/s", Scenario{Source: Layered, Rate: constant(1), Reports: kind.reports, Blind: true})
		add(kind.name+", one video, step 3, 0.2, 3 Mb/s", Scenario{Source: Single, Rate: down, Reports: kind.reports, Blind: true, Length: 90 * time.Second})
		add(kind.name+", layers, step 3, 0.2, 3 Mb/s", Scenario{Source: Layered, Rate: down, Reports: kind.reports, Blind: true, Length: 90 * time.Second})
	}
}
