package loadgen

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseMetrics(t *testing.T) {
	t.Parallel()
	now := time.Now()
	got, err := ParseMetrics(strings.NewReader(`# HELP x y
process_cpu_seconds_total 1.5
process_resident_memory_bytes 2.048e+06
go_memstats_heap_inuse_bytes 1000
go_memstats_stack_inuse_bytes 24
go_goroutines 12
parley_media_received_packets_total 230
parley_media_sent_packets_total 11500
parley_media_sent_bytes_total 1e6
parley_media_dropped_total{reason="muted"} 3
parley_media_left_out_packets_total{reason="paused"} 7
parley_media_replayed_packets_total 5
parley_media_filled_packets_total 1
parley_media_sent_rtx_packets_total 2
parley_udp_dropped_packets_total{reason="queue"} 4
broken
`), now)
	want := ServerSample{
		At: now, CPU: 1.5, Resident: 2_048_000, Heap: 1024, Goroutines: 12, PacketsIn: 230, PacketsOut: 11500, BytesOut: 1e6,
		Dropped: map[string]uint64{"muted": 3, "udp:queue": 4}, Resent: 2, Extra: 6, LeftOut: map[string]uint64{"paused": 7},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}

func TestServerFigures(t *testing.T) {
	t.Parallel()
	at := time.Now()
	before := ServerSample{Resident: 10 << 20, Goroutines: 10}
	a := ServerSample{At: at, CPU: 1, Resident: 20 << 20, Goroutines: 60, PacketsOut: 1000}
	b := ServerSample{At: at.Add(10 * time.Second), CPU: 3, PacketsOut: 101_000, Dropped: map[string]uint64{"queue": 7}}
	want := &Server{
		CPUPercent: 20, CPUPerPacket: 20, Forwarded: 100_000, Memory: 1024, Goroutines: 5, ParticipantsN: 10,
		Heap: 0, Dropped: map[string]uint64{"queue": 7},
	}
	if diff := cmp.Diff(want, server(before, a, b, 10)); diff != "" {
		t.Error(diff)
	}
	if got := server(before, a, a, 0); got.CPUPerPacket != 0 || got.CPUPercent != 0 {
		t.Errorf("nothing happened: %+v", got)
	}
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	at := time.Now()
	from := flow{at: at, published: 100, due: 1000, packets: 1000, bytes: 5000}
	to := flow{at: at.Add(2 * time.Second), published: 300, due: 3000, packets: 2980, bytes: 10_000, cpu: time.Second}
	l := losses{light: [2]uint64{90, 100}, full: [2]uint64{199, 200}, silent: 1}
	got := traffic(from, to, l, false)
	want := Traffic{
		Seconds: 2, Published: 200, Packets: 1980, PacketsPerSecond: 990, BitsPerSecond: 20_000, LossSampled: 10, LossFull: 0.5,
		Undelivered: 1, SilentStreams: 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Loss() != 10 || traffic(from, to, l, true).Undelivered != 0 {
		t.Error("the worst loss counts, and simulcast is not delivered in full")
	}
}

func TestTheGeneratorOwnsUp(t *testing.T) {
	t.Parallel()
	if got := (Generator{CPUPercent: 50}).limits(&Server{}); len(got) != 0 {
		t.Errorf("nothing was wrong: %q", got)
	}
	bad := Generator{CPUPercent: 90, SendLate: Quantiles{P99: 6}, Skipped: 1, Unread: 1, ReceiveDelay: Quantiles{P99: 11}}
	if got := bad.limits(&Server{OthersCPU: 30}); len(got) != 6 {
		t.Errorf("%q", got)
	}
}

// TestReportJSON holds the names that scripts read.
func TestReportJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(Report{Server: &Server{}, Generator: Generator{}.withLimits(), Search: &Search{Steps: []Step{{}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		`"cpu_us_per_packet"`, `"memory_kib_per_participant"`, `"packets_per_second"`, `"sampled":{"count"`, `"p99_ms"`,
		`"first_video"`, `"limits":[]`, `"capacity":{"viewers_per_room"`, `"loss_percent_full"`, `"light_receivers"`,
	} {
		if !strings.Contains(string(b), name) {
			t.Errorf("no %s in %s", name, b)
		}
	}
	var back Report
	if err := json.Unmarshal(b, &back); err != nil || back.Search == nil {
		t.Errorf("it does not read its own report: %v", err)
	}
}

// withLimits fills in what a run fills in.
func (g Generator) withLimits() Generator {
	g.Limits = g.limits(nil)
	return g
}

func TestSearchEnds(t *testing.T) {
	t.Parallel()
	c := Capacity{}.withDefaults()
	for name, r := range map[string]Report{
		"p99":       {Latency: Latency{Sampled: Quantiles{P99: 51}}},
		"loss":      {Traffic: Traffic{LossFull: 0.6}},
		"generator": {Generator: Generator{CPUPercent: 90}},
		"streams":   {Traffic: Traffic{SilentStreams: 1}},
	} {
		if got := c.exceeded(stepOf(1, r), r); !strings.Contains(got, name) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := c.exceeded(stepOf(1, Report{}), Report{}); got != "" {
		t.Errorf("all is well: %q", got)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for viewers, want := range map[int]uint16{1: 1, 17: 1, 50: 5, 200: 17, 1000: 61} {
		if got := (Config{Viewers: viewers}).withDefaults().every; got != want {
			t.Errorf("%d viewers: every %d, want %d", viewers, got, want)
		}
	}
	if err := (Config{Viewers: 1}).Validate(); err == nil {
		t.Error("a run without a server is taken")
	}
}
