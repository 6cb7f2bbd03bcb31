package loadgen

import (
	"context"
	"fmt"
	"sync"
	"time"
)

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

// view brings n more viewers into each room. Those that fail are counted.
func (r *run) view(ctx context.Context, n int, p pace) error {
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
	places := make(chan struct{}, p.atOnce(total))
	for i, c := range clients {
		if wait(ctx, time.Until(p.due(began, i, total))) != nil {
			r.dismiss(c)
			continue
		}
		places <- struct{}{}
		joins.Go(func() {
			_ = r.join(ctx, c, true) // noted by join
			<-places
		})
	}
	joins.Wait()
	return ctx.Err()
}

// pace says when viewers come in.
type pace struct {
	ramp  time.Duration // evenly over this time; 0: all at once
	apart time.Duration // or one after the other, this long apart
}

// joinsAtOnce bounds the joins that run at the same time where viewers come in by and by: a server that is slow to let people in makes
// the generator slower, instead of timing out in its own queues. A storm has no bound.
const joinsAtOnce = 8

func (p pace) atOnce(total int) int {
	switch {
	case p.apart > 0:
		return 1
	case p.ramp > 0:
		return joinsAtOnce
	}
	return max(total, 1)
}

func (p pace) due(began time.Time, i, total int) time.Time {
	if p.apart > 0 {
		return began.Add(p.apart * time.Duration(i))
	}
	return began.Add(p.ramp * time.Duration(i) / time.Duration(total))
}

// early brings in the viewers whose joins are not timed.
func (r *run) early(ctx context.Context) error {
	if r.cfg.Early == 0 {
		return nil
	}
	if err := r.view(ctx, r.cfg.Early, pace{ramp: time.Duration(r.cfg.Early*r.cfg.Rooms) * time.Second / joinPace}); err != nil {
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
	if err := r.view(ctx, r.cfg.Viewers, pace{ramp: r.cfg.Ramp, apart: r.cfg.Apart}); err != nil {
		return err
	}
	used, _ = cpuTime()
	r.joining = generator(from, flow{at: time.Now(), cpu: used}).CPUPercent
	b, err := r.server(ctx)
	if n := r.cfg.Viewers * r.cfg.Rooms; n > 0 && r.cfg.Apart == 0 { // far apart, it is mostly forwarding
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
