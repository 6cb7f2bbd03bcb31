package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/parley/parley/internal/foreign"
	"github.com/parley/parley/internal/loadgen"
)

// key names what is compared.
type key struct{ scenario, plane string }

// column is one figure of a report.
type column struct {
	title  string
	digits int
	value  func(loadgen.Report) float64
	blank  bool // 0 says that it is not known
	ratio  bool // to the comparator's median, in a column of its own
}

func columns() []column {
	return []column{
		{"packets/s", 0, func(r loadgen.Report) float64 { return r.Traffic.PacketsPerSecond }, false, false},
		{"CPU µs/packet", 2, func(r loadgen.Report) float64 { return r.Server.CPUPerPacket }, false, true},
		{"p50 ms", 2, func(r loadgen.Report) float64 { return r.Latency.Sampled.P50 }, false, false},
		{"p99 ms", 2, func(r loadgen.Report) float64 { return r.Latency.Sampled.P99 }, false, false},
		{"loss %", 2, func(r loadgen.Report) float64 { return r.Traffic.Loss() }, false, false},
		{"first media ms, p50", 0, func(r loadgen.Report) float64 { return r.Joins.FirstMedia.P50 }, false, false},
		{"first video ms, p50", 0, func(r loadgen.Report) float64 { return r.Joins.FirstVideo.P50 }, false, false},
		{"and p99", 0, func(r loadgen.Report) float64 { return r.Joins.FirstVideo.P99 }, false, false},
		{"CPU ms/join", 1, func(r loadgen.Report) float64 { return r.Joins.ServerCPU }, true, false},
		{"KiB/participant", 0, func(r loadgen.Report) float64 { return r.Server.Memory }, false, false},
	}
}

func searchColumns() []column {
	return []column{
		{"viewers", 0, func(r loadgen.Report) float64 { return float64(r.Search.Viewers) }, false, false},
		{"packets/s", 0, func(r loadgen.Report) float64 { return r.Search.PacketsPerSecond }, false, true},
		{"CPU µs/packet there", 2, func(r loadgen.Report) float64 { return r.Server.CPUPerPacket }, false, false},
		{"server CPU % there", 0, func(r loadgen.Report) float64 { return r.Server.CPUPercent }, false, false},
		{"p99 ms there", 2, func(r loadgen.Report) float64 { return r.Latency.Sampled.P99 }, false, false},
	}
}

// sorted are the values of some runs.
func (c column) sorted(reports []loadgen.Report) []float64 {
	var values []float64
	for _, r := range reports {
		values = append(values, c.value(r))
	}
	slices.Sort(values)
	return values
}

// median is that of some runs, 0 of none.
func (c column) median(reports []loadgen.Report) float64 {
	values := c.sorted(reports)
	if len(values) == 0 {
		return 0
	}
	return values[len(values)/2]
}

// share is a median's part of the comparator's.
func (c column) share(reports, comparator []loadgen.Report) string {
	of := c.median(comparator)
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", c.median(reports)/of)
}

// cell is the median with its range.
func (c column) cell(reports []loadgen.Report) string {
	values := c.sorted(reports)
	if c.blank && values[len(values)-1] == 0 {
		return "-"
	}
	show := func(v float64) string { return fmt.Sprintf("%.*f", c.digits, v) }
	low, high := show(values[0]), show(values[len(values)-1])
	out := show(values[len(values)/2])
	if low != high {
		out += " (" + low + " to " + high + ")"
	}
	return out
}

// render writes both tables and what is to be said about them.
func (o options) render(ctx context.Context, results map[key][]loadgen.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s; server on core %s, load on core %s; %d runs of each on fresh servers: medians, and ranges in brackets.\n\n",
		machine(ctx, o.binary), o.serverCore, o.loadCore, runs(results))
	if o.realtime {
		b.WriteString("Server and load ran before all else on the machine (SCHED_RR).\n\n")
	}
	var names []string
	for _, s := range o.scenarios() {
		if s.name != capacity {
			names = append(names, s.name)
		}
	}
	o.table(&b, columns(), names, results)
	o.table(&b, searchColumns(), []string{capacity}, results)
	for _, s := range o.scenarios() {
		for _, plane := range o.planes {
			reports := results[key{s.name, plane}]
			if notes := remarks(reports); notes != "" {
				fmt.Fprintf(&b, "- %s, %s: %s\n", s.name, plane, notes)
			}
		}
	}
	return b.String()
}

