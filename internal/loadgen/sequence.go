package loadgen

// sequence counts what came of one SSRC. Of a stream that is sampled it looks at every Mth packet only: those whose 16-bit
// sequence number is a multiple of M. The zero value, with every set, has seen nothing. It has no lock.
type sequence struct {
	every    uint16 // M; 1: all
	started  bool
	first    uint64 // extended sequence number where counting began
	highest  uint64
	received uint64 // of [first, highest], duplicates left out
	window   [16]uint64
}

// windowBits is how far back duplicates are told from late packets.
const windowBits = 16 * 64

// seqBase is above zero so that what is late at the start does not underflow.
const seqBase = 1 << 20

func (s *sequence) wants(seq uint16) bool { return s.every <= 1 || seq%s.every == 0 }

// add counts a packet, if it is one to look at.
func (s *sequence) add(seq uint16) {
	if !s.wants(seq) {
		return
	}
	if !s.started {
		s.started = true
		s.first = seqBase + uint64(seq)
		s.highest = s.first
		s.received = 1
		s.set(s.first)
		return
	}
	ext := s.highest + uint64(int64(int16(seq-uint16(s.highest))))
	switch {
	case ext > s.highest:
		for n := s.highest + 1; n < ext && n-s.highest < windowBits; n++ {
			s.unset(n)
		}
		if ext-s.highest >= windowBits {
			s.window = [16]uint64{}
		}
		s.highest = ext
	case ext < s.first, s.highest-ext >= windowBits, s.has(ext):
		return
	}
	s.set(ext)
	s.received++
}

func (s *sequence) has(n uint64) bool { return s.window[n/64%16]&(1<<(n%64)) != 0 }
func (s *sequence) set(n uint64)      { s.window[n/64%16] |= 1 << (n % 64) }
func (s *sequence) unset(n uint64)    { s.window[n/64%16] &^= 1 << (n % 64) }

// mark forgets the counts and begins anew after the newest packet.
func (s *sequence) mark() {
	s.first = s.highest + 1
	s.received = 0
}

// expected is how many packets of [first, highest] there are to look at.
func (s *sequence) expected() uint64 {
	if !s.started || s.highest < s.first {
		return 0
	}
	return multiples(s.highest, s.every) - multiples(s.first-1, s.every)
}

// multiples counts the extended sequence numbers up to n, 0 included, whose low 16 bits are a multiple of every.
func multiples(n uint64, every uint16) uint64 {
	m := uint64(max(every, 1))
	perCycle := (1<<16 + m - 1) / m
	return n>>16*perCycle + n&0xffff/m + 1
}
