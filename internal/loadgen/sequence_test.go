package loadgen

import (
	"math/rand/v2"
	"testing"
)

// stream delivers n packets from first on, those that lose says not.
func stream(s *sequence, first uint16, n int, lose func(i int) bool) (sent int) {
	for i := range n {
		seq := first + uint16(i)
		if s.wants(seq) {
			sent++
		}
		if !lose(i) {
			s.add(seq)
		}
	}
	return sent
}

func none(int) bool { return false }

func TestSequenceCounts(t *testing.T) {
	t.Parallel()
	for _, every := range []uint16{1, 5, 17, 61, 97} {
		s := sequence{every: every}
		stream(&s, 65000, 3000, none) // over the end of the number range
		if s.expected() != s.received || s.received == 0 {
			t.Errorf("every %d: %d of %d", every, s.received, s.expected())
		}
		s.mark()
		if s.expected() != 0 || s.received != 0 {
			t.Errorf("every %d, marked: %d of %d", every, s.received, s.expected())
		}
		random := rand.New(rand.NewPCG(3, uint64(every)))
		lost := 0
		begin := uint16(65000)
		begin += 3000
		n := 200_000 // three times round
		sent := stream(&s, begin, n, func(i int) bool {
			if i == n-1 || random.IntN(10) > 0 {
				return false
			}
			if s.wants(begin + uint16(i)) {
				lost++
			}
			return true
		})
		missing := int(s.expected() - s.received)
		// What was lost after the newest packet that came is not known to be missing.
		if missing > lost || missing < lost-5 || int(s.received) != sent-lost {
			t.Errorf("every %d: %d missing, %d lost; %d came of %d", every, missing, lost, s.received, sent)
		}
	}
}

func TestSequenceOrderAndDuplicates(t *testing.T) {
	t.Parallel()
	s := sequence{every: 1}
	for _, seq := range []uint16{65534, 0, 65535, 0, 65534, 3, 1, 1, 2} {
		s.add(seq)
	}
	if s.received != 6 || s.expected() != 6 {
		t.Errorf("%d of %d, want 6 of 6", s.received, s.expected())
	}
	s.add(2000) // a gap wider than the window
	if s.received != 7 || s.expected() != 6+1997 {
		t.Errorf("%d of %d after a gap", s.received, s.expected())
	}
	s.add(1999)
	s.add(1999)
	if s.received != 8 {
		t.Errorf("a late packet and its duplicate: %d", s.received)
	}
	s.mark()
	s.add(1998) // from before the mark
	if s.received != 0 || s.expected() != 0 {
		t.Errorf("%d of %d after a mark", s.received, s.expected())
	}
}
