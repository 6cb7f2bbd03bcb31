package sfu

import (
	"slices"
	"testing"
	"time"
)

// TestCollapseOfAPublisher guards what happens when a publisher's network carries only its lowest layer: viewers get that, of what
// was lost nothing is asked for again, and the keyframe is asked for once there is room for it.
func TestCollapseOfAPublisher(t *testing.T) {
	t.Parallel()
	p := newPublisher(t, 3)
	var v viewer
	k := p.src.Attach(p.now, newVideoLine(&v), 1280, 720)
	p.all(true)
	for range 60 {
		p.all(false)
	}
	if k.current != 2 {
		t.Fatalf("layer %d is shown", k.current)
	}
	p.layers[2].seq += 5 // they were lost
	p.send(2, false)
	p.up.plis, p.up.nacks = nil, nil
	fits := p.src.streams[0].rates.measure(p.now)
	p.src.collapse(p.now, 1.2*(fits.bps[0][0]+fits.bps[0][1]+fits.bps[0][2]))
	if k.target != 0 || k.current != 2 {
		t.Errorf("layer %d is shown, %d should be", k.current, k.target)
	}
	if len(p.up.plis) > 0 {
		t.Error("a keyframe was asked for while the queue is full")
	}
	for range 5 {
		p.now = p.now.Add(33 * time.Millisecond)
		p.send(0, false)
		p.send(2, false) // leftovers
		p.src.Tick(p.now)
	}
	if !slices.Equal(p.up.plis, []uint32{p.layers[0].ssrc}) {
		t.Errorf("keyframes asked of %v", p.up.plis)
	}
	if len(p.up.nacks) > 0 {
		t.Errorf("%d packets asked for again", len(p.up.nacks))
	}
	v.take()
	p.send(0, true)
	if k.current != 0 || len(v.take()) == 0 {
		t.Errorf("layer %d is shown", k.current)
	}
	for range 10 { // what comes of the others now and then are leftovers and padding: nobody waits for them
		p.now = p.now.Add(100 * time.Millisecond)
		p.send(2, false)
		p.src.Tick(p.now)
	}
	if l := p.src.streams[0]; !l.live || k.target != 0 {
		t.Errorf("the lowest layer is live: %v; layer %d should be shown", l.live, k.target)
	}
}

// TestLimitOfAPublisher guards that a publisher is told what it may send, again and again, and when that is over.
func TestLimitOfAPublisher(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	b := join(t, n, "b", browserConfig{remb: true})
	_, err := b.peer.Publish(Camera, false)
	must(t, err)
	b.sendMedia(1)
	eventually(t, "packets", func() bool { return b.peer.count.packetsIn.Load() > 10 })
	b.peer.loop.ticks.running.Lock() // the publisher's network is followed from here alone
	defer b.peer.loop.ticks.running.Unlock()
	now := time.Now()
	for i := range 3 {
		b.peer.feedback.thin.told = time.Time{}
		b.peer.followUplink(now.Add(time.Duration(i)*limitEvery), 4e5, true)
	}
	eventually(t, "the limit", func() bool { return near(b.limit.Load(), 4e5) })
	b.peer.followUplink(now.Add(time.Second), 0, false)
	eventually(t, "no limit", func() bool { return near(b.limit.Load(), unlimited) })
	if got := b.peer.feedback.thin.release; got != unlimitTimes-1 {
		t.Errorf("told %d times more", got)
	}
	if got := b.peer.count.collapses.Load(); got != 1 {
		t.Errorf("%d collapses", got)
	}
}

// near allows for REMB's mantissa of 18 bits.
func near(got uint64, want float64) bool {
	return float64(got) > 0.999*want && float64(got) < 1.001*want
}

// TestTrials guards that layers that come back are soon trusted where much more comes than before, and watched for a while where a
// network just takes them.
func TestTrials(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name        string
		back        []int // layers
		packets     int   // of a frame of the highest
		after, most time.Duration
	}{
		{"all", []int{1, 2}, 8, shortTrial, shortTrial + 300*time.Millisecond},
		{"one that hardly fits", []int{1}, 1, firstTrial, firstTrial + 300*time.Millisecond},
	} {
		p := newPublisher(t, 3)
		p.layers[0].size, p.layers[1].size = 2, 2
		top := p.src.streams[k.back[len(k.back)-1]]
		p.all(true)
		for range 60 {
			p.all(false)
		}
		p.src.collapse(p.now, 1)
		for range 60 {
			p.send(0, false)
			p.tick()
		}
		if top.live {
			t.Fatal("the layer lives")
		}
		p.layers[top.index].size = k.packets
		came := p.now
		for !top.live && p.now.Sub(came) < 10*time.Second {
			p.send(0, false)
			for _, i := range k.back {
				p.send(i, false)
			}
			p.tick()
		}
		if took := p.now.Sub(came); took < k.after || took > k.most {
			t.Errorf("%s: trusted after %v", k.name, took)
		}
	}
}

// TestRequestsAreFew guards that a stream which is mostly lost does not have its network filled with what is sent again, and that one
// of which a tenth is lost gets all of it.
func TestRequestsAreFew(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name          string
		lost, of      int // packets, of so many
		least, atMost float64
	}{
		{"a tenth", 1, 10, 1, 10},
		{"most", 8, 10, 0, 1.3},
	} {
		p := newPublisher(t, 1)
		p.layers[0].size = 10
		var v viewer
		p.src.Attach(p.now, newVideoLine(&v), 1280, 720)
		p.send(0, true)
		lost, came := 0, 0
		for range 90 {
			p.tick()
			for i, pkt := range p.encode(0, false) {
				if i%k.of < k.lost {
					lost++
					continue
				}
				came++
				p.src.Receive(p.now, 0, pkt)
			}
		}
		asked := float64(len(p.up.nacks))
		if asked < k.least*float64(lost) || asked > k.atMost*float64(lost) && k.lost == 1 || k.lost != 1 && asked > mostAsked+float64(came)/2+1 {
			t.Errorf("%s: %d lost, %d came, %.0f asked for", k.name, lost, came, asked)
		}
	}
}
