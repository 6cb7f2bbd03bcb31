package sfu

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// Of a layer that nobody is shown, nothing is asked for again; of one that is shown, all.
func TestOnlyWhatIsWatchedIsAskedForAgain(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 3), &viewer{}
	p.src.Attach(p.now, newVideoLine(v), 320, 180)
	p.all(true)
	for range 10 {
		p.send(0, false)
		p.send(1, false)
		p.src.Receive(p.now, 2, p.encode(2, false)[1:]...)
		p.tick()
	}
	if len(p.up.nacks) != 0 {
		t.Errorf("asked for %v of a layer that nobody watches", p.up.nacks)
	}
	p.encode(0, false) // lost
	for range 4 {
		p.send(0, false)
		p.tick()
	}
	if len(p.up.nacks) == 0 {
		t.Error("nothing was asked for of the layer that is watched")
	}
}

// A layer of which most is lost gives way to one that flows, and is not gone back to at once.
func TestBrokenLayerGivesWay(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 3), &viewer{}
	p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	p.all(true)
	p.serve(20)
	at := p.now
	for contentSSRC(v) != 2000 {
		asked := p.up.plis
		p.up.plis = nil
		p.send(0, false)
		p.send(1, len(asked) > 0)
		p.src.Receive(p.now, 2, p.encode(2, false)[2])
		p.tick()
		if p.now.Sub(at) > 600*time.Millisecond {
			t.Fatal("still shows what is broken")
		}
	}
	p.serve(20)
	if got := contentSSRC(v); got != 2000 {
		t.Errorf("shows %d", got)
	}
	p.serve(80)
	if got := contentSSRC(v); got != 3000 {
		t.Errorf("in the end shows %d", got)
	}
}

// Who joins gets the layer that fits first of all, even where only a lower one has a recent keyframe.
func TestFirstPictureIsTheRightOne(t *testing.T) {
	t.Parallel()
	p := newPublisher(t, 3)
	p.all(true)
	p.serve(40)
	p.send(0, true) // somebody else asked for it
	v := &viewer{}
	p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	if n := len(v.take()); n != 0 {
		t.Fatalf("%d packets of another layer", n)
	}
	if len(p.up.plis) != 1 || p.up.plis[0] != 3000 {
		t.Fatalf("asked %v for a keyframe", p.up.plis)
	}
	p.serve(3)
	out := v.take()
	mustBeContinuous(t, out)
	if got := ssrcs(out); len(got) != 1 || got[0] != 3000 {
		t.Errorf("shows %v", got)
	}
}

// While a viewer is shown something, a switch waits until the whole keyframe is there.
func TestSwitchTakesWholeKeyframes(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 3), &viewer{}
	p.all(true)
	k := p.src.Attach(p.now, newVideoLine(v), 320, 180)
	p.serve(10)
	k.Resize(p.now, 1280, 720)
	key := p.encode(2, true)
	p.send(0, false)
	p.src.Receive(p.now, 2, key[:2]...)
	p.tick()
	p.send(0, false)
	if got := ssrcs(v.take()); len(got) != 1 || got[0] != 1000 {
		t.Fatalf("shows %v with half a keyframe", got)
	}
	p.src.Receive(p.now, 2, key[2])
	p.tick()
	p.serve(2)
	if got := ssrcs(v.take()); len(got) != 1 || got[0] != 3000 {
		t.Errorf("shows %v with a whole keyframe", got)
	}
}

// Where the layer between suffers as well, the lowest is the one to go to; of the broken one nothing more is asked for, and any keyframe
// that comes ends the wait.
func TestBrokenLayersGiveWayToTheLowest(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 3), &viewer{}
	p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	p.all(true)
	p.serve(20)
	at, dead := p.now, 0
	for contentSSRC(v) != 1000 {
		asked := p.up.plis
		p.up.plis, p.up.nacks = nil, nil
		p.send(0, len(asked) > 0)
		p.src.Receive(p.now, 1, p.encode(1, false)[1])
		p.src.Receive(p.now, 2, p.encode(2, false)[2])
		p.tick()
		if p.src.streams[2].live {
			continue
		}
		if dead++; p.src.streams[1].live || dead > 1 && (len(p.up.nacks) > 0 || slices.Max(append(p.up.plis, 0)) > 1000) {
			t.Fatalf("after %v: %v asked for again, keyframes of %v", p.now.Sub(at), p.up.nacks, p.up.plis)
		}
		if p.now.Sub(at) > 600*time.Millisecond {
			t.Fatal("still shows what is broken")
		}
	}
	p.serve(100)
	if got := contentSSRC(v); got != 3000 {
		t.Errorf("in the end shows %d", got)
	}
}

