package allocate

import (
	"slices"
	"time"
)

const (
	maxSteps = 9 // 3 spatial by 3 temporal layers

	upgradeShare = 0.90 // of the budget: so much may be used for an upgrade to be made
	ampleShare   = 0.65 // so much ends the pause after a downgrade

	drainShare = 0.90 // of Standing: so much may flow on while a queue drains

	tolerance    = 1.15 // of the budget may be used by what flows already…
	toleranceFor = time.Second

	firstHold = 3 * time.Second  // no spatial upgrade after a downgrade
	pauseHold = time.Second      // nor the end of a pause
	patience  = time.Second      // before a stream is paused: queues drain in less…
	grace     = 200_000          // bit/s, unless it is more than so much too much
	maxHold   = 24 * time.Second // when upgrades fail again and again
	failed    = 5 * time.Second  // a downgrade so soon after an upgrade says that the upgrade was wrong
)

// Choice is a spatial and a temporal layer: all layers up to these are sent. Spatial -1: none.
type Choice struct{ Spatial, Temporal int }

// Paused reports whether nothing is sent.
func (c Choice) Paused() bool { return c.Spatial < 0 }

// Less orders choices by resolution, then by frame rate.
func (c Choice) Less(o Choice) bool {
	return c.Spatial < o.Spatial || c.Spatial == o.Spatial && c.Temporal < o.Temporal
}

// Rung is what a source offers.
type Rung struct {
	Choice
	Rate int // bit/s to send this choice, lower layers that it needs included
}

// Memory is what the allocator remembers of a stream. The zero value is a stream that has just begun.
type Memory struct {
	begun     bool
	now       Choice
	upgraded  time.Time
	holdUntil time.Time
	hold      time.Duration
	short     time.Time // since when not even its lowest layer fits
}

// Stream is one video that the receiver shows.
type Stream struct {
	Screen bool   // text: frames are given up before resolution
	Class  int    // a lower class is served in full before the next gets more than its lowest layer
	Rungs  []Rung // what is live and of use at the size of the tile, in any order. Empty: nothing to send
	Memory *Memory
}

// Input is what is shared, and among whom.
type Input struct {
	Estimate int      // bit/s for everything
	Arriving int      // bit/s that are known to arrive: lowest layers that fit it are not paused while a queue drains
	Standing int      // bit/s that fit when the queue of the moment is gone: what flows well within them stays, the queue goes anyhow
	Fixed    int      // bit/s that are taken first: sound
	Repairs  int      // bit/s of retransmissions: no reason to pause anything, but to upgrade nothing
	Urgent   bool     // congestion is seen now: no tolerance
	Calm     bool     // nothing queues and nothing is lost: what flows fits, whatever the estimate says
	Streams  []Stream // the most important first
}

// Grant is what a stream gets.
type Grant struct {
	Choice
	Rate    int  // bit/s
	Limited bool // bandwidth is why it is not more; Paused and Limited: not even the lowest fits
	Room    int  // bit/s that a step up might take, if the others keep what they are granted
}

// Verdict is the outcome.
type Verdict struct {
	Grants []Grant // by index of Input.Streams, valid until the next call
	Sum    int     // bit/s of all that is granted, and of Fixed
	Next   int     // bit/s of estimate at which the next upgrade would be made. 0: nothing more is wanted
	Paused bool    // it would end a pause, or keep one away
}

// Allocator shares among one receiver's streams. The zero value is ready.
type Allocator struct {
	over   time.Time // since when more than the budget is used
	plans  []plan
	order  []int
	grants []Grant
}

// plan is a stream's part of an allocation.
type plan struct {
	steps [maxSteps]Rung // what it may get, in the order in which it gets it
	n     int
	floor int // the step that counts as its lowest layer
	had   int // the step it has now, n-1 where it has just begun; -1: none
	at    int // granted, -1: none
	fresh bool
	class int
}

