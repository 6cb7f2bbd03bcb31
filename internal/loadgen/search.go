package loadgen

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// joinPace is how many viewers a second a search brings in at most: so few that joining does not disturb those who are there for
// long.
const joinPace = 100

// search raises the viewers until a bound is passed in two measurements in a row. first is the measurement with the viewers that it begins with. The
// report is that of the last step within the bounds, or of the first step.
func (r *run) search(ctx context.Context, first Report) (Report, error) {
	bounds := *r.cfg.Capacity
	best, last := first, first
	s := &Search{}
	again := false
	for {
		viewers := r.watching() / r.cfg.Rooms
		step := stepOf(viewers, last)
		s.Steps = append(s.Steps, step)
		if s.EndedBy = bounds.exceeded(step, last); s.EndedBy != "" {
			if again {
				break
			}
			again = true // a disturbance is not the end: the second measurement counts
			var err error
			if last, err = r.measure(ctx); err != nil {
				return best, err
			}
			continue
		}
		again = false
		best, s.Viewers, s.PacketsPerSecond = last, viewers, step.PacketsPerSecond
		more := int(math.Ceil(float64(viewers)*bounds.Growth)) - viewers
		if viewers+more > bounds.Most {
			s.EndedBy = fmt.Sprintf("the bound of %d viewers a room", bounds.Most)
			break
		}
		if err := r.grow(ctx, more); err != nil {
			return best, err
		}
		if came := r.watching()/r.cfg.Rooms - viewers; 2*came < more {
			s.EndedBy = fmt.Sprintf("joins: only %d of %d more viewers came in", came, more)
			break
		}
		var err error
		if last, err = r.measure(ctx); err != nil {
			return best, err
		}
	}
	best.Setup.Viewers = s.Viewers
	best.Search = s
	return best, nil
}

// joinsLast is how long a search waits for the viewers of a step.
const joinsLast = 90 * time.Second

// grow brings n more viewers into each room. Meanwhile pictures have one packet: near its capacity a server has no time for joins, and
// those are not what is looked for.
func (r *run) grow(ctx context.Context, n int) error {
	r.enter("joining")
	r.thin(true)
	defer r.thin(false)
	within, cancel := context.WithTimeout(ctx, joinsLast)
	defer cancel()
	err := r.view(within, n, pace{ramp: time.Duration(n*r.cfg.Rooms) * time.Second / joinPace})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = nil // search looks at how many came
	}
	return errors.Join(err, r.expel(ctx))
}

func (r *run) thin(on bool) {
	for _, c := range r.all() {
		if c.publisher != nil {
			c.publisher.thin.Store(on)
		}
	}
}

// watching counts the viewers who are there.
func (r *run) watching() int {
	n := 0
	for _, c := range r.all() {
		if c.publisher == nil {
			n++
		}
	}
	return n
}

func stepOf(viewers int, report Report) Step {
	s := Step{
		Viewers: viewers, PacketsPerSecond: report.Traffic.PacketsPerSecond, P50: report.Latency.Sampled.P50,
		P99: report.Latency.Sampled.P99, Loss: report.Traffic.Loss(), GeneratorCPU: report.Generator.CPUPercent,
		Limits: report.Generator.Limits,
	}
	if report.Server != nil {
		s.ServerCPU, s.CPUPerPacket = report.Server.CPUPercent, report.Server.CPUPerPacket
	}
	return s
}

// exceeded says which bound a step is beyond, or "".
func (c Capacity) exceeded(s Step, report Report) string {
	switch {
	case s.P99 > millis(c.P99):
		return fmt.Sprintf("p99 of %.1f ms", s.P99)
	case s.Loss > c.Loss:
		return fmt.Sprintf("loss of %.2f %%", s.Loss)
	case report.Traffic.SilentStreams > 0:
		return fmt.Sprintf("%d streams of which nothing came", report.Traffic.SilentStreams)
	case report.Generator.CPUPercent > maxGeneratorCPU:
		return fmt.Sprintf("the generator, at %.0f %% of its CPU", report.Generator.CPUPercent)
	}
	return ""
}
