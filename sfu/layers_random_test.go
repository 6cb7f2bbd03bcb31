package sfu

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/parley/parley/sfu/internal/codec/codectest"
)

// storm is a publisher of layers on a bad network, who does what publishers do at their worst, and a viewer who wants something
// else all the time.
type storm struct {
	*studio
	rnd    *rand.Rand
	loss   float64
	queue  []delayed
	stored map[string][]byte
	k      *Sink
	line   *Line
	viewer *viewer
}

func newStorm(st *studio, seed uint64, loss float64) *storm {
	s := &storm{studio: st, rnd: rand.New(rand.NewPCG(seed, 5)), loss: loss, stored: make(map[string][]byte), viewer: &viewer{}}
	st.deliver = s.send
	s.line = st.line(s.viewer)
	for _, c := range st.cameras {
		c.seq, c.ts, c.tl0 = uint16(s.rnd.Uint32()), s.rnd.Uint32(), uint8(s.rnd.Uint32())
	}
	s.k = st.src.Attach(st.now, s.line, 1280, 720)
	return s
}

func (s *storm) send(stream int, pkt []byte) {
	s.stored[key(binary.BigEndian.Uint32(pkt[8:]), binary.BigEndian.Uint16(pkt[2:]))] = pkt
	s.put(s.now, stream, pkt)
}

func (s *storm) put(at time.Time, stream int, pkt []byte) {
	if s.rnd.Float64() < s.loss {
		return
	}
	if s.loss > 0 {
		at = at.Add(time.Duration(s.rnd.IntN(12)) * time.Millisecond)
	}
	s.queue = append(s.queue, delayed{at, stream, pkt})
	if s.rnd.Float64() < s.loss/4 {
		s.queue = append(s.queue, delayed{at.Add(20 * time.Millisecond), stream, pkt})
	}
}

// pictures sends n pictures, and lets the network deliver.
func (s *storm) pictures(n int) {
	for range n {
		until := s.now.Add(33 * time.Millisecond)
		s.run(1)
		for at := until.Add(-33 * time.Millisecond); at.Before(until); at = at.Add(time.Millisecond) {
			s.arrive(at)
		}
	}
}

func (s *storm) arrive(at time.Time) {
	slices.SortStableFunc(s.queue, func(a, b delayed) int { return a.at.Compare(b.at) })
	for len(s.queue) > 0 && !s.queue[0].at.After(at) {
		s.src.Receive(at, s.queue[0].layer, s.queue[0].pkt)
		s.queue = s.queue[1:]
	}
	for _, n := range s.up.nacks {
		for i, c := range s.cameras {
			if pkt, ok := s.stored[key(c.ssrc, n)]; ok && c.seq-n < 1000 {
				s.put(at.Add(25*time.Millisecond), i, pkt)
			}
		}
	}
	s.up.nacks = nil
}

// whim is something that a viewer or a publisher does.
func (s *storm) whim() {
	c := s.cameras[s.rnd.IntN(len(s.cameras))]
	switch s.rnd.IntN(16) {
	case 0, 1, 2, 3:
		s.aimAt(s.rnd.IntN(4)-1, s.rnd.IntN(4))
	case 4, 5:
		s.k.Resize(s.now, 160<<s.rnd.IntN(4), 90<<s.rnd.IntN(4))
	case 6:
		s.k.RequestKeyframe(s.now)
	case 7:
		s.src.SetMuted(true)
		s.pictures(2)
		s.src.SetMuted(false)
	case 8: // layers come and go
		c.Off = s.rnd.IntN(c.Spatials)
	case 9:
		c.off = !c.off && len(s.cameras) > 1
	case 10: // numbers start anew
		c.seq = uint16(s.rnd.Uint32())
	case 11: // timestamps jump
		c.ts += s.rnd.Uint32()
	case 12: // another encoder
		s.again(c)
	case 13:
		s.k.Detach()
		s.k = s.src.Attach(s.now, s.line, 1280, 720)
	}
}

// again is a change of SSRC in the midst: all begins anew, frame numbers too.
func (s *storm) again(c *camera) {
	old := *c
	s.past = append(s.past, &old)
	*c = camera{
		Encoder: old.Encoder, ssrc: old.ssrc + 10000, seq: uint16(s.rnd.Uint32()), ts: s.rnd.Uint32(), packets: old.packets,
		pictures: make(map[int]int), frames: make(map[int]codectest.Frame), off: old.off,
	}
	c.Next(true) // lost on the way
}

