package sfu

import (
	"math/rand/v2"
	"testing"
	"time"
)

// ofSinks are the reasons that are counted once per packet and sink.
var ofSinks = []DropReason{dropNoPayloadType, dropBeforeSwitch, dropLayer, dropWriteFailed, dropUnconnected, dropFlooded, dropPacedLate, dropCut}

// mustAddUp checks that everything that sinks were due is somewhere.
func mustAddUp(t *testing.T, st SourceStats) {
	t.Helper()
	found := st.Forwarded + st.Queued
	for _, r := range ofSinks {
		found += st.Dropped[r]
	}
	for _, n := range st.LeftOut {
		found += n
	}
	if st.Due == 0 || found != st.Due+st.Replayed {
		t.Fatalf("%d due and %d replayed, %d found: %d forwarded, %d wait, dropped %v, left out %v",
			st.Due, st.Replayed, found, st.Forwarded, st.Queued, st.Dropped, st.LeftOut)
	}
}

// TestAccountsOfLayers: whatever publisher, network and viewer do, every packet is somewhere.
func TestAccountsOfLayers(t *testing.T) {
	t.Parallel()
	for name, open := range studios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStorm(open(), 7, 0.04)
			others := []*Sink{s.src.Attach(s.now, s.studio.line(&viewer{}), 160, 90)} // who stays, and who comes
			for i := range 150 {
				s.whim()
				if i%40 == 20 {
					others = append(others, s.src.Attach(s.now, s.studio.line(&viewer{}), 640, 360))
				}
				s.pictures(1 + s.rnd.IntN(12))
				mustAddUp(t, s.src.Stats(s.now))
			}
			st := s.src.Stats(s.now)
			if n := st.LeftOut[leftPaused]; n == 0 || st.Replayed == 0 {
				t.Errorf("nothing of it happened: %d paused, %d replayed, dropped %v", n, st.Replayed, st.Dropped)
			}
			for _, k := range others {
				k.Detach()
			}
			mustAddUp(t, s.src.Stats(s.now))
		})
	}
}

// TestAccountsOfPacing: the same where a receiver's network decides what is sent, and what leaves is what was counted.
func TestAccountsOfPacing(t *testing.T) {
	t.Parallel()
	const seed = 3
	r, v := newViewedPlane(t)
	rnd := rand.New(rand.NewPCG(seed, 9))
	d := &v.peer.downlink
	v.estimate(50_000_000, 0)
	var seq uint16
	for i := range uint16(600) {
		r.frame(t, &seq, i+1, i == 0 || rnd.IntN(12) == 0, 1+rnd.IntN(12))
		switch rnd.IntN(12) {
		case 0:
			v.estimate([]int64{20_000, 100_000, 400_000, 3_000_000, 50_000_000}[rnd.IntN(5)], uint64(i))
		case 1:
			must(t, v.peer.Show([]SlotView{{Video: r.cam, Width: 160 << rnd.IntN(4), Height: 90 << rnd.IntN(4)}}))
		case 2:
			must(t, v.peer.Show([]SlotView{{}}))
			must(t, v.peer.Show([]SlotView{{Video: r.cam, Width: 1280, Height: 720}}))
		case 3:
			k := v.line.sink.Load()
			k.Nack(time.Now(), []uint16{k.line.writtenSeq, k.line.writtenSeq - 1})
		case 4:
			v.read(time.Millisecond)
			d.loop.Lock()
			d.beat(time.Now().Add(time.Duration(rnd.IntN(200)) * time.Millisecond))
			d.loop.Unlock()
		}
		mustAddUp(t, r.cam.Stats(time.Now()))
	}
	st := r.cam.Stats(time.Now())
	if st.Dropped[dropFlooded] == 0 || st.Dropped[dropCut] == 0 || st.LeftOut[leftPaused] == 0 || st.LeftOut[leftWaiting] == 0 {
		t.Errorf("nothing of it happened: dropped %v, left out %v", st.Dropped, st.LeftOut)
	}
	v.estimate(50_000_000, 0)
	eventually(t, "what left to be what was counted", func() bool {
		c, st := v.peer.Stats(), r.cam.Stats(time.Now())
		return st.Queued == 0 && c.PacketsOut == st.Forwarded+st.Filled+c.RTXOut
	})
}