// A keyframe is there when who is about to join has joined; one that will still serve is not asked for again.
func TestKeyframeOfWhoIsAboutToJoin(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 3), &viewer{}
	p.all(true)
	p.src.Anticipate(p.now)
	if len(p.up.plis) != 0 {
		t.Fatalf("asked %v for keyframes that nobody's decoder waits for", p.up.plis)
	}
	p.src.Attach(p.now, newVideoLine(v), 1280, 720)
	p.serve(40)
	p.src.Anticipate(p.now)
	if !slices.Equal(p.up.plis, []uint32{3000}) {
		t.Fatalf("asked %v for keyframes", p.up.plis)
	}
	p.serve(4)
	p.src.Anticipate(p.now)
	guest := &viewer{}
	p.src.Attach(p.now, newVideoLine(guest), 1280, 720)
	if n := len(guest.take()); n == 0 || len(p.up.plis) != 0 {
		t.Errorf("%d packets at once, asked %v for keyframes", n, p.up.plis)
	}
}

// TestNewcomerHearsTheLastSound guards that a transport which comes up between two packets of sound does not wait for the next.
func TestNewcomerHearsTheLastSound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before int           // sounds while the sink is there and its transport is not
		age    time.Duration // of the last one, when it comes up
		muted  bool
		want   int
	}{
		{"attached between two", 0, 5 * time.Millisecond, false, 1},
		{"others went nowhere", 3, 19 * time.Millisecond, false, 1},
		{"a pause", 2, 50 * time.Millisecond, false, 0},
		{"muted since", 2, 5 * time.Millisecond, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, now, v := newMicrophone(), epoch, &viewer{down: true}
			next := func() {
				now = now.Add(20 * time.Millisecond)
				m.send(now, 40)
			}
			next()
			k := m.src.Attach(now, NewLine(LineConfig{SSRC: 5, Egress: v, Codecs: []Codec{{MimeType: "audio/opus", PayloadType: 99}}}), 0, 0)
			for range c.before {
				next()
			}
			last := m.seq
			if c.muted {
				m.src.SetMuted(true)
				m.src.SetMuted(false)
			}
			v.mu.Lock()
			v.down = false
			v.mu.Unlock()
			begin := func() []rtp.Packet {
				m.src.mu.Lock()
				defer m.src.mu.Unlock()
				k.begin(now.Add(c.age))
				return v.take()
			}
			out := begin()
			if len(out) != c.want || c.want > 0 && binary.BigEndian.Uint16(out[0].Payload) != last {
				t.Fatalf("%d packets", len(out))
			}
			if again := begin(); c.want > 0 && len(again) != 0 {
				t.Errorf("%d packets once more", len(again))
			}
			next()
			next()
			out = append(out, v.take()...)
			if len(out) < c.want+2 {
				t.Fatalf("%d packets", len(out))
			}
			for i := 1; i < len(out); i++ {
				if d := out[i].SequenceNumber - out[i-1].SequenceNumber; d != 1 {
					t.Errorf("number %d follows after %d", i, d)
				}
				if d := out[i].Timestamp - out[i-1].Timestamp; d != 960 && c.want > 0 {
					t.Errorf("packet %d is %d ticks after the one before", i, d)
				}
			}
		})
	}
}

// Who comes while the picture stands still is served from the last keyframe at once, whatever its age; nothing contradicts it.
func TestNewcomerSeesAStillPicture(t *testing.T) {
	t.Parallel()
	p := newPublisher(t, 1)
	p.all(true)
	p.send(0, false)
	for range 300 { // ten seconds in which nothing comes, not even answers to requests
		p.tick()
	}
	v := &viewer{}
	p.src.Attach(p.now, newVideoLine(v), 320, 180)
	out := v.take()
	mustBeContinuous(t, out)
	if len(out) != 2 || !contentOf(out[0].Payload).info.Start {
		t.Fatalf("%d packets, want the keyframe and the picture after it", len(out))
	}
	p.serve(3)
	if out = v.take(); len(out) == 0 {
		t.Error("nothing goes on")
	}
}

// A keyframe of some age serves where a fresh one was asked for in vain, though packets come.
func TestNewcomerOfAPublisherThatAnswersNoRequest(t *testing.T) {
	t.Parallel()
	p := newPublisher(t, 1)
	seldom := func(frames int) {
		for range frames { // 5 a second
			p.send(0, false)
			for range 6 {
				p.tick()
			}
		}
	}
	p.all(true)
	seldom(15)
	v := &viewer{}
	p.src.Attach(p.now, newVideoLine(v), 320, 180)
	if n := len(v.take()); n != 0 {
		t.Fatalf("%d packets before there was time for an answer", n)
	}
	seldom(2)
	out := v.take()
	mustBeContinuous(t, out)
	if len(out) != 18 || !contentOf(out[0].Payload).info.Start {
		t.Errorf("%d packets, want the keyframe and all that followed", len(out))
	}
}
