package loadgen

import (
	"context"
	"slices"
	"sync"
	"time"
)

// skipAfter is how late a picture or a sound may be before it is left out: a generator that fell behind must not catch up
// in one burst.
const skipAfter = 100 * time.Millisecond

// pacer sends the media of all publishers at its times, their frames spread evenly over the interval.
type pacer struct {
	mu       sync.Mutex
	schedule []*scheduled // Guarded by mu.
	late     histogram    // Guarded by mu: how long after its time each frame or sound began to be sent.
	skipped  uint64       // Guarded by mu: frames and sounds.
	silent   bool         // Guarded by mu: what is due is left out, and not counted.
}

type scheduled struct {
	publisher    *publisher
	frame, sound time.Time // when the next is due
}

// add starts a publisher. n of total says where in the interval it sends.
func (p *pacer) add(pub *publisher, n, total int, now time.Time) {
	phase := time.Duration(n) * frameEvery / time.Duration(max(total, 1))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.schedule = append(p.schedule, &scheduled{pub, now.Add(phase), now.Add(phase % audioEvery)})
}

// run sends until the context ends.
func (p *pacer) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			timer.Reset(time.Until(p.step(time.Now())))
		}
	}
}

// step sends what is due and returns when it is to be called again.
func (p *pacer) step(now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := now.Add(10 * time.Millisecond) // so that new publishers are seen
	for _, s := range p.schedule {
		s.frame = p.due(s.frame, frameEvery, s.publisher.sendFrame)
		s.sound = p.due(s.sound, audioEvery, s.publisher.sendAudio)
		for _, t := range []time.Time{s.frame, s.sound} {
			if t.Before(next) {
				next = t
			}
		}
	}
	return next
}

// due calls send if it is time, and returns the time after that.
func (p *pacer) due(at time.Time, every time.Duration, send func(time.Time)) time.Time {
	now := time.Now()
	late := now.Sub(at)
	if late < 0 {
		return at
	}
	for late > skipAfter {
		at, late = at.Add(every), late-every
		if !p.silent {
			p.skipped++
		}
	}
	if p.silent {
		return at.Add(every)
	}
	p.late.add(late)
	send(now)
	return at.Add(every)
}

// pause silences all publishers, or lets them go on.
func (p *pacer) pause(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = on
}

// still returns the middle of the longest time within the next two pictures in which nothing is due.
func (p *pacer) still(now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	var due []time.Time
	add := func(at time.Time, every time.Duration) {
		for ; at.Before(now.Add(2 * frameEvery)); at = at.Add(every) {
			due = append(due, at)
		}
	}
	for _, s := range p.schedule {
		add(s.frame, frameEvery)
		add(s.sound, audioEvery)
	}
	slices.SortFunc(due, time.Time.Compare)
	middle, longest := now, time.Duration(0)
	for i := 1; i < len(due); i++ {
		if gap := due[i].Sub(due[i-1]); gap > longest {
			middle, longest = due[i-1].Add(gap/2), gap
		}
	}
	return middle
}

// reset forgets how late it was.
func (p *pacer) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.late.reset()
	p.skipped = 0
}

func (p *pacer) lateness() (Quantiles, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.late.summary(), p.skipped
}
