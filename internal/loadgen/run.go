package loadgen

import (
	"context"
	"errors"
	"fmt"
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

// publish brings the publishers into their rooms, one after the other, so that each meets those before.
func (r *run) publish(ctx context.Context) error {
	slots := 0
	if r.cfg.Meeting {
		slots = min(r.cfg.Publishers-1, maxSlots)
	}
	total := r.cfg.Rooms * r.cfg.Publishers
	for n := range total {
		room, place := n%r.cfg.Rooms, n/r.cfg.Rooms
		c, err := newClient(&r.cfg, r.id, r.meter, r.role(room, slots, "publisher"), n)
		if err != nil {
			return err
		}
		if err := r.join(ctx, c, place > 0 && slots > 0); err != nil {
			return fmt.Errorf("publisher %d: %w", n+1, err)
		}
		r.pacer.add(c.publisher, n, total, time.Now())
	}
	if slots == 0 {
		return nil
	}
	for _, c := range r.all() {
		if err := r.picture(ctx, c); err != nil {
			return fmt.Errorf("a meeting in which not everybody sees somebody: %w", err)
		}
	}
	return nil
}

// view brings n more viewers into each room, evenly over the time of ramp. Those that fail are counted.
func (r *run) view(ctx context.Context, n int, ramp time.Duration) error {
	total := n * r.cfg.Rooms
	clients := make([]*client, total)
	for i := range clients {
		c, err := newClient(&r.cfg, r.id, r.meter, r.role(i%r.cfg.Rooms, r.cfg.watched(), "viewer"), -1)
		if err != nil {
			for _, c := range clients[:i] {
				r.dismiss(c)
			}
			return err
		}
		clients[i] = c
	}
	var joins sync.WaitGroup
	began := time.Now()
	for i, c := range clients {
		joins.Go(func() {
			if wait(ctx, time.Until(began.Add(ramp*time.Duration(i)/time.Duration(total)))) != nil {
				r.dismiss(c)
				return
			}
			_ = r.join(ctx, c, true) // noted by join
		})
	}
	joins.Wait()
	return ctx.Err()
}

// early brings in the viewers whose joins are not timed.
func (r *run) early(ctx context.Context) error {
	if r.cfg.Early == 0 {
		return nil
	}
	if err := r.view(ctx, r.cfg.Early, time.Duration(r.cfg.Early*r.cfg.Rooms)*time.Second/joinPace); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.joinMedia.reset()
	r.joinVideo.reset()
	return nil
}

// timed brings in the viewers, and takes what that costs.
func (r *run) timed(ctx context.Context) error {
	a, err := r.server(ctx)
	if err != nil {
		return err
	}
	used, _ := cpuTime()
	from := flow{at: time.Now(), cpu: used}
	if err := r.view(ctx, r.cfg.Viewers, r.cfg.Ramp); err != nil {
		return err
	}
	used, _ = cpuTime()
	r.joining = generator(from, flow{at: time.Now(), cpu: used}).CPUPercent
	b, err := r.server(ctx)
	if n := r.cfg.Viewers * r.cfg.Rooms; n > 0 {
		r.perJoin = 1000 * (b.CPU - a.CPU) / float64(n)
	}
	return err
}

// role makes the next participant of a room.
func (r *run) role(room, slots int, what string) role {
	r.nextID++
	full := slots > 0 && (r.cfg.Full < 0 || r.fulls < r.cfg.Full)
	if full {
		r.fulls++
	}
	return role{
		room: fmt.Sprintf("%s%d", r.cfg.Prefix, room+1), identity: fmt.Sprintf("%s-%d", what, r.nextID), slots: slots, full: full,
	}
}

// join joins one client, and waits for its picture where one is to be expected.
func (r *run) join(ctx context.Context, c *client, sees bool) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Patience)
	defer cancel()
	err := c.join(ctx)
	if err == nil && sees {
		err = r.picture(ctx, c)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.failures = append(r.failures, c.role.identity+": "+err.Error())
		r.leaving = append(r.leaving, c)
		return err
	}
	r.clients = append(r.clients, c)
	if sees {
		media, picture := c.receiver.joined()
		r.joinMedia.add(media)
		r.joinVideo.add(picture)
	}
	return nil
}

// dismiss has a client closed that never joined.
func (r *run) dismiss(c *client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaving = append(r.leaving, c)
}

// picture waits until a client has seen one.
func (r *run) picture(ctx context.Context, c *client) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Patience)
	defer cancel()
	select {
	case <-c.receiver.seen:
		return nil
	case <-ctx.Done():
		if err := c.err(); err != nil {
			return err
		}
		return fmt.Errorf("no picture came: %w", ctx.Err())
	}
}

