package ring

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

func payload(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func TestRingKeepsTheLast(t *testing.T) {
	t.Parallel()
	r := New(100, time.Second)
	type ref struct {
		index  uint16
		serial uint64
	}
	refs := make(map[uint64]ref)
	for n := uint64(1); n <= 1000; n++ {
		s, i := r.Insert(n, payload(n), now)
		refs[n] = ref{i, s.Serial}
	}
	if r.Cap() != 128 {
		t.Fatalf("cap %d", r.Cap())
	}
	for n := uint64(1); n <= 1000; n++ {
		there := n > 1000-128
		s, _ := r.Find(n)
		at := r.At(refs[n].index, refs[n].serial)
		if (s != nil) != there || at != s {
			t.Fatalf("packet %d: found %v, by reference %v", n, s != nil, at != nil)
		}
		if there && binary.BigEndian.Uint64(s.Payload()) != n {
			t.Fatalf("packet %d: payload of another", n)
		}
	}
	if s, _ := r.Find(5000); s != nil || r.At(60000, 1) != nil {
		t.Error("found what was never stored")
	}
}

func TestRingGrowsOnlyForRecentPackets(t *testing.T) {
	t.Parallel()
	slow, fast := New(512, time.Second), New(512, time.Second)
	at := now
	for n := range uint64(2000) {
		at = at.Add(100 * time.Millisecond) // 10 a second
		slow.Insert(n+1, nil, at)
		fast.Insert(n+1, nil, now.Add(time.Duration(n)*time.Millisecond))
	}
	if slow.Cap() != 32 || fast.Cap() != 512 {
		t.Errorf("cap %d and %d", slow.Cap(), fast.Cap())
	}
}

func TestRetransmissionNeedsNoCopy(t *testing.T) {
	t.Parallel()
	r := New(32, time.Second)
	s, _ := r.Insert(1, []byte("abc"), now)
	if got := string(s.Retransmission(0x4142)); got != "ABabc" {
		t.Errorf("%q", got)
	}
	if got := string(s.Payload()); got != "abc" {
		t.Errorf("%q", got)
	}
	s, _ = r.Insert(2, make([]byte, MaxPayload), now)
	if len(s.Payload()) != MaxPayload {
		t.Errorf("%d bytes", len(s.Payload()))
	}
}

func TestKeyframeStart(t *testing.T) {
	t.Parallel()
	r := New(32, time.Second)
	insert := func(n uint64, ts uint32) *Slot {
		s, _ := r.Insert(n, nil, now)
		s.Timestamp = ts
		return s
	}
	if r.Keyframe() != nil {
		t.Fatal("a keyframe in an empty ring")
	}
	r.MarkStart(insert(10, 1))
	r.MarkStart(insert(11, 1)) // the same frame
	if n := r.Keyframe().Num; n != 10 {
		t.Errorf("%d", n)
	}
	r.MarkStart(insert(9, 1)) // its first packet, late
	if n := r.Keyframe().Num; n != 9 {
		t.Errorf("%d", n)
	}
	r.MarkStart(insert(20, 2))
	r.MarkStart(insert(15, 3)) // an older frame, late
	if n := r.Keyframe().Num; n != 20 {
		t.Errorf("%d", n)
	}
	for n := range uint64(40) {
		insert(100+n, 4)
	}
	if r.Keyframe() != nil {
		t.Error("the keyframe was overwritten")
	}
	r.MarkStart(insert(200, 5))
	r.ForgetKeyframe()
	if r.Keyframe() != nil {
		t.Error("not forgotten")
	}
}

func TestSequence(t *testing.T) {
	t.Parallel()
	var s Sequence
	steps := []struct {
		seq  uint16
		v    Verdict
		gap  uint64
		step int64 // of the extended number
	}{
		{65530, Restart, 0, 0},
		{65531, Newer, 0, 1},
		{65535, Newer, 3, 4},
		{0, Newer, 0, 1},
		{65532, Late, 0, -4},
		{0, Late, 0, 4},
		{2, Newer, 1, 2},
		{30000, Suspect, 0, 0},
		{3, Newer, 0, 1},
		{30001, Suspect, 0, 0}, // one good came between
		{30002, Restart, 0, 65536 + 65536 + 29999},
		{30001, Late, 0, -1},
		{30003, Newer, 0, 2},
		{20000, Suspect, 0, 0},
		{40000, Suspect, 0, 0},
	}
	var last uint64
	for i, st := range steps {
		ext, gap, v := s.Next(st.seq)
		if v != st.v || gap != st.gap || v != Suspect && uint16(ext) != st.seq {
			t.Fatalf("step %d: %d gap %d verdict %d", i, ext, gap, v)
		}
		if v == Suspect {
			continue
		}
		if i > 0 && int64(ext-last) != st.step {
			t.Errorf("step %d: moved by %d, want %d", i, int64(ext-last), st.step)
		}
		last = ext
	}
	before := s.Max()
	s.Reset()
	if ext, _, v := s.Next(uint16(before)); v != Restart || ext < before+65536 {
		t.Errorf("after reset: %d, verdict %d", ext-before, v)
	}
}

// Numbers that run on with loss and reordering are told apart as long as they are less than 1000 apart.
func TestSequenceIsExact(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	var s Sequence
	first, _, _ := s.Next(0)
	truth := uint64(0)
	for range 200000 {
		truth += uint64(rnd.IntN(5))
		sent := truth - min(truth, uint64(rnd.IntN(500)))
		ext, _, v := s.Next(uint16(sent))
		if v == Suspect || v == Restart || ext-first != sent {
			t.Fatalf("%d became %d, verdict %d", sent, ext-first, v)
		}
	}
}

func TestInsertDoesNotAllocate(t *testing.T) {
	r, n := New(64, time.Second), uint64(0)
	p := make([]byte, 1200)
	insert := func() { n++; r.Insert(n, p, now) }
	for range 64 {
		insert()
	}
	if a := testing.AllocsPerRun(100, insert); a != 0 {
		t.Errorf("%v allocations", a)
	}
}