// Allocate decides who gets what from now on.
func (a *Allocator) Allocate(now time.Time, in Input) Verdict {
	a.prepare(in.Streams)
	lowest := max(in.Estimate, in.Arriving) - in.Fixed
	in.Fixed += in.Repairs
	budget := max(in.Estimate-in.Fixed, 0)
	standing := max(int(float64(in.Standing)*drainShare)-in.Fixed, budget)
	keep := a.kept(now, budget, standing, in.Urgent)
	sum := a.floors(now, in.Streams, budget, keep, lowest, in.Calm && !in.Urgent)
	sum = a.upgrades(now, in.Streams, budget, keep, sum)
	v := Verdict{Sum: sum + in.Fixed}
	v.Next, v.Paused = a.next(sum, in.Fixed)
	if in.Calm && v.Sum > in.Estimate { // it would be one, but for the calm
		v.Next, v.Paused = v.Sum, true
	}
	a.grants = a.grants[:0]
	for i := range a.plans {
		g := a.plans[i].commit(now, in.Streams[i].Memory)
		g.Room = max(int(float64(max(in.Standing-in.Fixed, budget))*upgradeShare)-sum+a.plans[i].cost(a.plans[i].at), 0)
		a.grants = append(a.grants, g)
	}
	v.Grants = a.grants
	return v
}

func (a *Allocator) prepare(streams []Stream) {
	a.plans, a.order = slices.Grow(a.plans[:0], len(streams))[:len(streams)], a.order[:0]
	for i := range streams {
		a.plans[i].init(&streams[i])
		a.order = append(a.order, i)
	}
	slices.SortStableFunc(a.order, func(i, j int) int {
		switch x, y := &streams[i], &streams[j]; {
		case x.Screen != y.Screen:
			if x.Screen {
				return -1
			}
			return 1
		default:
			return x.Class - y.Class
		}
	})
	for i := range streams {
		if a.plans[i].class = streams[i].Class; streams[i].Screen {
			a.plans[i].class = -1 << 31
		}
	}
}

// init lays out the steps of a stream. A camera keeps its frame rate: temporal layers are given up on its lowest spatial layer
// only. A screen keeps its resolution: below its highest spatial layer it is shown where nothing else could yield more.
func (p *plan) init(s *Stream) {
	*p = plan{at: -1, had: -1}
	low, high := 1<<30, -1
	for _, r := range s.Rungs {
		low, high = min(low, r.Spatial), max(high, r.Spatial)
	}
	for _, r := range s.Rungs {
		whole := low // the spatial layer of which all temporal layers are steps
		useful := r.Temporal == topTemporal(s.Rungs, r.Spatial)
		if s.Screen {
			whole = high
			useful = r.Temporal == bottomTemporal(s.Rungs, r.Spatial)
		}
		if (r.Spatial == whole || useful) && p.n < maxSteps {
			p.steps[p.n] = r
			p.n++
		}
	}
	steps := p.steps[:p.n]
	slices.SortFunc(steps, func(x, y Rung) int {
		if x.Spatial != y.Spatial {
			return x.Spatial - y.Spatial
		}
		return x.Temporal - y.Temporal
	})
	for i := 1; i < p.n; i++ { // measured rates need not rise; with costs that do, more budget never buys less
		steps[i].Rate = max(steps[i].Rate, steps[i-1].Rate)
	}
	if s.Screen {
		p.floor = max(slices.IndexFunc(steps, func(r Rung) bool { return r.Spatial == high }), 0)
	}
	m := s.Memory
	if p.fresh = !m.begun; p.fresh {
		p.had = p.n - 1
		return
	}
	for i, r := range steps {
		if !m.now.Less(r.Choice) {
			p.had = i
		}
	}
}

func topTemporal(rungs []Rung, spatial int) int {
	top := -1
	for _, r := range rungs {
		if r.Spatial == spatial {
			top = max(top, r.Temporal)
		}
	}
	return top
}

func bottomTemporal(rungs []Rung, spatial int) int {
	bottom := 1 << 30
	for _, r := range rungs {
		if r.Spatial == spatial {
			bottom = min(bottom, r.Temporal)
		}
	}
	return bottom
}

// kept returns how much may be used by what flows already.
func (a *Allocator) kept(now time.Time, budget, standing int, urgent bool) float64 {
	used, fresh := 0, false
	for i := range a.plans {
		p := &a.plans[i]
		used += p.cost(p.had)
		fresh = fresh || p.fresh
	}
	if used <= standing {
		a.over = time.Time{}
		return float64(max(budget, used))
	}
	if a.over.IsZero() {
		a.over = now
	}
	if urgent || fresh || now.Sub(a.over) >= toleranceFor {
		return float64(budget)
	}
	return float64(budget) * tolerance
}

