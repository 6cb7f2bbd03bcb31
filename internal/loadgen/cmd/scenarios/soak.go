package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/parley/parley/internal/loadgen"
)

// Bounds of a soak, between its second interval (the first still warms up) and its last.
const (
	maxGrowth = 1.10     // of the resident memory
	maxMore   = 16 << 20 // bytes, where that is little
	maxAdrift = 0.01     // percent of the packets that no counter explains
)

// endure runs one steady load for a long time, prints what each minute brought, and fails where memory grew or packets are missing.
func (o options) endure(ctx context.Context, stdout, stderr io.Writer) error {
	every := max(min(o.soak/10, time.Minute), time.Second)
	s := scenario{"soak", []string{
		"--viewers", fmt.Sprint(o.viewers), "--ramp", "5s", "--seconds", o.soak.String(), "--every", every.String(), "--twcc=false", // nothing is held back
	}}
	report, err := o.once(ctx, s, o.planes[0], stderr)
	if err != nil {
		return err
	}
	if report.Server == nil || report.Accounts == nil || len(report.Series) == 0 {
		return errors.New("the report lacks the server's figures")
	}
	text := fmt.Sprintf("%s; plane %s, server on core %s, load on core %s: one publisher, %d viewers, %s.\n\n%s", machine(ctx, o.binary),
		o.planes[0], o.serverCore, o.loadCore, o.viewers, o.soak, soakTable(report))
	fmt.Fprint(stdout, text)
	if o.out != "" {
		err = splice(o.out, soakMarks, text)
	}
	return errors.Join(err, sound(report))
}

// soakTable shows a long run.
func soakTable(r loadgen.Report) string {
	var b strings.Builder
	b.WriteString("| until s | packets/s | server CPU % | CPU µs/packet | p99 ms | resident MiB | heap and stacks MiB | goroutines |\n|---|---|---|---|---|---|---|---|\n")
	for _, m := range r.Series {
		fmt.Fprintf(&b, "| %.0f | %.0f | %.0f | %.2f | %.1f | %.1f | %.1f | %d |\n", m.Seconds, m.PacketsPerSecond, m.CPUPercent, m.CPUPerPacket,
			m.P99, float64(m.Resident)/(1<<20), float64(m.Heap)/(1<<20), m.Goroutines)
	}
	a := r.Accounts
	fmt.Fprintf(&b, "\nPublished %d, received by the server %d; due to viewers %d, forwarded %d, received by viewers %d. Dropped by the server: %s. "+
		"No counter explains: %d of what was published, %d of what was due, %d of what was forwarded.\n",
		a.Published, a.In, a.Due, a.Forwarded, a.Received, reasons(a.Dropped), a.LostIn, a.NotForwarded, a.LostOut)
	return b.String()
}

func reasons(dropped map[string]uint64) string {
	var out []string
	for reason, n := range dropped {
		out = append(out, fmt.Sprintf("%d %s", n, reason))
	}
	slices.Sort(out)
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, ", ")
}

// sound says what is wrong with a long run.
func sound(r loadgen.Report) error {
	var errs []error
	from, to := r.Series[min(1, len(r.Series)-1)].Resident, r.Series[len(r.Series)-1].Resident
	if float64(to) > float64(from)*maxGrowth && to > from+maxMore {
		errs = append(errs, fmt.Errorf("memory grew from %d to %d bytes", from, to))
	}
	for _, c := range []struct {
		what  string
		n     int64
		total uint64
	}{
		{"published", r.Accounts.LostIn, r.Accounts.Published},
		{"due", r.Accounts.NotForwarded, r.Accounts.Due},
		{"forwarded", r.Accounts.LostOut, r.Accounts.Forwarded},
	} {
		if float64(max(c.n, -c.n)) > float64(c.total)*maxAdrift/100 {
			errs = append(errs, fmt.Errorf("of %d packets %s no counter explains %d", c.total, c.what, c.n))
		}
	}
	return errors.Join(errs...)
}
