package presence

import "sync/atomic"

// Stats is what the server has done since it started; Watchers alone is what it is doing now.
type Stats struct {
	Watchers  int    // streams and waiting long-polls
	Streams   uint64 // SSE streams begun
	Polls     uint64 // long-polls answered
	Snapshots uint64 // snapshots sent, in whatever form
	Unchanged uint64 // answers 304
	Events    uint64 // entries sent to watchers, in whatever form
	Resumed   uint64 // streams and polls that went on from the position they named
	Lost      uint64 // those that named one the log could not go on from

	Unauthorized uint64 // requests refused with 401
	Forbidden    uint64 // with 403
	Busy         uint64 // watchers sent away: too many, or not now
	TokenFull    uint64 // watchers sent away: too many with their token
	AddressFull  uint64 // the same, from their address
	Slow         uint64 // streams ended because the watcher did not read
}

type counters struct {
	streams, polls, snapshots, unchanged, events, resumed, lost atomic.Uint64
	unauthorized, forbidden, busy, slow                         atomic.Uint64
	shared                                                      [2]atomic.Uint64 // sent away by their token's share, and by their address's
}

// Stats returns the counters as they stand.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	watchers := s.watchers
	s.mu.Unlock()
	c := &s.count
	return Stats{
		Watchers:     watchers,
		Streams:      c.streams.Load(),
		Polls:        c.polls.Load(),
		Snapshots:    c.snapshots.Load(),
		Unchanged:    c.unchanged.Load(),
		Events:       c.events.Load(),
		Resumed:      c.resumed.Load(),
		Lost:         c.lost.Load(),
		Unauthorized: c.unauthorized.Load(),
		Forbidden:    c.forbidden.Load(),
		Busy:         c.busy.Load(),
		TokenFull:    c.shared[0].Load(),
		AddressFull:  c.shared[1].Load(),
		Slow:         c.slow.Load(),
	}
}