// cost returns the rate of a step.
func (p *plan) cost(step int) int {
	if step < 0 || step >= p.n {
		return 0
	}
	return p.steps[step].Rate
}

// fits reports whether a stream may have a step when all together then cost sum.
func (p *plan) fits(now time.Time, m *Memory, step, sum int, budget int, keep float64) bool {
	limit := keep
	if step > p.had {
		limit = float64(budget) * upgradeShare
		if now.Before(m.holdUntil) && (p.had < 0 || p.steps[step].Spatial > p.steps[p.had].Spatial) {
			limit = float64(budget) * ampleShare
		}
	}
	return float64(sum) <= limit
}

// floors gives every stream its lowest layer, or pauses it where that does not fit any more.
func (a *Allocator) floors(now time.Time, streams []Stream, budget int, keep float64, lowest int, calm bool) (sum int) {
	for _, i := range a.order {
		p := &a.plans[i]
		if p.n == 0 {
			continue
		}
		m := streams[i].Memory
		for _, step := range [...]int{p.floor, 0} {
			if p.fits(now, m, step, sum+p.cost(step), budget, keep) || step == 0 && p.had >= 0 && sum+p.cost(0) <= lowest {
				p.at = step
				break
			}
		}
		switch {
		case p.at >= 0:
			m.short = time.Time{}
		case p.had >= 0 && !p.fresh:
			if m.short.IsZero() {
				m.short = now
			}
			if calm || now.Sub(m.short) < patience && sum+p.cost(0) <= max(lowest, 0)+grace {
				p.at = 0
			}
		}
		sum += p.cost(p.at)
	}
	return sum
}

// upgrades raises the streams of one class after another, step by step in turns.
func (a *Allocator) upgrades(now time.Time, streams []Stream, budget int, keep float64, sum int) int {
	for begin := 0; begin < len(a.order); {
		end := begin
		for end < len(a.order) && a.plans[a.order[end]].class == a.plans[a.order[begin]].class {
			end++
		}
		for raised := true; raised; {
			raised = false
			for _, i := range a.order[begin:end] {
				p := &a.plans[i]
				if p.at < 0 || p.at+1 >= p.n {
					continue
				}
				after := sum - p.cost(p.at) + p.cost(p.at+1)
				if p.fits(now, streams[i].Memory, p.at+1, after, budget, keep) {
					p.at++
					sum, raised = after, true
				}
			}
		}
		begin = end
	}
	return sum
}

// next returns the estimate that the first stream needs that did not get all, and whether that one is paused.
func (a *Allocator) next(sum, fixed int) (next int, paused bool) {
	need := func(p *plan, step int) int {
		return fixed + int(float64(sum-p.cost(p.at)+p.cost(step))/upgradeShare) + 1
	}
	for _, i := range a.order {
		if p := &a.plans[i]; p.n > 0 && p.at < 0 {
			return need(p, 0), true
		}
	}
	for _, i := range a.order {
		if p := &a.plans[i]; p.n > 0 && p.at < p.floor {
			return need(p, p.floor), false
		}
	}
	for _, i := range a.order {
		if p := &a.plans[i]; p.at+1 < p.n {
			return need(p, p.at+1), false
		}
	}
	return 0, false
}

// commit remembers the decision.
func (p *plan) commit(now time.Time, m *Memory) Grant {
	g := Grant{Choice: Choice{-1, -1}, Limited: p.at+1 < p.n}
	if p.n == 0 { // nothing is live: what comes next is no upgrade
		*m = Memory{hold: m.hold, upgraded: m.upgraded, holdUntil: m.holdUntil}
		return g
	}
	if p.at >= 0 {
		g.Choice, g.Rate = p.steps[p.at].Choice, p.steps[p.at].Rate
	}
	had := Choice{-1, -1}
	if p.had >= 0 {
		had = p.steps[p.had].Choice
	}
	switch {
	case p.fresh:
	case g.Spatial > had.Spatial:
		m.upgraded = now
	case g.Paused() && !had.Paused():
		m.holdUntil = now.Add(pauseHold)
	case g.Spatial < had.Spatial:
		switch {
		case m.hold == 0 || now.Sub(m.upgraded) >= failed:
			m.hold = firstHold
		default:
			m.hold = min(2*m.hold, maxHold)
		}
		m.holdUntil = now.Add(m.hold)
	}
	m.begun, m.now = true, g.Choice
	return g
}
