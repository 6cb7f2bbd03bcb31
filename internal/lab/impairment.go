package lab

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Impairment is what one direction of a wire does to frames. The zero value does nothing.
type Impairment struct {
	Delay     time.Duration // of every frame
	Jitter    time.Duration // added or taken away at random, evenly, up to this; frames keep their order
	Rate      float64       // bit/s, at least 1000; 0: unlimited
	Queue     time.Duration // how long a frame may wait for Rate before it is dropped; 0: 200 ms
	Loss      float64       // percent
	Burst     float64       // mean length of a run of losses (Gilbert's model); up to 1: losses are independent; longer where Loss needs it
	Duplicate float64       // percent
	Reorder   float64       // percent of frames that get half the delay and may overtake
}

// Set changes what the words of s name: "delay=50ms jitter=5ms loss=2 burst=4 rate=1e6 queue=300ms duplicate=1 reorder=1".
// The word "clean" sets everything to zero. On an error nothing changes.
func (i *Impairment) Set(s string) error {
	next := *i
	for word := range strings.FieldsSeq(s) {
		if word == "clean" {
			next = Impairment{}
			continue
		}
		key, value, _ := strings.Cut(word, "=")
		var err error
		switch key {
		case "delay":
			next.Delay, err = span(value)
		case "jitter":
			next.Jitter, err = span(value)
		case "queue":
			next.Queue, err = span(value)
		case "rate":
			if next.Rate, err = number(value, 1e12); err == nil && next.Rate > 0 && next.Rate < minRate {
				err = fmt.Errorf("neither 0 nor at least %d bit/s", minRate)
			}
		case "loss":
			next.Loss, err = number(value, 100)
		case "duplicate":
			next.Duplicate, err = number(value, 100)
		case "reorder":
			next.Reorder, err = number(value, 100)
		case "burst":
			next.Burst, err = number(value, 1e6)
		default:
			err = fmt.Errorf("no such impairment")
		}
		if err != nil {
			return fmt.Errorf("lab: %q: %w", word, err)
		}
	}
	*i = next
	return nil
}

// minRate keeps the time that a frame of 64 KiB takes within minutes; far below, it would overflow a time.Duration.
const minRate = 1000

func span(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err == nil && (d < 0 || d > time.Minute) {
		err = fmt.Errorf("not within 0 and 1m")
	}
	return d, err
}

func number(s string, most float64) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err == nil && !(x >= 0 && x <= most) { // NaN is neither
		err = fmt.Errorf("not within 0 and %g", most)
	}
	return x, err
}

// line decides about the frames of one direction.
type line struct {
	Impairment
	rng *rand.Rand

	inLoss bool      // Gilbert's bad state
	idle   time.Time // when the rate limit has sent everything so far
	last   time.Time // the latest time given out: frames in order do not go before it

	frames, lost, full, doubled uint64
}

func newLine(seed uint64) *line {
	return &line{rng: rand.New(rand.NewPCG(seed, seed))} //nolint:gosec // repeatable is the point
}

// next says when a frame of n bytes that comes now goes out, and how many times: 0 is lost.
func (l *line) next(now time.Time, n int) (at time.Time, times int) {
	l.frames++
	if l.loses() {
		l.lost++
		return time.Time{}, 0
	}
	at = now
	if l.Rate > 0 {
		queue := l.Queue
		if queue == 0 {
			queue = 200 * time.Millisecond
		}
		if l.idle.Before(now) {
			l.idle = now
		}
		if l.idle.Sub(now) > queue {
			l.full++
			return time.Time{}, 0
		}
		l.idle = l.idle.Add(time.Duration(float64(n*8) / l.Rate * float64(time.Second)))
		at = l.idle
	}
	times = 1
	if l.chance(l.Duplicate) {
		l.doubled++
		times = 2
	}
	if l.chance(l.Reorder) {
		return at.Add(l.Delay / 2), times
	}
	delay := l.Delay
	if l.Jitter > 0 {
		delay += time.Duration((l.rng.Float64()*2 - 1) * float64(l.Jitter))
	}
	at = at.Add(max(0, delay)) // nothing leaves before the rate limit has sent it
	if at.Before(l.last) {
		at = l.last
	}
	l.last = at
	return at, times
}

// loses draws one loss. With bursts there are two states, one that passes everything and one that loses everything, which
// is left with probability 1/Burst and entered so often that Loss percent are lost on average. Between two runs at least one
// frame passes, so a high Loss makes the runs longer than asked.
func (l *line) loses() bool {
	if l.Burst <= 1 || l.Loss <= 0 || l.Loss >= 100 {
		l.inLoss = false // a run does not outlive the setting that began it
		return l.chance(l.Loss)
	}
	odds := l.Loss / (100 - l.Loss)
	burst := max(l.Burst, odds)
	if l.inLoss {
		l.inLoss = l.rng.Float64() >= 1/burst
	} else {
		l.inLoss = l.rng.Float64() < odds/burst
	}
	return l.inLoss
}

func (l *line) chance(percent float64) bool {
	return percent > 0 && l.rng.Float64()*100 < percent
}

func (l *line) String() string {
	return fmt.Sprintf("frames=%d lost=%d full=%d doubled=%d", l.frames, l.lost, l.full, l.doubled)
}
