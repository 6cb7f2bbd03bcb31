package sfu

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// receiver is a viewer that asks again for what it misses, as a browser does.
type receiver struct {
	viewer
	got    map[uint16]rtp.Packet // by original sequence number
	newest uint16
	any    bool
}

// collect takes what arrived, less what the link drops, and returns the numbers that are missing of the last 200.
func (r *receiver) collect(t *testing.T, lost func() bool) (missing []uint16) {
	for _, p := range r.take() {
		if lost() {
			continue
		}
		if p.SSRC == rtxSSRC {
			p.SequenceNumber, p.Payload = binary.BigEndian.Uint16(p.Payload), p.Payload[2:]
		}
		seq := p.SequenceNumber
		if old, ok := r.got[seq]; ok && (old.Timestamp != p.Timestamp || !slices.Equal(old.Payload, p.Payload)) {
			t.Fatalf("two packets have the number %d: %v %v", seq, contentOf(old.Payload), contentOf(p.Payload))
		}
		r.got[seq] = p
		if !r.any || int16(seq-r.newest) > 0 {
			r.newest, r.any = seq, true
		}
	}
	for i := uint16(200); i > 0 && r.any; i-- {
		if _, ok := r.got[r.newest-i]; !ok {
			missing = append(missing, r.newest-i)
		}
	}
	return missing
}

// Two publishers over lossy, reordering, duplicating links; a viewer that switches between them and their layers at random,
// over a lossy link. Whatever happens: a number stands for one packet, timestamps rise with the numbers, frames are whole and
// of one source, and no picture starts with anything but a keyframe.
func TestRandomLossyRuns(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			randomRun(t, rand.New(rand.NewPCG(seed, 1)), 0.05)
		})
	}
	t.Run("clean", func(t *testing.T) {
		t.Parallel()
		randomRun(t, rand.New(rand.NewPCG(99, 1)), 0)
	})
}

type delayed struct {
	at    time.Time
	layer int
	pkt   []byte
}

// link is one publisher's way to its source.
type link struct {
	*publisher
	rnd    *rand.Rand
	loss   float64
	queue  []delayed
	stored map[string][]byte // sent packets by SSRC and number, to answer NACKs
}

func (l *link) put(at time.Time, layer int, pkt []byte) {
	if l.rnd.Float64() < l.loss {
		return
	}
	at = at.Add(time.Duration(l.rnd.IntN(15)) * time.Millisecond)
	l.queue = append(l.queue, delayed{at, layer, pkt})
	if l.rnd.Float64() < l.loss/4 {
		l.queue = append(l.queue, delayed{at.Add(20 * time.Millisecond), layer, pkt})
	}
}

func key(ssrc uint32, seq uint16) string { return fmt.Sprint(ssrc, ".", seq) }

// frame sends one frame of every layer and answers feedback.
func (l *link) frame() {
	plis := l.up.plis
	l.up.plis = nil
	for i, e := range l.layers {
		for _, pkt := range l.encode(i, slices.Contains(plis, e.ssrc)) {
			l.stored[key(e.ssrc, binary.BigEndian.Uint16(pkt[2:]))] = pkt
			l.put(l.now, i, pkt)
		}
	}
}

// run lets d of time pass, a millisecond at a time.
func (l *link) run(d time.Duration) {
	for range d / time.Millisecond {
		l.now = l.now.Add(time.Millisecond)
		slices.SortStableFunc(l.queue, func(a, b delayed) int { return a.at.Compare(b.at) })
		for len(l.queue) > 0 && !l.queue[0].at.After(l.now) {
			l.src.Receive(l.now, l.queue[0].layer, l.queue[0].pkt)
			l.queue = l.queue[1:]
		}
		if l.now.UnixMilli()%25 == 0 {
			l.src.Tick(l.now)
		}
		for _, n := range l.up.nacks {
			for i, e := range l.layers {
				if pkt, ok := l.stored[key(e.ssrc, n)]; ok && e.seq-n < 1000 {
					l.put(l.now.Add(20*time.Millisecond), i, pkt)
				}
			}
		}
		l.up.nacks = nil
	}
}

func newLink(t *testing.T, rnd *rand.Rand, loss float64, ssrc uint32) *link {
	l := &link{publisher: newPublisher(t, 3), rnd: rnd, loss: loss, stored: make(map[string][]byte)}
	for i, e := range l.layers {
		e.ssrc += ssrc
		e.seq, e.ts, e.pid, e.tl0 = uint16(rnd.Uint32()), rnd.Uint32(), uint16(rnd.IntN(1<<15)), uint8(rnd.Uint32())
		e.size = 1 + 2*i
	}
	return l
}

func randomRun(t *testing.T, rnd *rand.Rand, loss float64) {
	links := []*link{newLink(t, rnd, loss, 0), newLink(t, rnd, loss, 10000)}
	r := &receiver{got: make(map[uint16]rtp.Packet)}
	line := newVideoLine(&r.viewer)
	on := 0
	k := links[on].src.Attach(epoch, line, 1280, 720)
	first := line.lastSeq + 1
	for range 400 {
		now := links[on].now
		switch rnd.IntN(25) {
		case 0:
			k.Detach()
			on = 1 - on
			k = links[on].src.Attach(now, line, 160<<rnd.IntN(4), 90<<rnd.IntN(4))
		case 1:
			k.Resize(now, 160<<rnd.IntN(4), 90<<rnd.IntN(4))
		case 2:
			links[rnd.IntN(2)].src.SetMuted(rnd.IntN(3) == 0)
		}
		if missing := r.collect(t, func() bool { return rnd.Float64() < loss }); len(missing) > 0 {
			k.Nack(now, missing)
		}
		for _, l := range links {
			l.frame()
			l.run(33 * time.Millisecond)
		}
	}
	for _, l := range links {
		l.src.SetMuted(false)
	}
	check(t, r, first, loss == 0)
}

func check(t *testing.T, r *receiver, first uint16, clean bool) {
	var last *rtp.Packet
	missed, total := 0, 0
	for seq := first; seq != r.newest+1; seq++ {
		total++
		p, ok := r.got[seq]
		if !ok {
			missed++
			last = nil
			continue
		}
		if last != nil && len(p.Payload) > 0 {
			a, b := contentOf(last.Payload), contentOf(p.Payload)
			d := int32(p.Timestamp - last.Timestamp)
			// A viewer that comes back to a source may see its last keyframe again, as a new frame.
			again := b.info.Start && b.info.PictureID != a.info.PictureID
			same := a.ssrc == b.ssrc && a.frame == b.frame && !again
			if same != (d == 0) || d < 0 {
				t.Fatalf("number %d: timestamp %+d, %v after %v", seq, d, b, a)
			}
			if a.ssrc != b.ssrc && !b.info.Start {
				t.Fatalf("number %d: a switch to the midst of a picture", seq)
			}
		}
		last = &p
	}
	// A switch while a packet is still on its way leaves a hole for it, on clean links too.
	if total < 300 || clean && missed*100 > total || missed*10 > total {
		t.Errorf("%d of %d packets missing", missed, total)
	}
}
