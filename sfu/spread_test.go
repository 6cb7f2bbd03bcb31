package sfu

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/parley/parley/internal/mux"
)

// newTestCrew does not depend on the machine's cores.
func newTestCrew(t testing.TB, size int) *crew {
	c := &crew{size: size, work: make(chan errand)}
	stop := make(chan struct{})
	var tasks sync.WaitGroup
	for range size {
		tasks.Go(func() { c.run(stop) })
	}
	t.Cleanup(func() { close(stop); tasks.Wait() })
	return c
}

// spreadAlways makes a loop spread every fan-out, in parts of size sinks.
func spreadAlways(l *loop, c *crew, size int) {
	l.spread = newSpread(c)
	l.spread.least, l.spread.size = 1, size
}

// TestSpreadForwardsTheSame compares what viewers of all sizes get in a storm, with the fan-out spread and without.
func TestSpreadForwardsTheSame(t *testing.T) {
	t.Parallel()
	for name, open := range studios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := func(c *crew) (got [][]string, st SourceStats) {
				s := newStorm(open(), 11, 0.03)
				lines, viewers := []*Line{s.line}, []*viewer{s.viewer}
				if c != nil {
					spreadAlways(s.src.mu, c, 2)
				}
				for i := range 20 {
					v := &viewer{}
					l := s.studio.line(v)
					s.src.Attach(s.now, l, 160<<(i%4), 90<<(i%4))
					lines, viewers = append(lines, l), append(viewers, v)
				}
				for i, l := range lines {
					n := uint16(1000 * i)
					l.lastSeq, l.writtenSeq, l.rtxSeq, l.lastTime = n, n, n, uint32(n)
				}
				for range 60 {
					s.whim()
					s.pictures(1 + s.rnd.IntN(12))
				}
				st = s.src.Stats(s.now)
				mustAddUp(t, st)
				for _, v := range viewers {
					var all []string
					for _, p := range v.take() {
						b, err := p.Marshal()
						must(t, err)
						all = append(all, fmt.Sprintf("%x", b))
					}
					got = append(got, all)
				}
				return got, st
			}
			alone, st := run(nil)
			together, spread := run(newTestCrew(t, 3))
			if d := cmp.Diff(alone, together); d != "" {
				t.Errorf("packets: %s", d)
			}
			if d := cmp.Diff(st, spread); d != "" {
				t.Errorf("counters: %s", d)
			}
		})
	}
}

// TestSpreadSurvivesPanics: who was due before and in other parts is served, and the next packet is everybody's again.
func TestSpreadSurvivesPanics(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	b := newBrowser(t, n, "a", browserConfig{})
	answerOnly(t, b)
	p := newPublisher(t, 1)
	p.src.cfg.Upstream = &sendLine{peer: b.peer}
	p.src.cfg.Nack = false
	spreadAlways(p.src.mu, newTestCrew(t, 2), 4)
	bad := &panicking{}
	for i := range 20 {
		l := newVideoLine(&bad.viewer)
		if i == 9 {
			l.cfg.Egress = bad
		}
		p.src.Attach(p.now, l, 320, 180)
	}
	p.src.Receive(p.now, 0, p.encode(0, true)...)
	if got := len(bad.take()); got != 17 { // of the third part, the first only
		t.Errorf("%d packets", got)
	}
	if b.peer.count.panics.Load() != 1 {
		t.Error("not counted")
	}
	bad.well = true
	p.src.Receive(p.now, 0, p.encode(0, false)...)
	if got := len(bad.take()); got != 20 {
		t.Errorf("%d packets after it", got)
	}
}

type panicking struct {
	viewer
	well bool
}

func (p *panicking) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	if !p.well {
		panic("egress")
	}
	return p.viewer.WriteRTP(h, payload)
}

func TestSpreadingDoesNotAllocate(t *testing.T) { // not parallel: AllocsPerRun
	p := newPublisher(t, 1)
	spreadAlways(p.src.mu, newTestCrew(t, 1), 16)
	outs := make([]hole, 100)
	for i := range outs {
		p.src.Attach(p.now, NewLine(LineConfig{
			Video: true, SSRC: lineSSRC, Egress: &outs[i], Codecs: []Codec{{MimeType: "video/VP8", PayloadType: 120}},
		}), 640, 360)
	}
	p.send(0, true)
	pkts := make([][]byte, 4000)
	for i := range pkts {
		pkts[i] = p.encode(0, false)[0]
	}
	next := 0
	once := func() {
		p.now = p.now.Add(time.Millisecond)
		p.src.Receive(p.now, 0, pkts[next:next+4]...)
		next += 4
	}
	for range 600 { // the ring grows to its full length
		once()
	}
	if n := testing.AllocsPerRun(300, once); n != 0 {
		t.Errorf("%v allocations", n)
	}
	for i := range outs {
		if want := uint64(1 + 901*4); outs[i].packets != want {
			t.Fatalf("viewer %d: %d packets, want %d", i, outs[i].packets, want)
		}
	}
}

