package sfu

// shares are the senders' parts of the reliable messages that wait for one receiver. Each sender may have as much waiting as is still
// free: one alone gets half of the queue, the second a quarter, and whoever comes next always finds room. So nobody's messages are
// lost because another floods the receiver.
type shares struct {
	runs  []run          // what waits, the oldest first; neighbours of one sender are one run
	bytes int            // of all runs
	of    map[string]int // bytes, by sender
}

type run struct {
	from  string
	bytes int
}

// left is told how much still waits: what came first has gone.
func (s *shares) left(waiting int) {
	for gone := s.bytes - waiting; gone > 0; {
		r := &s.runs[0]
		n := min(gone, r.bytes)
		gone -= n
		s.bytes -= n
		r.bytes -= n
		if s.of[r.from] -= n; s.of[r.from] == 0 {
			delete(s.of, r.from)
		}
		if r.bytes == 0 {
			s.runs = s.runs[1:]
		}
	}
	if len(s.runs) == 0 {
		s.runs = nil // what it grew to is not kept
	}
}

// admits reports whether a sender may add n bytes, where free is what the queue still takes.
func (s *shares) admits(from string, n, free int) bool { return s.of[from]+n <= free }

// add is told of a message that waits now.
func (s *shares) add(from string, n int) {
	if s.of == nil {
		s.of = make(map[string]int)
	}
	s.of[from] += n
	s.bytes += n
	if k := len(s.runs); k > 0 && s.runs[k-1].from == from {
		s.runs[k-1].bytes += n
		return
	}
	s.runs = append(s.runs, run{from, n})
}
