package ring

// Verdict says how a sequence number relates to those before.
type Verdict uint8

// The verdicts of Sequence.Next.
const (
	Newer   Verdict = iota // newer than all before; Gap numbers were skipped
	Late                   // not newer: out of order, or a duplicate
	Suspect                // far off; drop it. The next one decides
	Restart                // a new line of numbers begins here
)

const (
	maxAhead  = 3000 // numbers (RFC 3550, A.1, MAX_DROPOUT)
	maxBehind = 1024 // numbers; the ring holds fewer
)

// Sequence extends 16-bit sequence numbers to 64 bits that never repeat, not even when the numbers start anew.
type Sequence struct {
	max     uint64
	started bool
	suspect uint32 // the number that would confirm a restart, + 1; 0: none
}

// Next extends seq. Gap is the count of numbers left out before a Newer one.
func (s *Sequence) Next(seq uint16) (ext, gap uint64, v Verdict) {
	if !s.started {
		return s.restart(seq)
	}
	d := int16(seq - uint16(s.max))
	switch {
	case d > 0 && d <= maxAhead:
		s.suspect = 0
		s.max += uint64(d)
		return s.max, uint64(d) - 1, Newer
	case d <= 0 && d > -maxBehind:
		return s.max - uint64(-int64(d)), 0, Late
	case s.suspect == uint32(seq)+1:
		return s.restart(seq)
	}
	s.suspect = uint32(seq+1) + 1
	return 0, 0, Suspect
}

// restart leaves a cycle free, so that numbers before and after never meet.
func (s *Sequence) restart(seq uint16) (uint64, uint64, Verdict) {
	s.started, s.suspect = true, 0
	s.max = (s.max>>16+2)<<16 | uint64(seq)
	return s.max, 0, Restart
}

// Reset makes the next number a Restart.
func (s *Sequence) Reset() { s.started, s.suspect = false, 0 }

// Started reports whether a number came since the last Reset.
func (s *Sequence) Started() bool { return s.started }

// Max returns the newest extended number.
func (s *Sequence) Max() uint64 { return s.max }
