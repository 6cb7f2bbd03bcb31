package loadgen

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// measure lets things settle and measures for the duration.
func (r *run) measure(ctx context.Context) (Report, error) {
	r.enter("settling")
	if err := wait(ctx, r.cfg.Settle); err != nil {
		return Report{}, err
	}
	clients := r.all()
	if err := r.hush(ctx, true); err != nil {
		return Report{}, err
	}
	r.enter("measuring")
	a, err := r.server(ctx)
	if err != nil {
		return Report{}, err
	}
	if err := r.edge(ctx); err != nil {
		return Report{}, err
	}
	r.pacer.reset()
	for _, c := range clients {
		c.receiver.mark()
	}
	r.meter.begin()
	from := r.flow(clients)
	if err := r.hush(ctx, false); err != nil {
		return Report{}, err
	}
	series, err := r.last(ctx, clients, from, a)
	if err != nil {
		return Report{}, err
	}
	if err := errors.Join(r.hush(ctx, true), r.edge(ctx)); err != nil {
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
	report.Series = series
	report.Traffic = traffic(from, to, r.losses(clients), r.cfg.Simulcast)
	g := generator(from, to)
	g.SendLate, g.Skipped = late, skipped
	r.meter.mu.Lock()
	report.Latency = Latency{Sampled: r.meter.sample.summary(), Full: r.meter.full.summary()}
	g.ReceiveDelay = r.meter.delay.summary()
	r.meter.mu.Unlock()
	if r.cfg.Server != nil {
		report.Server = server(r.before, a, b, r.counted)
		if r.cfg.Every > 0 {
			report.Accounts = accounts(from, to, a, b, r.cfg.Simulcast)
		}
		if a.Machine > 0 {
			others := b.Machine - a.Machine - (b.CPU - a.CPU) - (to.cpu - from.cpu).Seconds()
			report.Server.OthersCPU = max(percent(others, b.At.Sub(a.At).Seconds()), 0)
		}
	}
	g.Limits = g.limits(report.Server)
	report.Generator = g
	return report, nil
}

// edge waits for a moment at which no packet is under way, as far as there is one: else one that is counted as published before the window ends, and
// received after, looks like a loss, or the other way round at its beginning.
func (r *run) edge(ctx context.Context) error {
	return wait(ctx, time.Until(r.pacer.still(time.Now())))
}

// describe is the report's part that needs no measurement.
func (r *run) describe(clients []*client) Report {
	c := r.cfg
	s := Setup{
		Rooms: c.Rooms, Publishers: c.Publishers, Viewers: c.Viewers, Early: c.Early, Meeting: c.Meeting, Seconds: c.Duration.Seconds(),
		Codec: c.Codec, Burst: c.Burst, Simulcast: c.Simulcast, PacketBytes: c.PacketBytes, Data: c.Data, SampleEvery: int(c.every),
	}
	for _, cl := range clients {
		if cl.role.slots == 0 {
			continue
		}
		if cl.receiver.feedback != nil {
			s.Feedback++
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