// crowd is a plane on two sockets, with viewers that are sockets.
type crowd struct {
	*rawPlane
	viewers []*socketViewer
}

func newCrowd(t *testing.T, viewers int) *crowd {
	t.Helper()
	shared, err := mux.ListenUDP("127.0.0.1:0", 2)
	must(t, err)
	t.Cleanup(func() { _ = shared.Close() })
	c := &crowd{rawPlane: newRawPlane(t, func(cfg *Config) {
		must(t, cfg.Conn.Close())
		cfg.Conn, cfg.Plane = shared.Media(), PlaneBatched
	})}
	up(t, c.pub, c.from)
	for range viewers {
		c.viewers = append(c.viewers, newSocketViewer(t, c.rawPlane))
	}
	c.pub.loop.Lock()
	defer c.pub.loop.Unlock()
	spreadAlways(c.pub.loop, newTestCrewOn(t, c.node.plane, 2), 3)
	return c
}

func newTestCrewOn(t *testing.T, pl *plane, size int) *crew {
	c := newTestCrew(t, size)
	c.conns = pl.conns // before anybody is asked
	return c
}

// TestSpreadOverThePlane goes from datagrams to datagrams: each viewer gets all packets in order, as they were made, while the estimates
// of some swing, one shows the source twice, and one is of another group.
func TestSpreadOverThePlane(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 10)
	free, thin := c.viewers[:5], c.viewers[5:]
	for _, v := range thin {
		v.estimate(400_000, 1)
	}
	twin := newSocketViewerAs(t, c.rawPlane, browserConfig{slots: 2, noSend: true})
	foreign := newSocketViewerAs(t, c.rawPlane, browserConfig{slots: 1, noSend: true, group: "another"})
	all := append(slices.Clone(c.viewers), twin, foreign)
	var seq uint16
	for i := range uint16(200) {
		c.frame(t, &seq, i+1, i%30 == 0, 1+int(i%6))
		if i%3 == 0 { // the sockets hold so many
			for _, v := range all {
				v.read(time.Millisecond)
			}
		}
		if i%10 == 0 {
			for j, v := range thin {
				v.estimate([]int64{300_000, 3_000_000, 50_000_000}[(int(i/10)+j)%3], uint64(i))
			}
		}
		if i == 100 { // the twins part and meet again
			must(t, twin.peer.Show([]SlotView{{Slot: 1, Video: c.cam, Width: 1280, Height: 720}}))
			must(t, twin.peer.Show([]SlotView{
				{Slot: 0, Video: c.cam, Width: 1280, Height: 720}, {Slot: 1, Video: c.cam, Width: 1280, Height: 720},
			}))
		}
		mustAddUp(t, c.cam.Stats(time.Now()))
	}
	for n, v := range all {
		v.read(20 * time.Millisecond)
		v.mustBeInOrder(t, !slices.Contains(thin, v))
		if slices.Contains(free, v) && len(v.pkts) != int(seq) || v == foreign && len(v.pkts) != int(seq) {
			t.Errorf("viewer %d got %d of %d", n, len(v.pkts), seq)
		}
	}
	if ssrcs := len(twin.peer.send.Load().bySSRC); len(twin.pkts) < 3*int(seq)/2 || ssrcs != 4 {
		t.Errorf("the twins got %d of %d twice", len(twin.pkts), seq)
	}
}

// mustBeInOrder checks that the media of each line came in order, without gaps where there is no reason for any.
func (v *socketViewer) mustBeInOrder(t *testing.T, gapless bool) {
	t.Helper()
	last := make(map[uint32]uint16)
	for i, p := range v.pkts {
		l := v.peer.send.Load().bySSRC[p.SSRC]
		if l == nil { // RTX
			continue
		}
		if was, ok := last[p.SSRC]; ok && (int16(p.SequenceNumber-was) <= 0 || gapless && p.SequenceNumber != was+1) {
			t.Fatalf("packet %d: number %d after %d", i, p.SequenceNumber, was)
		}
		last[p.SSRC] = p.SequenceNumber
	}
}

