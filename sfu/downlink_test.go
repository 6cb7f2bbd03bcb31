package sfu

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/parley/parley/sfu/internal/bwe"
)

// fixed is an estimator that says what it is told to say.
type fixed struct {
	verdict bwe.Estimate
	stats   bwe.Stats
	sent    []bwe.Packet
	remb    []int64
	late    time.Time
}

func (f *fixed) Sent(_ time.Time, p bwe.Packet)            { f.sent = append(f.sent, p) }
func (f *fixed) TransportFeedback(time.Time, []byte) error { return nil }
func (f *fixed) ReceiverReport(time.Time, bwe.Report)      {}
func (f *fixed) REMB(_ time.Time, rate int64)              { f.remb = append(f.remb, rate) }
func (f *fixed) Update(time.Time, bwe.Demand) bwe.Estimate { return f.verdict }
func (f *fixed) Late(since time.Time)                      { f.late = since }
func (f *fixed) Stats() bwe.Stats                          { return f.stats }

// socketViewer is a viewer that is a socket: it reads what the plane sends to it.
type socketViewer struct {
	t    testing.TB
	conn *net.UDPConn
	peer *Peer
	in   *srtp.Context
	line *slotLine
	pkts []rtp.Packet // as they came
}

func newSocketViewer(t testing.TB, r *rawPlane) *socketViewer {
	t.Helper()
	return newSocketViewerAs(t, r, browserConfig{slots: 1, noSend: true})
}

// newSocketViewerAs shows the source in all slots.
func newSocketViewerAs(t testing.TB, r *rawPlane, c browserConfig) *socketViewer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	b := newBrowser(t, r.node, "viewer", c)
	answerOnly(t, b)
	keys := testKeys()
	v := &socketViewer{t: t, conn: conn, peer: b.peer, line: b.peer.slots[0].video}
	v.in, err = srtp.CreateContext(keys.Local.Key, keys.Local.Salt, keys.Profile)
	must(t, err)
	up(t, b.peer, conn.LocalAddr().(*net.UDPAddr).AddrPort())
	var view []SlotView
	for i := range c.slots {
		view = append(view, SlotView{Slot: i, Video: r.cam, Width: 1280, Height: 720})
	}
	must(t, b.peer.Show(view))
	return v
}

// read takes what has come within d.
func (v *socketViewer) read(d time.Duration) {
	v.t.Helper()
	must(v.t, v.conn.SetReadDeadline(time.Now().Add(d)))
	b := make([]byte, 2000)
	for {
		n, err := v.conn.Read(b)
		if err != nil {
			return
		}
		if !isRTP(b[:n]) {
			continue
		}
		plain, err := v.in.DecryptRTP(nil, b[:n], nil)
		must(v.t, err)
		var p rtp.Packet
		must(v.t, p.Unmarshal(plain))
		v.pkts = append(v.pkts, p)
	}
}

// estimate puts a fixed estimator in the place of the viewer's, as if its receiver had reported for long.
func (v *socketViewer) estimate(target int64, decreases uint64) *fixed {
	d := &v.peer.downlink
	d.loop.Lock()
	defer d.loop.Unlock()
	f := &fixed{verdict: bwe.Estimate{Target: target, Known: true, Acked: target}, stats: bwe.Stats{Decreases: decreases}}
	d.est, d.verdict, d.video, d.began = f, f.verdict, true, time.Now().Add(-time.Minute)
	d.changed()
	d.update(time.Now())
	return f
}

// frame is a picture of n packets of 1000 bytes.
func (r *rawPlane) frame(t *testing.T, seq *uint16, picture uint16, key bool, n int) {
	t.Helper()
	for i := range n {
		payload := append(vp8Packets(picture, key && i == 0, 1280, 720, 1)[0], make([]byte, 900)...)
		if i > 0 {
			payload[0] &^= 0x10 // not the start of a partition
		}
		raw, err := (&rtp.Packet{
			Header: rtp.Header{
				Version: 2, PayloadType: 120, SSRC: r.ssrc, SequenceNumber: *seq, Timestamp: uint32(picture) * 3000, Marker: i == n-1,
			},
			Payload: payload,
		}).Marshal()
		must(t, err)
		sealed, err := r.out.EncryptRTP(nil, raw, nil)
		must(t, err)
		*seq++
		if !r.node.plane.readers[0].Packet(sealed, r.from, netip.Addr{}) {
			t.Fatal("not taken")
		}
	}
	r.node.plane.readers[0].Done()
}

