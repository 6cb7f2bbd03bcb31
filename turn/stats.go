package turn

import "sync/atomic"

// Stats is a snapshot of a Server.
type Stats struct {
	Allocations  int               // open now
	Conns        int               // TCP connections open now
	Allocated    uint64            // allocations since start
	UpPackets    uint64            // relayed from clients to peers
	UpBytes      uint64            // payload
	DownPackets  uint64            // relayed from peers to clients
	DownBytes    uint64            // payload
	Refused      map[string]uint64 // by Reason; every reason is present, also at zero
	BadMessages  uint64            // messages that were no valid request; over UDP anybody may send them
	ErrorAnswers uint64            // error answers sent (401 and such), ErrorLimit not counted
	Panics       uint64            // mistakes of ours that ended a client
}

type traffic struct{ packets, bytes atomic.Uint64 }

func (t *traffic) add(n int) {
	t.packets.Add(1)
	t.bytes.Add(uint64(n)) //nolint:gosec // a length
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	conns := s.conns
	s.mu.Unlock()
	out := Stats{
		Allocations:  s.quota.count(),
		Conns:        conns,
		Allocated:    s.allocated.Load(),
		UpPackets:    s.up.packets.Load(),
		UpBytes:      s.up.bytes.Load(),
		DownPackets:  s.down.packets.Load(),
		DownBytes:    s.down.bytes.Load(),
		Refused:      make(map[string]uint64, numReasons),
		BadMessages:  s.badMessages.Load(),
		ErrorAnswers: s.errorAnswers.Load(),
		Panics:       s.panics.Load(),
	}
	for r := range numReasons {
		out.Refused[r.String()] = s.refused[r].Load()
	}
	return out
}

func (s *Server) refuse(r Reason) { s.refused[r].Add(1) }
