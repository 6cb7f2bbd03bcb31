package lab

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// set makes a line of that seed with those impairments.
func set(t testing.TB, seed uint64, words string) *line {
	t.Helper()
	l := newLine(seed)
	if err := l.Set(words); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestSet(t *testing.T) {
	t.Parallel()
	before := Impairment{Delay: time.Second, Loss: 5}
	for _, test := range []struct {
		words string
		want  Impairment
		fails bool
	}{
		{words: "", want: before},
		{words: "clean", want: Impairment{}},
		{words: "loss=2  clean delay=50ms", want: Impairment{Delay: 50 * time.Millisecond}},
		{
			words: "delay=1m jitter=5ms loss=100 burst=4 rate=1e6 queue=300ms duplicate=1.5 reorder=2",
			want: Impairment{
				Delay: time.Minute, Jitter: 5 * time.Millisecond, Loss: 100, Burst: 4, Rate: 1e6,
				Queue: 300 * time.Millisecond, Duplicate: 1.5, Reorder: 2,
			},
		},
		{words: "rate=0", want: before},
		{words: "delay=5ms loss=101", fails: true}, // nor is the delay set
		{words: "loss=-1", fails: true},
		{words: "loss=NaN", fails: true},
		{words: "loss=", fails: true},
		{words: "loss", fails: true},
		{words: "delay=50", fails: true},
		{words: "delay=-1s", fails: true},
		{words: "delay=61s", fails: true},
		{words: "rate=999", fails: true},
		{words: "rate=+Inf", fails: true},
		{words: "Loss=1", fails: true},
		{words: "clean=1", fails: true},
	} {
		got := before
		if err := got.Set(test.words); (err != nil) != test.fails {
			t.Errorf("%q: %v", test.words, err)
		}
		want := test.want
		if test.fails {
			want = before
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q: -want +got\n%s", test.words, d)
		}
	}
}

// decisions runs frames of 1000 bytes, 1 ms apart, through a line.
func decisions(l *line, frames int) (at []time.Time, times []int) {
	for i := range frames {
		a, n := l.next(epoch.Add(time.Duration(i)*time.Millisecond), 1000)
		at, times = append(at, a), append(times, n)
	}
	return at, times
}

func TestDecisionsRepeatPerSeed(t *testing.T) {
	t.Parallel()
	const words = "delay=50ms jitter=20ms loss=5 burst=3 rate=5e6 duplicate=3 reorder=3"
	at1, times1 := decisions(set(t, 7, words), 2000)
	at2, times2 := decisions(set(t, 7, words), 2000)
	at3, times3 := decisions(set(t, 8, words), 2000)
	if !cmp.Equal(at1, at2) || !cmp.Equal(times1, times2) {
		t.Error("one seed decided twice differently")
	}
	if cmp.Equal(at1, at3) || cmp.Equal(times1, times3) {
		t.Error("two seeds decided alike")
	}
}

func TestLossIsNearWhatWasAsked(t *testing.T) {
	t.Parallel()
	const frames = 60_000
	for _, test := range []struct {
		words       string
		share, runs float64 // of frames lost, mean length of a run
	}{
		{"loss=0", 0, 0},
		{"loss=0 burst=8", 0, 0},
		{"loss=2", 0.02, 1 / 0.98},
		{"loss=30", 0.3, 1 / 0.7},
		{"loss=5 burst=4", 0.05, 4},
		{"loss=50 burst=10", 0.5, 10},
		{"loss=90 burst=2", 0.9, 9}, // two between which one passes would be two thirds
		{"loss=100 burst=3", 1, frames},
	} {
		l := set(t, 1, test.words)
		_, times := decisions(l, frames)
		lost, runs := 0, 0
		for i, n := range times {
			if n == 0 {
				lost++
				if i == 0 || times[i-1] != 0 {
					runs++
				}
			}
		}
		if share := float64(lost) / frames; math.Abs(share-test.share) > 0.1*test.share {
			t.Errorf("%s: lost a share of %.4f", test.words, share)
		}
		if mean := float64(lost) / float64(max(1, runs)); math.Abs(mean-test.runs) > 0.1*test.runs {
			t.Errorf("%s: runs of %.2f losses", test.words, mean)
		}
		if l.lost != uint64(lost) || l.frames != frames {
			t.Errorf("%s: counters are %v, lost %d of %d", test.words, l, lost, frames)
		}
	}
}

func TestLossEndsWithItsSetting(t *testing.T) {
	t.Parallel()
	l := set(t, 1, "loss=50 burst=1e6")
	for !l.inLoss {
		l.next(epoch, 100)
	}
	if err := l.Set("loss=0"); err != nil {
		t.Fatal(err)
	}
	if _, times := l.next(epoch, 100); times != 1 {
		t.Error("a frame was lost at loss=0")
	}
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		words string
		queue time.Duration
	}{{"rate=1e6 queue=100ms", 100 * time.Millisecond}, {"rate=1e6", 200 * time.Millisecond}} {
		l := set(t, 1, test.words)
		const frame = 8 * time.Millisecond // 1000 bytes at 1 Mbit/s
		passed := 0
		for range 1000 { // all at once
			at, times := l.next(epoch, 1000)
			if times == 0 {
				continue
			}
			passed++
			if want := epoch.Add(time.Duration(passed) * frame); !at.Equal(want) {
				t.Fatalf("%s: frame %d goes out after %v, not %v", test.words, passed, at.Sub(epoch), want.Sub(epoch))
			}
		}
		if want := int(test.queue/frame) + 1; passed != want || l.full != uint64(1000-want) {
			t.Errorf("%s: %d frames passed, not %d; %v", test.words, passed, want, l)
		}
		if at, times := l.next(epoch.Add(time.Second), 1000); times != 1 || !at.Equal(epoch.Add(time.Second+frame)) {
			t.Errorf("%s: after the queue was empty again: %v times, at %v", test.words, times, at)
		}
	}
}