func newViewedPlane(t *testing.T) (*rawPlane, *socketViewer) {
	t.Helper()
	r := newRawPlane(t, func(c *Config) { c.Plane = PlaneBatched })
	up(t, r.pub, r.from)
	return r, newSocketViewer(t, r)
}

// TestPacketsAreNumbered: media, retransmissions and padding of video carry transport-wide numbers without a gap, which the
// estimator knows.
func TestPacketsAreNumbered(t *testing.T) {
	t.Parallel()
	r, v := newViewedPlane(t)
	f := v.estimate(50_000_000, 0)
	id := v.line.agreed.ext.transportCC
	if !v.line.numbered || id == 0 {
		t.Fatal("the line is not numbered")
	}
	var seq uint16
	for i := range uint16(5) {
		r.frame(t, &seq, i+1, i == 0, 4)
	}
	v.read(50 * time.Millisecond)
	k := v.line.sink.Load()
	k.Nack(time.Now(), []uint16{v.pkts[3].SequenceNumber, v.pkts[4].SequenceNumber})
	d := &v.peer.downlink
	d.loop.Lock()
	must(t, v.line.padding(200))
	d.loop.Unlock()
	v.read(50 * time.Millisecond)
	if len(v.pkts) != 23 {
		t.Fatalf("%d packets", len(v.pkts))
	}
	first := binary.BigEndian.Uint16(v.pkts[0].GetExtension(id))
	repairs, padded := 0, 0
	for i, p := range v.pkts {
		if got := binary.BigEndian.Uint16(p.GetExtension(id)); got != first+uint16(i) {
			t.Fatalf("packet %d has the number %d after %d", i, got, first)
		}
		if p.SSRC == v.line.rtx {
			repairs++
		}
		if p.Padding {
			padded++
		}
	}
	if repairs != 3 || padded != 1 {
		t.Errorf("%d on the RTX stream, %d of padding", repairs, padded)
	}
	d.loop.Lock()
	defer d.loop.Unlock()
	if n := len(f.sent); n != 23 || f.sent[n-1].Seq != first+22 {
		t.Errorf("the estimator knows of %d", n)
	}
}

// TestKeyframeIsPaced: on a link that was congested a keyframe does not leave in one burst; it comes whole and in order, and sound
// would not wait behind it.
func TestKeyframeIsPaced(t *testing.T) {
	t.Parallel()
	r, v := newViewedPlane(t)
	v.estimate(2_000_000, 1)
	var seq uint16
	began := time.Now()
	r.frame(t, &seq, 1, true, 60)
	v.read(10 * time.Millisecond)
	if n := len(v.pkts); n == 0 || n > 40 {
		t.Errorf("%d of 60 packets at once", n)
	}
	for len(v.pkts) < 60 && time.Since(began) < 5*time.Second {
		v.read(20 * time.Millisecond)
	}
	took := time.Since(began)
	if len(v.pkts) != 60 || took < 100*time.Millisecond {
		t.Fatalf("%d packets in %v", len(v.pkts), took)
	}
	for i, p := range v.pkts {
		if p.SequenceNumber != v.pkts[0].SequenceNumber+uint16(i) {
			t.Fatalf("packet %d is out of order", i)
		}
	}
}

