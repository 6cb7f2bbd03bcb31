package pace

import (
	"math/rand/v2"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

const packet = 1200 // bytes

// What comes behind a keyframe may wait longer, until it has been made up for.
func TestKeyframeLongerThanTheQueue(t *testing.T) {
	t.Parallel()
	var p Pacer[int]
	now := start
	p.SetRate(now, 600_000)
	for i := range 150 { // 180 kB: 2.4 s
		if !p.Media(now, 1200) {
			p.Queue(Packet[int]{Line: 1, Seq: uint16(i), Size: 1200, Key: true})
		}
	}
	for frame := range 100 { // 200 kb/s behind it
		now = now.Add(40 * time.Millisecond)
		for _, ok := p.Next(now); ok; _, ok = p.Next(now) {
		}
		if p.Full() {
			t.Fatalf("full at frame %d with %v waiting", frame, p.Delay())
		}
		if !p.Media(now, 1000) {
			p.Queue(Packet[int]{Line: 1, Size: 1000})
		}
	}
	if d := p.Delay(); d > 100*time.Millisecond {
		t.Errorf("%v are still waiting", d)
	}
	for !p.Full() { // and then it is as before
		p.Queue(Packet[int]{Line: 1, Size: 1000})
	}
	if d := p.Delay(); d > 400*time.Millisecond {
		t.Errorf("full with %v", d)
	}
}

func TestNoLimitNothingWaits(t *testing.T) {
	t.Parallel()
	var p Pacer[int]
	for range 1000 {
		if !p.Media(start, packet) || p.Repair(start, packet) != Send {
			t.Fatal("a packet waits without a limit")
		}
	}
}

// TestFramesPassWhole is the usual case: frames in bursts, at two thirds of the rate.
func TestFramesPassWhole(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{400_000, 1_000_000, 3_000_000, 20_000_000} {
		var p Pacer[int]
		p.SetRate(start, rate)
		frame := rate * 2 / 3 / 8 / 30
		for i := range 300 {
			now := start.Add(time.Duration(i) * time.Second / 30)
			for left := frame; left > 0; left -= packet {
				if !p.Media(now, min(left, packet)) {
					t.Fatalf("%d b/s: a packet of frame %d waits", rate, i)
				}
			}
		}
	}
}

// line is a simulated owner: it sends what the pacer lets it.
type line struct {
	t    *testing.T
	p    Pacer[int]
	seq  uint16
	sent []sentPacket
}

type sentPacket struct {
	at   time.Time
	size int
	seq  uint16
	rtx  bool
}

func (l *line) media(now time.Time, size int, key bool) {
	l.seq++
	if l.p.Media(now, size) {
		l.sent = append(l.sent, sentPacket{now, size, l.seq, false})
		return
	}
	l.p.Queue(Packet[int]{Seq: l.seq, Size: size, Key: key})
}

func (l *line) run(from, to time.Time) {
	now := from
	for {
		wait, ok := l.p.Wait(now)
		if now = now.Add(wait); !ok || now.After(to) {
			return
		}
		for {
			k, ok := l.p.Next(now)
			if !ok {
				break
			}
			l.sent = append(l.sent, sentPacket{now, k.Size, k.Seq, k.Repair})
		}
	}
}

// TestKeyframeIsSpread sends a keyframe of 60 kB into a line of 1 Mb/s: it must leave at that rate, in order, whole.
func TestKeyframeIsSpread(t *testing.T) {
	t.Parallel()
	const rate = 1_000_000
	l := &line{t: t}
	l.p.SetRate(start, rate)
	for range 50 {
		l.media(start, packet, true)
	}
	if l.p.Full() {
		t.Error("a keyframe alone fills the queue")
	}
	l.run(start, start.Add(5*time.Second))
	if len(l.sent) != 50 {
		t.Fatalf("%d packets left", len(l.sent))
	}
	bytes, credit := 0, max(rate/8*burst.Seconds(), burstMin)
	for i, s := range l.sent {
		if i > 0 && s.seq != l.sent[i-1].seq+1 {
			t.Fatalf("out of order at %d", i)
		}
		bytes += s.size
		if most := credit + packet + rate/8*s.at.Sub(start).Seconds(); float64(bytes) > most+1 {
			t.Fatalf("%d bytes after %v, at most %.0f", bytes, s.at.Sub(start), most)
		}
	}
	if took := l.sent[49].at.Sub(start); took < 400*time.Millisecond || took > 500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

func TestRunsNotSinglePackets(t *testing.T) {
	t.Parallel()
	l := &line{t: t}
	l.p.SetRate(start, 8_000_000)
	for range 200 {
		l.media(start, packet, true)
	}
	l.run(start, start.Add(time.Second))
	runs := 1
	for i := 1; i < len(l.sent); i++ {
		if gap := l.sent[i].at.Sub(l.sent[i-1].at); gap > 0 {
			runs++
			if gap < spacing {
				t.Fatalf("two runs %v apart", gap)
			}
		}
	}
	if len(l.sent) != 200 || runs > 50 {
		t.Errorf("%d packets in %d runs", len(l.sent), runs)
	}
}

func TestSoundNeverWaitsAndIsPaid(t *testing.T) {
	t.Parallel()
	var p Pacer[int]
	p.SetRate(start, 100_000)
	for p.Media(start, packet) {
	}
	before := p.credit
	p.Sound(start, 100)
	if p.credit != before-100 {
		t.Errorf("credit %v after %v", p.credit, before)
	}
}

func TestRepairsAreBounded(t *testing.T) {
	t.Parallel()
	const rate = 1_000_000
	var p Pacer[int]
	p.SetRate(start, rate)
	bytes := 0
	for i := range 10_000 {
		now := start.Add(time.Duration(i) * time.Millisecond)
		for range 3 {
			switch p.Repair(now, packet) {
			case Send:
				bytes += packet
			case Wait:
				p.Queue(Packet[int]{Size: packet, Repair: true})
			}
		}
		for {
			k, ok := p.Next(now)
			if !ok {
				break
			}
			bytes += k.Size
		}
	}
	if most := rate/8*10/repairShare + rate/8/2; bytes > most || bytes < most*8/10 {
		t.Errorf("%d bytes of retransmissions in 10 s, want about %d", bytes, most)
	}
}

func TestRepairsGoFirst(t *testing.T) {
	t.Parallel()
	l := &line{t: t}
	l.p.SetRate(start, 500_000)
	for range 20 {
		l.media(start, packet, false)
	}
	if v := l.p.Repair(start, packet); v != Wait {
		t.Fatalf("verdict %v", v)
	}
	l.p.Queue(Packet[int]{Seq: 9, Size: packet, Repair: true})
	before := len(l.sent)
	l.run(start, start.Add(time.Second))
	if !l.sent[before].rtx {
		t.Error("video went before the retransmission")
	}
}

func TestFullAndDrop(t *testing.T) {
	t.Parallel()
	var p Pacer[int]
	p.SetRate(start, 500_000)
	for p.Media(start, packet) {
	}
	n := 0
	for !p.Full() {
		p.Queue(Packet[int]{Line: n % 2, Seq: uint16(n), Size: packet})
		if n++; n > 1000 {
			t.Fatal("it is never full")
		}
	}
	if d := p.Delay(); d < maxDelay || d > maxDelay+100*time.Millisecond {
		t.Errorf("full at %v", d)
	}
	if dropped := p.Drop(1); dropped != n/2 {
		t.Errorf("dropped %d of %d", dropped, n)
	}
	if again := p.Drop(1); again != 0 || p.Full() {
		t.Errorf("dropped %d again, full: %v", again, p.Full())
	}
}

// TestKeyframesDoNotFill and what follows does.
func TestKeyframesDoNotFill(t *testing.T) {
	t.Parallel()
	var p Pacer[int]
	p.SetRate(start, 500_000)
	for p.Media(start, packet) {
	}
	for range 40 {
		p.Queue(Packet[int]{Size: packet, Key: true})
	}
	if p.Full() {
		t.Error("a keyframe of 48 kB fills the queue")
	}
	for range 110 {
		p.Queue(Packet[int]{Size: packet})
	}
	if !p.Full() {
		t.Error("2 s of video behind a keyframe do not fill the queue")
	}
}

// TestAccounts drives it at random: what goes in comes out or is dropped, and the books are balanced in the end.
func TestAccounts(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var p Pacer[int]
		now, in, out := start, 0, 0
		for range 2000 {
			now = now.Add(time.Duration(r.IntN(10)) * time.Millisecond)
			switch r.IntN(8) {
			case 0:
				p.SetRate(now, r.IntN(3)*r.IntN(2_000_000))
			case 1:
				out += p.Drop(r.IntN(3))
			case 2, 3:
				for range 5 {
					if _, ok := p.Next(now); ok {
						out++
					}
				}
			default:
				in++
				if p.Media(now, packet) {
					out++
				} else {
					p.Queue(Packet[int]{Line: r.IntN(3), Size: packet, Key: r.IntN(5) == 0})
				}
			}
		}
		p.SetRate(now, 0)
		for _, ok := p.Next(now); ok; _, ok = p.Next(now) {
			out++
		}
		if in != out || p.bytes != 0 || p.keyBytes != 0 || p.Waiting() != 0 {
			t.Fatalf("in %d, out %d, %d bytes and %d of keyframes left", in, out, p.bytes, p.keyBytes)
		}
	}
}

func TestNothingAllocates(t *testing.T) {
	var p Pacer[int]
	p.SetRate(start, 1_000_000)
	now := start
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(time.Millisecond)
		if !p.Media(now, packet) && p.Waiting() < 10 {
			p.Queue(Packet[int]{Size: packet})
		}
		p.Next(now)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMedia(b *testing.B) {
	var p Pacer[int]
	p.SetRate(start, 10_000_000)
	now := start
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(2 * time.Millisecond)
		p.Media(now, packet)
	}
}

func TestExhausted(t *testing.T) {
	t.Parallel()
	var p Pacer[int]
	p.SetRate(start, 400_000)
	p.Exhaust(start)
	if p.Media(start, 1000) {
		t.Error("a burst leaves at once")
	}
	if now := start.Add(25 * time.Millisecond); !p.Media(now, 1000) || p.Delay() != 0 {
		t.Error("its share does not")
	}
}

// TestStopsDropNothing: who is not let run for a while, again and again, makes up for it: what waits may leave in the time that was missed,
// and nothing is dropped for having come all at once.
func TestStopsDropNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 9))
		var p Pacer[int]
		now, due := start, start
		p.SetRate(now, 1_300_000)
		for now.Sub(start) < 30*time.Second {
			if now = now.Add(5 * time.Millisecond); rng.IntN(100) == 0 {
				now = now.Add(time.Duration(50+rng.IntN(250)) * time.Millisecond)
			}
			for ; due.Before(now); due = due.Add(20 * time.Millisecond) { // 1 Mb/s, of which nothing came meanwhile
				for range 2 {
					if !p.Media(now, 1250) {
						p.Queue(Packet[int]{Line: 1, Size: 1250})
					}
				}
				if p.Full() {
					t.Fatalf("seed %d: full after %v, with %v waiting", seed, now.Sub(start), p.Delay())
				}
			}
			for _, ok := p.Next(now); ok; _, ok = p.Next(now) {
			}
		}
	}
}