func TestDelayKeepsOrder(t *testing.T) {
	t.Parallel()
	const delay, jitter = 30 * time.Millisecond, 20 * time.Millisecond
	at, _ := decisions(set(t, 1, "delay=30ms jitter=20ms"), 5000)
	low, high := time.Hour, time.Duration(0)
	for i := range at {
		took := at[i].Sub(epoch.Add(time.Duration(i) * time.Millisecond))
		low, high = min(low, took), max(high, took)
		if i > 0 && at[i].Before(at[i-1]) {
			t.Fatalf("frame %d overtakes", i)
		}
	}
	if low < delay-jitter || high > delay+jitter || high-low < jitter {
		t.Errorf("took between %v and %v", low, high)
	}

	at, times := decisions(set(t, 1, "delay=30ms reorder=10 duplicate=10"), 5000)
	overtook, doubled := 0, 0
	for i := 1; i < len(at); i++ {
		if at[i].Before(at[i-1]) {
			overtook++
		}
		doubled += times[i] - 1
	}
	for name, n := range map[string]int{"overtook": overtook, "were doubled": doubled} {
		if n < 350 || n > 650 {
			t.Errorf("%d of 5000 frames %s, 10 %% were asked", n, name)
		}
	}
}

// FuzzSet: whatever is set, a line's decisions stay sane; whatever is refused changes nothing.
func FuzzSet(f *testing.F) {
	f.Add("delay=50ms jitter=90ms loss=2 burst=4 rate=1e6 queue=300ms duplicate=1 reorder=1")
	f.Add("rate=1e3 queue=1m delay=1m")
	f.Add("rate=1e-300")
	f.Add("loss=99.9999999999 burst=2")
	f.Add("clean loss=NaN")
	f.Fuzz(func(t *testing.T, words string) {
		before := Impairment{Delay: 1, Loss: 1}
		l := newLine(1)
		l.Impairment = before
		if err := l.Set(words); err != nil {
			if l.Impairment != before {
				t.Fatalf("%q: refused with %v, but %+v", words, err, l.Impairment)
			}
			return
		}
		for i := range 50 {
			now := epoch.Add(time.Duration(i) * time.Millisecond)
			at, times := l.next(now, 1<<16)
			if times < 0 || times > 2 || times > 0 && (at.Before(now) || at.Sub(now) > time.Hour) {
				t.Fatalf("%q: frame %d goes out %d times after %v", words, i, times, at.Sub(now))
			}
		}
		if l.lost+l.full > l.frames || l.frames != 50 {
			t.Fatalf("%q: %v", words, l)
		}
	})
}