// TestFloodLeavesNoGap: what is dropped while it waits gives its numbers back; a keyframe is asked for and goes on right behind what
// was sent.
func TestFloodLeavesNoGap(t *testing.T) {
	t.Parallel()
	r, v := newViewedPlane(t)
	v.estimate(100_000, 1)
	d := &v.peer.downlink
	var seq uint16
	r.frame(t, &seq, 1, true, 2)
	for i := range uint16(40) {
		r.frame(t, &seq, i+2, false, 4)
	}
	d.loop.Lock()
	flooded, waiting := d.counts.overflows, d.pacer.Waiting()
	current := v.line.sink.Load().current
	d.loop.Unlock()
	if flooded == 0 || waiting > 20 || current >= 0 {
		t.Errorf("%d overflows, %d packets wait, layer %d is shown", flooded, waiting, current)
	}
	v.estimate(50_000_000, 1)
	v.read(50 * time.Millisecond)
	media := func() []rtp.Packet { // probes aside
		return slices.DeleteFunc(slices.Clone(v.pkts), func(p rtp.Packet) bool { return p.SSRC == v.line.rtx })
	}
	before := len(media())
	r.frame(t, &seq, 50, true, 4)
	v.read(50 * time.Millisecond)
	pkts := media()
	if len(pkts) != before+4 {
		t.Fatalf("%d packets after %d", len(pkts), before)
	}
	for i := 1; i < len(pkts); i++ {
		if pkts[i].SequenceNumber != pkts[i-1].SequenceNumber+1 {
			t.Fatalf("a gap at %d of %d: %d after %d", i, len(pkts), pkts[i].SequenceNumber, pkts[i-1].SequenceNumber)
		}
	}
}

// TestRepairStorm: however often a receiver asks, what it gets stays a share of what its network takes.
func TestRepairStorm(t *testing.T) {
	t.Parallel()
	r, v := newViewedPlane(t)
	v.estimate(1_000_000, 1)
	var seq uint16
	r.frame(t, &seq, 1, true, 4)
	v.read(50 * time.Millisecond)
	var asked []uint16
	for range 500 {
		asked = append(asked, v.pkts[0].SequenceNumber, v.pkts[1].SequenceNumber, v.pkts[2].SequenceNumber+300)
	}
	k := v.line.sink.Load()
	for range 50 {
		k.Nack(time.Now(), asked)
	}
	v.read(50 * time.Millisecond)
	repairs := 0
	for _, p := range v.pkts {
		if p.SSRC == v.line.rtx {
			repairs++
		}
	}
	if repairs == 0 || repairs > 12 {
		t.Errorf("%d retransmissions of two packets", repairs)
	}
	st := r.cam.Stats(time.Now())
	if st.Dropped[dropNackRepeat] == 0 || st.Dropped[dropNackUnknown] == 0 {
		t.Errorf("drops: %v", st.Dropped)
	}
}

// TestStaleRepairs: on a thin link nothing is sent again of before the keyframe with which the shown layer began, nor while one is
// waited for: what that keyframe lost comes first.
func TestStaleRepairs(t *testing.T) {
	t.Parallel()
	r, v := newViewedPlane(t)
	v.estimate(5_000_000, 1)
	var seq uint16
	r.frame(t, &seq, 1, true, 4)
	v.read(50 * time.Millisecond)
	k, d := v.line.sink.Load(), &v.peer.downlink
	asked := func(want uint64) {
		t.Helper()
		before := v.stale(k)
		k.Nack(time.Now(), []uint16{v.pkts[1].SequenceNumber, v.pkts[2].SequenceNumber})
		if got := v.stale(k) - before; got != want {
			t.Errorf("%d are stale, want %d", got, want)
		}
	}
	asked(0)
	d.loop.Lock()
	k.source.leave(k)
	k.source.wait(k, true, time.Now())
	d.loop.Unlock()
	asked(2) // a keyframe is waited for
	r.frame(t, &seq, 2, true, 4)
	asked(2) // it has come
	d.loop.Lock()
	d.decreased = time.Now().Add(-2 * cautious)
	d.loop.Unlock()
	v.read(50 * time.Millisecond)
	asked(0) // the link takes both
}

// stale returns how many requests were of what is of no use any more.
func (v *socketViewer) stale(k *Sink) uint64 {
	v.peer.loop.Lock()
	defer v.peer.loop.Unlock()
	return k.drops[dropNackStale]
}

