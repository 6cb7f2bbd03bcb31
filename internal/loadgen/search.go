package loadgen

import (
	"context"
	"fmt"
	"math"
	"time"
)

// joinPace is how many viewers a second a search brings in: so few that joining does not disturb those who are there for
// long.
const joinPace = 100

// search raises the viewers until a bound is passed in two measurements in a row. first is the measurement with the viewers that it begins with. The
// report is that of the last step within the bounds, or of the first step.
func (r *run) search(ctx context.Context, first Report) (Report, error) {
	bounds := *r.cfg.Capacity
	best, last := first, first
	s := &Search{}
	viewers, again := r.cfg.Viewers, false
	for {
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
		viewers += more
		r.cfg.Viewers = viewers
		r.enter("joining")
		ramp := time.Duration(more*r.cfg.Rooms) * time.Second / joinPace
		if err := r.view(ctx, more, ramp); err != nil {
			return best, err
		}
		var err error
		if last, err = r.measure(ctx); err != nil {
			return best, err
		}
	}
	best.Search = s
	return best, nil
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
	case report.Joins.Failed > 0:
		return fmt.Sprintf("%d of the viewers could not join", report.Joins.Failed)
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
