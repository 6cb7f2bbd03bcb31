package keyframe

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	run := func(rtt time.Duration, until int, each func(r *Requester, ms int)) (sent []int) {
		var r Requester
		for ms := 0; ms < until; ms += 20 {
			each(&r, ms)
			if r.Due(start.Add(time.Duration(ms)*time.Millisecond), rtt) {
				sent = append(sent, ms)
			}
		}
		return sent
	}
	always := func(r *Requester, _ int) { r.Ask() }
	at := func(want, came int) func(*Requester, int) {
		return func(r *Requester, ms int) {
			if ms == want {
				r.Ask()
			}
			if ms == came {
				r.Arrived()
			}
		}
	}
	for _, c := range []struct {
		name  string
		rtt   time.Duration
		until int
		each  func(*Requester, int)
		want  []int
	}{
		{"nobody asks", 0, 1000, func(*Requester, int) {}, nil},
		{"until it comes", 0, 1000, at(100, 500), []int{100, 300}},
		{"by the round trip", 200 * time.Millisecond, 1000, at(0, 900), []int{0, 400, 800}},
		{"at least once a second", 5 * time.Second, 2500, always, []int{0, 1000, 2000}},
		{"slower in the end", 0, 9000, always, []int{0, 200, 400, 800, 1600, 3200, 5200, 7200}},
		{"answered each time", 0, 900, func(r *Requester, ms int) {
			if r.Arrived(); ms%100 == 0 {
				r.Ask()
			}
		}, []int{0, 200, 400, 600, 800}},
		{"on a thin link", 0, 5000, func(r *Requester, ms int) {
			if r.Arrived(); ms%100 == 0 {
				r.Ask()
			}
			r.Took(400 * time.Millisecond)
		}, []int{0, 1600, 3200, 4800}},
		{"throttled, not lost", 0, 1000, func(r *Requester, ms int) {
			if ms == 0 || ms == 60 {
				r.Ask()
			}
			if ms == 40 || ms == 300 {
				r.Arrived()
			}
		}, []int{0, 200}},
		{"cancelled", 0, 1000, func(r *Requester, ms int) {
			if ms == 0 {
				r.Ask()
			}
			if ms == 100 {
				r.Cancel()
			}
		}, []int{0}},
	} {
		if d := cmp.Diff(c.want, run(c.rtt, c.until, c.each)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	var r Requester
	if r.Ask(); !r.Wanted() {
		t.Error("not wanted")
	}
}