// TestForgedReports: feedback for packets that were never sent, torn messages and absurd REMBs change nothing, and are counted.
func TestForgedReports(t *testing.T) {
	t.Parallel()
	r, v := newViewedPlane(t)
	var seq uint16
	r.frame(t, &seq, 1, true, 4)
	d := &v.peer.downlink
	forged := rtcp.TransportLayerCC{
		Header:             rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: 5},
		BaseSequenceNumber: 9000, PacketStatusCount: 1, ReferenceTime: 1,
		PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{PacketStatusSymbol: rtcp.TypeTCCPacketReceivedSmallDelta, RunLength: 1}},
		RecvDeltas:   []*rtcp.RecvDelta{{Type: rtcp.TypeTCCPacketReceivedSmallDelta, Delta: 250}},
	}
	raw, err := forged.Marshal()
	must(t, err)
	for range 100 {
		v.peer.receiveCompound(raw, time.Now())
	}
	v.peer.receiveCompound(raw[:len(raw)-4], time.Now())
	torn := append([]byte(nil), raw...)
	torn[14], torn[15] = 0xff, 0xff // claims 65535 packets
	v.peer.receiveCompound(torn, time.Now())
	v.peer.receiveCompound(raw[:3], time.Now())
	if n := v.peer.count.malformed.Load(); n < 2 {
		t.Errorf("%d counted as malformed", n)
	}
	d.loop.Lock()
	known, unknown := d.verdict.Known, d.est.Stats().Unknown
	d.loop.Unlock()
	if known || unknown < 100 {
		t.Errorf("known: %v, %d unknown", known, unknown)
	}
	f := v.estimate(1_000_000, 0)
	for _, rate := range []float32{0, -5, 1e30, float32(nan())} {
		d.remb(time.Now(), rate)
	}
	d.remb(time.Now(), 300_000)
	d.loop.Lock()
	defer d.loop.Unlock()
	if len(f.remb) != 1 || d.counts.rembAbsurd != 4 {
		t.Errorf("%v taken, %d refused", f.remb, d.counts.rembAbsurd)
	}
}

func nan() float64 {
	zero := 0.0
	return zero / zero
}

// TestNoReportsNoLimit: a receiver that never reports is neither limited nor numbered for long.
func TestNoReportsNoLimit(t *testing.T) {
	t.Parallel()
	r, v := newViewedPlane(t)
	var seq uint16
	r.frame(t, &seq, 1, true, 60)
	if n := v.peer.Stats().PacketsOut; n != 60 {
		t.Errorf("%d of 60 packets left at once", n)
	}
	d := &v.peer.downlink
	d.loop.Lock()
	d.began = time.Now().Add(-2 * mute)
	d.loop.Unlock()
	d.tick(time.Now().Add(updateEvery))
	r.frame(t, &seq, 2, false, 1)
	for range 40 { // 2 s, on a slow machine
		if v.read(50 * time.Millisecond); len(v.pkts) == 61 {
			break
		}
	}
	if p := v.pkts[len(v.pkts)-1]; p.Extension || d.reports != reportsLoss {
		t.Errorf("%v after %v of silence", p.Header, 2*mute)
	}
}

// TestPausedVideoStaysInTouch: where nothing else is sent, padding keeps the receiver's reports coming, or nothing would ever flow
// again.
func TestPausedVideoStaysInTouch(t *testing.T) {
	t.Parallel()
	r, v := newViewedPlane(t)
	v.estimate(50_000_000, 0)
	var seq uint16
	r.frame(t, &seq, 1, true, 4)
	d := &v.peer.downlink
	for i := range 40 { // so much a second that nothing of it fits
		r.frame(t, &seq, uint16(i+2), false, 4)
	}
	f := v.estimate(30_000, 1)
	eventually(t, "the video to pause", func() bool {
		d.loop.Lock()
		defer d.loop.Unlock()
		d.changed()
		d.update(time.Now())
		return v.line.sink.Load().paused
	})
	v.read(50 * time.Millisecond)
	before := len(v.pkts)
	d.loop.Lock()
	sent := len(f.sent)
	d.loop.Unlock()
	eventually(t, "padding", func() bool {
		d.tick(time.Now())
		d.loop.Lock()
		defer d.loop.Unlock()
		return len(f.sent) >= sent+2
	})
	v.read(50 * time.Millisecond)
	if len(v.pkts) == before || !v.pkts[len(v.pkts)-1].Padding {
		t.Errorf("%d packets after %d", len(v.pkts), before)
	}
}