// measure lets things settle and measures for the duration.
func (r *run) measure(ctx context.Context) (Report, error) {
	r.enter("settling")
	if err := wait(ctx, r.cfg.Settle); err != nil {
		return Report{}, err
	}
	clients := r.all()
	r.enter("measuring")
	a, err := r.server(ctx)
	if err != nil {
		return Report{}, err
	}
	r.pacer.reset()
	for _, c := range clients {
		c.receiver.mark()
	}
	r.meter.begin()
	from := r.flow(clients)
	if err := wait(ctx, r.cfg.Duration); err != nil {
		return Report{}, err
	}
	to := r.flow(clients)
	r.meter.end()
	late, skipped := r.pacer.lateness()
	b, err := r.server(ctx)
	if err != nil {
		return Report{}, err
	}
	report := r.describe(clients)
	report.Traffic = traffic(from, to, r.losses(clients), r.cfg.Simulcast)
	g := generator(from, to)
	g.SendLate, g.Skipped = late, skipped
	r.meter.mu.Lock()
	report.Latency = Latency{Sampled: r.meter.sample.summary(), Full: r.meter.full.summary()}
	g.ReceiveDelay = r.meter.delay.summary()
	r.meter.mu.Unlock()
	if r.cfg.Server != nil {
		report.Server = server(r.before, a, b, r.counted)
		if a.Machine > 0 {
			others := b.Machine - a.Machine - (b.CPU - a.CPU) - (to.cpu - from.cpu).Seconds()
			report.Server.OthersCPU = max(percent(others, b.At.Sub(a.At).Seconds()), 0)
		}
	}
	g.Limits = g.limits(report.Server)
	report.Generator = g
	return report, nil
}

// describe is the report's part that needs no measurement.
func (r *run) describe(clients []*client) Report {
	c := r.cfg
	s := Setup{
		Rooms: c.Rooms, Publishers: c.Publishers, Viewers: c.Viewers, Early: c.Early, Meeting: c.Meeting, Seconds: c.Duration.Seconds(),
		Codec: "vp8", Simulcast: c.Simulcast, PacketBytes: c.PacketBytes, Data: c.Data, SampleEvery: int(c.every),
	}
	for _, cl := range clients {
		if cl.role.slots == 0 {
			continue
		}
		if _, light := cl.dropped(); light {
			s.Light++
		} else {
			s.Full++
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	j := Joins{
		Joined: len(r.clients), Failed: len(r.failures), FirstMedia: r.joinMedia.summary(), FirstVideo: r.joinVideo.summary(),
		ServerCPU: r.perJoin, GeneratorCPU: r.joining, Errors: r.failures[:min(len(r.failures), 5)],
	}
	for _, cl := range r.clients {
		if err := cl.err(); err != nil && len(j.Errors) < 10 {
			j.Errors = append(j.Errors, cl.role.identity+": "+err.Error())
		}
	}
	return Report{Setup: s, Joins: j}
}

// flow reads all counters.
func (r *run) flow(clients []*client) flow {
	f := flow{at: time.Now()}
	f.cpu, _ = cpuTime()
	watching := map[string]uint64{}
	for _, c := range clients {
		if c.role.slots > 0 {
			watching[c.role.room]++
		}
	}
	for _, c := range clients {
		if c.publisher == nil {
			continue
		}
		n := c.publisher.sent()
		viewers := watching[c.role.room]
		if c.role.slots > 0 {
			viewers-- // itself
		}
		f.published += n
		f.due += n * viewers
	}
	for _, c := range clients {
		t, _, _, _ := c.receiver.snapshot()
		f.packets += t.packets
		f.bytes += t.bytes
		f.bad += t.bad
		f.resent += t.resent
		switch n, light := c.dropped(); {
		case !light:
			f.unread += n
		case t.packets > 0:
			f.packets += n
			f.bytes += n * t.bytes / t.packets
		}
	}
	return f
}

func (r *run) losses(clients []*client) losses {
	var l losses
	for _, c := range clients {
		_, received, expected, silent := c.receiver.snapshot()
		l.silent += silent
		to := &l.light
		if c.receiver.full || r.cfg.every == 1 {
			to = &l.full
		}
		to[0] += received
		to[1] += expected
	}
	return l
}

func (r *run) server(ctx context.Context) (ServerSample, error) {
	if r.cfg.Server == nil {
		return ServerSample{}, nil
	}
	s, err := r.cfg.Server(ctx)
	if err != nil {
		return s, fmt.Errorf("ask the server: %w", err)
	}
	return s, nil
}

func (r *run) all() []*client {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*client(nil), r.clients...)
}

func (r *run) count() int { return len(r.all()) }

func (r *run) enter(phase string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.phase = phase
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
		r.meter.mu.Lock()
		l.P50, l.P99 = r.meter.recent.quantile(0.5), r.meter.recent.quantile(0.99)
		r.meter.recent.reset()
		r.meter.mu.Unlock()
		r.mu.Lock()
		l.Phase = r.phase
		r.mu.Unlock()
		r.cfg.Live(l)
	}
}

// leave closes all clients.
func (r *run) leave(ctx context.Context) error {
	r.mu.Lock()
	clients := append(r.leaving, r.clients...)
	r.clients, r.leaving = nil, nil
	r.mu.Unlock()
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
