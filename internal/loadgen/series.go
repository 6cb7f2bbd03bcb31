package loadgen

import (
	"context"
	"strings"
	"time"
)

// Moment is an interval of a long measurement.
type Moment struct {
	Seconds          float64 `json:"seconds"` // since it began, at the interval's end
	PacketsPerSecond float64 `json:"packets_per_second"`
	CPUPercent       float64 `json:"server_cpu_percent"` // of one core
	CPUPerPacket     float64 `json:"server_cpu_us_per_packet"`
	Resident         uint64  `json:"server_resident_bytes"` // at the interval's end, as the next two
	Heap             uint64  `json:"server_heap_bytes"`
	Goroutines       uint64  `json:"server_goroutines"`
	P99              float64 `json:"p99_ms"`
}

// Accounts are all packets of a measurement. The publishers are silent for a moment before and after it, so that nothing is under way
// when the counters are read, and every packet must be somewhere.
type Accounts struct {
	Published uint64            `json:"published"`
	In        uint64            `json:"server_received"`
	Due       uint64            `json:"due"` // published, times the viewers of each
	Forwarded uint64            `json:"server_forwarded"`
	Received  uint64            `json:"received"` // by viewers
	Dropped   map[string]uint64 `json:"server_dropped,omitempty"`
	// LeftOut is what viewers were not to have: their network takes nothing of it, or it came before the keyframe that they join at.
	LeftOut map[string]uint64 `json:"server_left_out,omitempty"`
	Resent  uint64            `json:"server_resent"` // part of Forwarded, padding included
	Extra   uint64            `json:"server_extra"`  // part of Forwarded: from before a viewer joined, and what nobody published
	// What no counter explains, of what was published, of what was due, and of what was forwarded. In simulcast the second
	// is not known, and 0.
	LostIn       int64 `json:"unaccounted_in"`
	NotForwarded int64 `json:"unaccounted_in_server"`
	LostOut      int64 `json:"unaccounted_out"`
}

// quiet is how long nothing is sent around a measurement with accounts.
const quiet = 500 * time.Millisecond

// last runs the measurement's time down, and returns what each interval of it brought.
func (r *run) last(ctx context.Context, clients []*client, from flow, a ServerSample) ([]Moment, error) {
	if r.cfg.Every == 0 {
		return nil, wait(ctx, r.cfg.Duration)
	}
	var out []Moment
	began, before := from.at, from
	for {
		left := r.cfg.Duration - time.Since(began)
		if left <= 0 {
			return out, nil
		}
		if err := wait(ctx, min(left, r.cfg.Every)); err != nil {
			return nil, err
		}
		b, err := r.server(ctx)
		if err != nil {
			return nil, err
		}
		now := r.flow(clients)
		m := Moment{
			Seconds: now.at.Sub(began).Seconds(), PacketsPerSecond: float64(now.packets-before.packets) / now.at.Sub(before.at).Seconds(),
			Resident: b.Resident, Heap: b.Heap, Goroutines: b.Goroutines, P99: millis(r.meter.interval()),
		}
		if s := server(a, a, b, 0); r.cfg.Server != nil {
			m.CPUPercent, m.CPUPerPacket = s.CPUPercent, s.CPUPerPacket
		}
		out = append(out, m)
		before, a = now, b
	}
}

// interval is the p99 of the sample since it was asked for before.
func (m *meter) interval() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.span.reset()
	return m.span.quantile(0.99)
}

// hush silences the publishers until nothing is under way; false: let them go on.
func (r *run) hush(ctx context.Context, on bool) error {
	if r.cfg.Every == 0 {
		return nil
	}
	r.pacer.pause(on)
	if !on {
		return nil
	}
	return wait(ctx, quiet)
}

// accounts compares the counters of two silent moments.
func accounts(from, to flow, a, b ServerSample, simulcast bool) *Accounts {
	c := &Accounts{
		Published: to.published - from.published, Due: to.due - from.due, Received: to.packets - from.packets,
		In: b.PacketsIn - a.PacketsIn, Forwarded: b.PacketsOut - a.PacketsOut, Dropped: between(a.Dropped, b.Dropped),
		LeftOut: between(a.LeftOut, b.LeftOut), Resent: b.Resent - a.Resent, Extra: b.Extra - a.Extra,
	}
	d := func(reason string) int64 { return int64(c.Dropped[reason]) }
	var port int64
	for reason, n := range c.Dropped {
		if len(reason) > 4 && reason[:4] == "udp:" {
			port += int64(n)
		}
	}
	// What the port drops may be a client's STUN or RTCP as well: it explains what is missing, no more.
	c.LostIn = int64(c.Published) - int64(c.In)
	c.LostIn -= min(max(c.LostIn, 0), port)
	c.LostOut = int64(c.Forwarded) - int64(c.Received) - d("socket_full")
	if !simulcast {
		var gone int64
		for reason, n := range c.Dropped {
			if ofDue(reason) {
				gone += int64(n)
			}
		}
		for _, n := range c.LeftOut {
			gone += int64(n)
		}
		c.NotForwarded = int64(c.Due+c.Resent+c.Extra) - int64(c.Forwarded) - gone
	}
	return c
}

// ofDue reports whether what was dropped for the reason was due and is not among what was forwarded: what the socket did not take is,
// what the port dropped never came in, and some were asked for again only, or are no media.
func ofDue(reason string) bool {
	for _, prefix := range []string{"socket_full", "udp:", "nack_", "data_", "feedback_", "remb_"} {
		if strings.HasPrefix(reason, prefix) {
			return false
		}
	}
	return true
}