// runs is how often each scenario was run at least.
func runs(results map[key][]loadgen.Report) int {
	n := 0
	for _, reports := range results {
		if n == 0 || len(reports) < n {
			n = len(reports)
		}
	}
	return n
}

// table writes those of the scenarios that were run.
func (o options) table(b *strings.Builder, columns []column, names []string, results map[key][]loadgen.Report) {
	head, rule := "| scenario | plane |", "|---|---|"
	for _, c := range columns {
		head, rule = head+" "+c.title+" |", rule+"---|"
		if c.ratio {
			head, rule = head+" of stock |", rule+"---|"
		}
	}
	begun := false
	for _, name := range names {
		for _, plane := range o.planes {
			reports := results[key{name, plane}]
			if len(reports) == 0 {
				continue
			}
			if !begun {
				fmt.Fprintf(b, "%s\n%s\n", head, rule)
				begun = true
			}
			fmt.Fprintf(b, "| %s | %s |", name, plane)
			for _, c := range columns {
				fmt.Fprintf(b, " %s |", c.cell(reports))
				if c.ratio {
					fmt.Fprintf(b, " %s |", c.share(reports, results[key{name, stock}]))
				}
			}
			b.WriteString("\n")
		}
	}
	if begun {
		b.WriteString("\n")
	}
}

// remarks says what disturbed the runs, and what ended a search.
func remarks(reports []loadgen.Report) string {
	var notes []string
	like := map[string]int{} // by the sentence without its figures
	numbers := regexp.MustCompile(`[0-9.]+`)
	for _, r := range reports {
		for _, l := range r.Generator.Limits {
			like[numbers.ReplaceAllString(l, "N")]++
		}
	}
	for i, r := range reports {
		for _, l := range r.Generator.Limits {
			if n := like[numbers.ReplaceAllString(l, "N")]; n > 0 {
				notes = append(notes, fmt.Sprintf("%s (%d of %d runs)", l, n, len(reports)))
				delete(like, numbers.ReplaceAllString(l, "N"))
			}
		}
		if r.Joins.Failed > 0 {
			notes = append(notes, fmt.Sprintf("run %d: %d joins failed", i+1, r.Joins.Failed))
		}
		if r.Traffic.SilentStreams > 0 {
			notes = append(notes, fmt.Sprintf("run %d: %d streams were silent", i+1, r.Traffic.SilentStreams))
		}
		if r.Search != nil {
			notes = append(notes, fmt.Sprintf("run %d was ended by %s", i+1, r.Search.EndedBy))
		}
	}
	return strings.Join(notes, "; ")
}

// oneLine is a run's outcome for the console.
func oneLine(r loadgen.Report) string {
	if r.Search != nil {
		return fmt.Sprintf("%.0f packets/s with %d viewers, ended by %s", r.Search.PacketsPerSecond, r.Search.Viewers, r.Search.EndedBy)
	}
	s := fmt.Sprintf("%.2f µs/packet, p99 %.2f ms, loss %.2f %%, first video %.0f ms, %.0f KiB", r.Server.CPUPerPacket,
		r.Latency.Sampled.P99, r.Traffic.Loss(), r.Joins.FirstVideo.P50, r.Server.Memory)
	if len(r.Generator.Limits) > 0 {
		s += " [" + strings.Join(r.Generator.Limits, "; ") + "]"
	}
	return s
}

// machine says where the figures were taken.
func machine(ctx context.Context, binary string) string {
	model, kernel := "unknown CPU", "unknown kernel"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel = strings.TrimSpace(string(text))
	}
	version := "unknown version"
	if text, err := foreign.Command(ctx, binary, "version").Output(); err == nil {
		version = strings.TrimSpace(string(text))
	}
	return fmt.Sprintf("%s, %s, %s, %d CPUs, Linux %s", time.Now().UTC().Format(time.DateOnly), version, model, runtime.NumCPU(), kernel)
}
