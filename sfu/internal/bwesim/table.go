package bwesim

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Table runs the scenarios whose name match accepts, with a seed, and writes a line for each.
func Table(w io.Writer, seed uint64, match func(name string) bool) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	var out io.Writer = tw // Flush returns the errors
	fmt.Fprintln(out, "scenario\tused\t85 % after\tthen used\tqueue p95\tmax\tfollowed in\trestored in\tshare\tdropped\tpadding\tpaused\tprobes\tup\tdown\t")
	for _, sc := range Scenarios() {
		if !match(sc.Name) {
			continue
		}
		r := Run(sc, sc.Reports.Estimator(), seed)
		share := "-"
		if sc.TCP > 0 {
			share = percent(r.Share)
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d ms\t%d ms\t%s\t%s\t%s\t%s\t%s\t%.1f s\t%d\t%d\t%d\t\n", sc.Name, percent(r.Utilisation), seconds(r.Converged),
			percent(r.Steady), r.QueueP95.Milliseconds(), r.QueueMax.Milliseconds(), seconds(r.Followed), seconds(r.Restored), share,
			percent(r.Dropped), percent(r.Padding), r.Paused.Seconds(), r.Stats.Probes, r.Stats.ProbesUp, r.Stats.Decreases)
	}
	return tw.Flush()
}

func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }

func seconds(d time.Duration) string {
	if d < 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// Trace writes a scenario's course, a line every so many samples of 50 ms.
func Trace(w io.Writer, sc Scenario, seed uint64, every int) {
	r := Run(sc, sc.Reports.Estimator(), seed)
	for i, s := range r.Trace {
		if i%every == 0 {
			span := time.Duration(every) * sampleEvery
			sent := over(r.Trace, i, span, func(s Sample) float64 { return s.Sent })
			arrived := over(r.Trace, i, span, func(s Sample) float64 { return s.Arrived })
			fmt.Fprintf(w, "%6.2f s  capacity %6.0f  target %6.0f  sent %6.0f  arrived %6.0f kb/s  queue %4d ms, estimated %4d ms  loss %4.1f %%  %s\n",
				s.At.Seconds(), s.Capacity/1e3, float64(s.Target)/1e3, sent/1e3, arrived/1e3, s.Backlog.Milliseconds(), s.Queue.Milliseconds(),
				100*s.Loss, s.State)
		}
	}
	fmt.Fprintf(w, "%+v\n", r.Stats)
}
