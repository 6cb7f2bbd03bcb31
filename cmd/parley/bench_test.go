package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/parley/parley/internal/loadgen"
)

// bench runs parley bench against a server of its own.
func bench(t *testing.T, env []string, args ...string) loadgen.Report {
	t.Helper()
	p := serve(t, env)
	all := append([]string{"bench", "--url", p.url, "--admin", p.admin, "--pid", strconv.Itoa(p.cmd.Process.Pid), "--ramp", "0s"}, args...)
	got := parley(t, env, all...)
	if got.code != 0 {
		t.Fatalf("exit %d: %s", got.code, got.stderr)
	}
	var r loadgen.Report
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
		t.Fatalf("%v: %s", err, got.stdout)
	}
	if !strings.Contains(got.stderr, "packets/s") {
		t.Errorf("no table: %q", got.stderr)
	}
	if _, text := get(t, p.admin+"/metrics"); !strings.Contains(text, "\nparley_participants 0\n") {
		t.Error("somebody is still in a room: the load did not leave")
	}
	return r
}

func TestBench(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		env, args   []string
		full, light int
		rate        float64 // packets a second
	}{
		{"broadcast", nil, []string{"--viewers", "3"}, 3, 0, 3 * 230},
		{"sampled, with a secret", []string{"PARLEY_SECRET=" + testSecret}, []string{"--viewers", "3", "--sample", "5"}, 1, 2, 3 * 230},
		{"meeting, data channels", nil, []string{"--viewers", "1", "--publishers", "3", "--meeting", "--data"}, 4, 0, (3*2 + 3) * 230},
		{"AV1, one after the other", nil, []string{"--viewers", "2", "--codec", "av1", "--apart", "100ms"}, 2, 0, 2 * 230},
		{"VP9, no feedback", nil, []string{"--viewers", "2", "--codec", "vp9", "--twcc=false"}, 2, 0, 2 * 230},
		{"H264, larger pictures, accounts", nil, []string{"--viewers", "2", "--codec", "h264", "--burst", "12", "--every", "1s"}, 2, 0, 2 * 410},
		{"simulcast", nil, []string{"--viewers", "2", "--simulcast", "--tile", "320x180"}, 2, 0, 2 * (50 + 30)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := bench(t, c.env, append([]string{"--seconds", "2"}, c.args...)...)
			if r.Joins.Failed > 0 || len(r.Joins.Errors) > 0 || r.Joins.FirstVideo.Count == 0 || r.Joins.FirstVideo.P50 < r.Joins.FirstMedia.P50 {
				t.Errorf("joins: %+v", r.Joins)
			}
			if r.Setup.Full != c.full || r.Setup.Light != c.light {
				t.Errorf("setup: %+v", r.Setup)
			}
			// Another program may have taken the CPU away, for which the report has a place; rates are checked loosely.
			if rate := r.Traffic.PacketsPerSecond; rate < c.rate/2 || rate > c.rate*1.2 || r.Traffic.Undecryptable > 0 {
				t.Errorf("traffic: %+v, want %v packets/s", r.Traffic, c.rate)
			}
			if l := r.Latency.Sampled; l.Count == 0 || l.P50 <= 0 || l.P50 > l.P95 || l.P95 > l.P99 || l.P99 > l.Max {
				t.Errorf("latency: %+v", l)
			}
			if s := r.Server; s == nil || s.CPUPerPacket <= 0 || s.Forwarded == 0 || s.Goroutines <= 0 {
				t.Errorf("server: %+v", s)
			}
		})
	}
}

func TestBenchMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--codec", "h265"}, "the codec is one of vp8"},
		{[]string{"--burst", "2000"}, "1 to 1000 packets"},
		{[]string{"--tile", "big"}, "--tile"},
		{[]string{"--url", "localhost"}, "--url"},
		{[]string{"--viewers", "0"}, "nobody watches"},
		{[]string{"--seconds", "0.5"}, "at least a second"},
	} {
		got := parley(t, nil, append([]string{"bench"}, c.args...)...)
		if got.code != exitUsage || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%q: exit %d, %q", c.args, got.code, got.stderr)
		}
	}
	got := parley(t, nil, "bench", "--url", "http://"+freePort(t), "--admin", "off", "--viewers", "1")
	if got.code != exitRuntime || !strings.Contains(got.stderr, "connect") {
		t.Errorf("without a server: exit %d, %q", got.code, got.stderr)
	}
}
