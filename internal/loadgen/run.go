package loadgen

import (
	"context"
	"errors"
	"sync"
	"time"
)

// run is one run of the generator.
type run struct {
	// Static after construction.
	cfg     Config
	id      *identity
	meter   *meter
	pacer   *pacer
	started time.Time

	// Owned by the goroutine of Run.
	before  ServerSample // before the participants came over whom memory is shared out
	counted int          // those participants
	nextID  int
	joining float64 // percent of its CPU that the generator used while viewers joined
	perJoin float64 // ms of the server's CPU

	mu        sync.Mutex
	clients   []*client // Guarded by mu.
	leaving   []*client // Guarded by mu: clients that failed to join, to be closed.
	phase     string    // Guarded by mu.
	fulls     int       // Guarded by mu.
	failures  []string  // Guarded by mu.
	joinMedia histogram // Guarded by mu.
	joinVideo histogram // Guarded by mu.
}

// Run does what cfg says and returns what came of it. It leaves all rooms before it returns, also when ctx ends early; then
// the error is ctx's.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if err := cfg.Validate(); err != nil {
		return Report{}, err
	}
	cfg = cfg.withDefaults()
	id, err := newIdentity()
	if err != nil {
		return Report{}, err
	}
	r := &run{cfg: cfg, id: id, meter: &meter{}, pacer: &pacer{}, started: time.Now()}
	life, stop := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	tasks.Go(func() { r.pacer.run(life) })
	if cfg.Live != nil {
		tasks.Go(func() { r.watch(life) })
	}
	report, err := r.do(ctx)
	r.enter("leaving")
	err = errors.Join(err, r.leave(context.WithoutCancel(ctx)))
	stop()
	tasks.Wait()
	return report, err
}

// do joins, measures and reports.
func (r *run) do(ctx context.Context) (Report, error) {
	var err error
	r.enter("publishers")
	if r.cfg.Meeting {
		if r.before, err = r.server(ctx); err != nil {
			return Report{}, err
		}
	}
	if err := r.publish(ctx); err != nil {
		return Report{}, err
	}
	if !r.cfg.Meeting {
		if err := wait(ctx, r.cfg.Settle/2); err != nil {
			return Report{}, err
		}
		if r.before, err = r.server(ctx); err != nil {
			return Report{}, err
		}
	}
	r.enter("joining")
	if err := r.early(ctx); err != nil {
		return Report{}, err
	}
	if err := r.timed(ctx); err != nil {
		return Report{}, err
	}
	r.counted = r.count()
	if !r.cfg.Meeting {
		r.counted -= r.cfg.Rooms * r.cfg.Publishers
	}
	report, err := r.measure(ctx)
	if err != nil || r.cfg.Capacity == nil {
		return report, err
	}
	return r.search(ctx, report)
}

// watch tells how it goes, once a second.
func (r *run) watch(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	last := flow{at: time.Now()}
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		clients := r.all()
		now := r.flow(clients)
		seconds := now.at.Sub(last.at).Seconds()
		l := Live{
			Elapsed: time.Since(r.started), Clients: len(clients),
			PacketsPerSecond: max(float64(int64(now.packets-last.packets))/seconds, 0),
			BitsPerSecond:    max(8*float64(int64(now.bytes-last.bytes))/seconds, 0),
			GeneratorCPU:     generator(last, now).CPUPercent,
		}
		last = now
		lost := r.losses(clients)
		l.Loss = max(lost.percent(lost.light), lost.percent(lost.full))
		r.meter.mu.Lock()
		l.P50, l.P99 = r.meter.recent.quantile(0.5), r.meter.recent.quantile(0.99)
		r.meter.recent.reset()
		r.meter.mu.Unlock()
		r.mu.Lock()
		l.Phase, l.Failed = r.phase, len(r.failures)
		r.mu.Unlock()
		r.cfg.Live(l)
	}
}

// leave closes all clients.
func (r *run) leave(ctx context.Context) error {
	r.mu.Lock()
	clients := r.clients
	r.clients = nil
	r.mu.Unlock()
	return errors.Join(r.dissolve(ctx, clients), r.expel(ctx))
}

// expel closes those who failed to join.
func (r *run) expel(ctx context.Context) error {
	r.mu.Lock()
	clients := r.leaving
	r.leaving = nil
	r.mu.Unlock()
	return r.dissolve(ctx, clients)
}

// dissolve closes clients, all at once.
func (r *run) dissolve(ctx context.Context, clients []*client) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Patience)
	defer cancel()
	errs := make([]error, len(clients))
	var closing sync.WaitGroup
	for i, c := range clients {
		closing.Go(func() { errs[i] = c.close(ctx) })
	}
	closing.Wait()
	return errors.Join(errs...)
}

// wait lets d pass.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
