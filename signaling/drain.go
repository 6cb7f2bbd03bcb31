package signaling

import (
	"context"
	"strconv"
	"time"
)

const (
	// returnCost is the time that is set aside for each client to come back. A join costs a server a few milliseconds.
	returnCost = 10 * time.Millisecond

	// together is how many of a room come back at one time.
	together = 50

	// settle is how long after it should a client may take to be back elsewhere, if there is an elsewhere: later is not waited for.
	settle = 2 * time.Second

	// lingerEvery is how often it is looked at whose media still flows, and mediaEnded how long it is silent when it has ended without a
	// word.
	lingerEvery = 50 * time.Millisecond
	mediaEnded  = 3 * time.Second
)

// Shutdown ends the server: new connections are refused, those there are told to come back (close code 4000 with the seconds after which
// to). Media goes on until its client is back elsewhere, or has had the time for it, or ctx ends; then the sessions and the feeds are
// closed. The error is ctx's where connections were still there. Shutdown waits for all goroutines of the server.
func (s *Server) Shutdown(ctx context.Context) error {
	idle, longest := s.drain()
	var err error
	select {
	case <-idle:
		s.linger(ctx, longest+settle)
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.stopped.Do(s.closeRooms)
	s.running.Wait()
	return err
}

// drain refuses new connections and closes those there are. The channel is closed when the last has gone; longest is how long the last
// was told to wait.
func (s *Server) drain() (idle <-chan struct{}, longest time.Duration) {
	s.mu.Lock()
	links := make([]*Link, 0, len(s.links))
	for l := range s.links {
		links = append(links, l)
	}
	returns := plan(links, s.cfg.Timing.Drain)
	for _, r := range returns {
		longest = max(longest, r.after)
	}
	if !s.draining {
		s.draining, s.spread = true, longest
		s.idle = make(chan struct{})
		if len(s.links) == 0 {
			close(s.idle)
		}
	}
	idle = s.idle
	s.mu.Unlock()

	for _, r := range returns {
		r.link.shut(closeDraining, seconds(r.after))
	}
	if len(returns) > 0 {
		s.log.Info("draining", "connections", len(returns), "spread", longest.String())
	}
	return idle, longest
}

// comeback says when a client is to come back.
type comeback struct {
	link  *Link
	after time.Duration
}

// plan has the clients come back room by room, each when those before it have had their time, at most all within limit. Those of a room
// come together, unless they are very many.
func plan(links []*Link, limit time.Duration) []comeback {
	rooms := map[string][]*Link{} // in the order of a map: none is always the last
	for _, l := range links {
		rooms[l.room] = append(rooms[l.room], l)
	}
	each := returnCost
	if n := time.Duration(len(links)); n > 0 {
		each = min(each, limit/n)
	}
	out := make([]comeback, 0, len(links))
	for _, members := range rooms {
		begin := len(out)
		for i, l := range members {
			out = append(out, comeback{l, each * time.Duration(begin+i/together*together)})
		}
	}
	return out
}

// seconds is the reason that goes with close code 4000.
func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Round(time.Millisecond).Seconds(), 'f', -1, 64)
}

// drainReason is the reason for those who are only now seen to be here: they come back with the last.
func (s *Server) drainReason() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return seconds(s.spread)
}

// linger waits while media flows: until the clients are back elsewhere, or for that long.
func (s *Server) linger(ctx context.Context, most time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	ticker := time.NewTicker(lingerEvery)
	defer ticker.Stop()
	for s.flowing() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