func (s *storm) aimAt(spatial, temporal int) {
	s.src.mu.Lock()
	defer s.src.mu.Unlock()
	s.k.aim(s.now, spatial, temporal)
}

// Whatever publisher, network and viewer do: a number stands for one packet, time never goes back, and a frame that came whole
// refers to nothing that was left out. In the end, the picture is back.
func TestStormsOfLayers(t *testing.T) {
	t.Parallel()
	for name, open := range studios() {
		for seed := range uint64(3) {
			for _, loss := range []float64{0, 0.04} {
				t.Run(fmt.Sprintf("%s/%d/%v", name, seed, loss), func(t *testing.T) {
					t.Parallel()
					s := newStorm(open(), seed, loss)
					for range 120 {
						s.whim()
						s.pictures(1 + s.rnd.IntN(12))
					}
					s.calm(t)
				})
			}
		}
	}
}

// calm checks the storm, and that all is well after it.
func (s *storm) calm(t *testing.T) {
	t.Helper()
	s.mustBeSane(t, s.viewer.take())
	s.loss = 0
	for _, c := range s.cameras {
		c.Off, c.off = 0, false
	}
	s.aimAt(maxLayers, topTemporal)
	s.k.Resize(s.now, 1280, 720)
	s.pictures(700) // the longest trial of a layer that died is 16 s
	s.viewer.take()
	s.pictures(30)
	tail := s.look(t, s.viewer.take())
	s.mustDecode(t, tail)
	if o, tl := s.layersOf(tail); o != s.options()-1 || tl != s.cameras[0].Temporals-1 {
		t.Errorf("in the end %d.%d is shown", o, tl)
	}
}

// mustBeSane checks what came over all.
func (s *storm) mustBeSane(t *testing.T, pkts []rtp.Packet) {
	t.Helper()
	byNum := make(map[int]rtp.Packet) // by extended number
	first, at := int(pkts[0].SequenceNumber), int(pkts[0].SequenceNumber)
	for _, p := range pkts {
		n := at + int(int16(p.SequenceNumber-uint16(at)))
		at = max(at, n)
		if _, twice := byNum[n]; twice {
			t.Fatalf("number %d twice", n)
		}
		byNum[n] = p
	}
	var clean []rtp.Packet
	runs := 0
	check := func() {
		if len(clean) > 0 {
			s.mustRefer(t, s.look(t, clean))
			runs++
		}
		clean = nil
	}
	var last uint32
	for n := first; n <= at; n++ {
		p, ok := byNum[n]
		if !ok {
			check()
			continue
		}
		if len(p.Payload) == 0 {
			clean = append(clean, p)
			continue
		}
		if n > first && last != 0 && int32(p.Timestamp-last) < 0 {
			t.Fatalf("number %d: timestamp %+d: %v", n, int32(p.Timestamp-last), s.look(t, []rtp.Packet{byNum[n-2], byNum[n-1], p, byNum[n+1]}))
		}
		last = p.Timestamp
		clean = append(clean, p)
	}
	check()
	if holes := at - first + 1 - len(byNum); holes > len(pkts)/4 { // numbers that start anew may leave some
		t.Errorf("%d holes among %d packets, %d runs", holes, len(pkts), runs)
	}
}

// mustRefer checks a run without holes: from the first keyframe on, whole frames, and all that they refer to.
func (s *storm) mustRefer(t *testing.T, pkts []seen) {
	t.Helper()
	have := make(map[[2]uint32]bool)
	begun := false
	for i, p := range pkts {
		c := s.camera(p.ssrc)
		f := c.frames[int(p.number)]
		begun = begun || f.Key && p.index == 0 && f.Spatial == 0
		if !begun {
			continue
		}
		if i > 0 {
			q := pkts[i-1]
			same := p.ssrc == q.ssrc && p.number == q.number
			if same != (p.index == q.index+1) && p.index != 0 {
				t.Fatalf("%v after %v", p, q)
			}
		}
		if p.index == 0 && !f.Key {
			for _, r := range f.Refs {
				if !have[[2]uint32{p.ssrc, uint32(r)}] {
					t.Fatalf("%v: frame %d is not there", p, r)
				}
			}
		}
		have[[2]uint32{p.ssrc, p.number}] = have[[2]uint32{p.ssrc, p.number}] || p.index == p.count-1
	}
}