// TestSpreadSound: whose redundancy it is does not change with who makes it.
func TestSpreadSound(t *testing.T) {
	t.Parallel()
	run := func(c *crew) (got [][]string) {
		k := newTalker(1)
		if c != nil {
			spreadAlways(k.src.mu, c, 2)
		}
		k.send()
		var viewers []*viewer
		for i := range 11 {
			v, sink := k.viewer(opusAndRED[:1+i%2])
			sink.line.lastSeq, sink.line.lastTime = 1, 1
			if i%4 == 3 {
				sink.SetLoss(k.now, 0.2)
			}
			viewers = append(viewers, v)
		}
		for i := range 40 {
			pkts := [][]byte{k.next(), k.next(), k.next()}
			if i%5 == 4 {
				pkts = pkts[1:]
			}
			k.src.Receive(k.now, 0, pkts...)
		}
		for _, v := range viewers {
			var all []string
			for _, p := range v.take() {
				all = append(all, fmt.Sprintf("%d %d %d %q", p.SequenceNumber, p.Timestamp, p.PayloadType, p.Payload))
			}
			got = append(got, all)
		}
		return got
	}
	if d := cmp.Diff(run(nil), run(newTestCrew(t, 2))); d != "" {
		t.Error(d)
	}
}

// BenchmarkSpread is a frame of six packets for many viewers, from datagrams to system calls, on one core and on two.
func BenchmarkSpread(b *testing.B) {
	for _, viewers := range []int{10, 50, 100, 200, 400, 1000} {
		for _, spread := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/spread=%v", viewers, spread), func(b *testing.B) { benchmarkSpread(b, viewers, spread) })
		}
	}
}

func benchmarkSpread(b *testing.B, viewers int, spread bool) {
	shared, err := mux.ListenUDP("127.0.0.1:0", 2)
	must(b, err)
	b.Cleanup(func() { _ = shared.Close() })
	r := newRawPlane(b, func(c *Config) {
		must(b, c.Conn.Close())
		c.Conn, c.Plane = shared.Media(), PlaneBatched
	})
	up(b, r.pub, r.from)
	var offer Offer
	sinks := make([]netip.AddrPort, 20)
	for i := range sinks { // they are not read: the kernel drops what does not fit
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		must(b, err)
		defer conn.Close()
		must(b, conn.SetReadBuffer(1))
		sinks[i] = conn.LocalAddr().(*net.UDPAddr).AddrPort()
	}
	for i := range viewers {
		var p *Peer
		if i == 0 {
			v := newBrowser(b, r.node, "v", browserConfig{slots: 1, noSend: true, noData: true})
			offer = v.offer(nil)
			p = v.peer
		} else if p, err = r.node.NewPeer("v", "room", &events{}); err != nil {
			b.Fatal(err)
		}
		_, err := p.Negotiate(b.Context(), offer)
		must(b, err)
		up(b, p, sinks[i%len(sinks)])
		must(b, p.Show([]SlotView{{Video: r.cam, Width: 640, Height: 360}}))
	}
	if r.node.plane.crew == nil {
		b.Skip("one core")
	}
	l := r.pub.loop
	l.Lock()
	l.spread = newSpread(r.node.plane.crew)
	l.spread.least = 1 << 30
	if spread {
		l.spread.least = 1
	}
	l.Unlock()
	in := r.node.plane.readers[0]
	keys := testKeys()
	fresh := func() { r.out, err = srtp.CreateContext(keys.Remote.Key, keys.Remote.Salt, keys.Profile); must(b, err) }
	fresh()
	seq := uint16(0)
	payload := append(vp8Packets(1, true, 640, 360, 1)[0], make([]byte, 1100)...)
	before := usage()
	for b.Loop() {
		b.StopTimer()
		var pkts [6][]byte
		for i := range pkts {
			pkts[i] = r.protect(b, seq, payload)
			payload = append(payload[:0], append(vp8Packets(seq, false, 640, 360, 1)[0], make([]byte, 1100)...)...)
			seq++
		}
		b.StartTimer()
		for _, p := range pkts {
			if !in.Packet(p, r.from, netip.Addr{}) {
				b.Fatal("not taken")
			}
		}
		in.Done()
	}
	n := float64(b.N * viewers * 6)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "wall-ns/packet")
	b.ReportMetric(float64((usage()-before).Nanoseconds())/n, "cpu-ns/packet")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N), "µs/frame")
}
