package sfu

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/parley/parley/sfu/internal/bwe"
)

// TestDues: peers tick when they asked for it, whoever joins and leaves, and once for each time.
func TestDues(t *testing.T) {
	t.Parallel()
	var d dues
	now := time.Unix(1000, 0)
	a, b, c := &Peer{}, &Peer{}, &Peer{}
	mustTick := func(what string, want ...*Peer) {
		t.Helper()
		if got := d.ticks(now, nil); !slices.Equal(got, want) {
			t.Errorf("%s: %d tick, not %d, or others", what, len(got), len(want))
		}
	}
	for _, p := range []*Peer{a, b, c} {
		d.add(p)
	}
	mustTick("those that came", a, b, c)
	now = now.Add(time.Hour)
	mustTick("again while they tick")
	d.tickBy(a, now.Add(watchEvery).UnixNano())
	d.tickBy(b, now.Add(tickInterval).UnixNano())
	d.tickBy(c, now.Add(watchEvery).UnixNano())
	mustTick("too early")
	d.remove(a) // c takes its place
	d.remove(a)
	d.tickBy(a, now.UnixNano())
	now = now.Add(tickInterval)
	mustTick("who asked", b)
	d.tickBy(c, now.UnixNano())
	d.tickBy(c, now.Add(time.Minute).UnixNano())
	mustTick("who became due earlier", c)
	d.tickBy(b, now.Add(tickInterval).UnixNano())
	now = now.Add(-time.Hour)
	mustTick("the clock was set back", b)
}

// TestReportsAreDue: sender reports are taken once each, so many at once, and those first that are late where only these are asked for.
func TestReportsAreDue(t *testing.T) {
	t.Parallel()
	var d dues
	now := time.Unix(1000, 0)
	var peers []*Peer
	for range 5 {
		p := &Peer{}
		d.add(p)
		peers = append(peers, p)
	}
	if got := d.reports(now, 0, math.MaxInt, nil); len(got) != 0 {
		t.Errorf("%d are due who show nothing", len(got))
	}
	for i, p := range peers {
		d.reportBy(p, now.Add(time.Duration(i)*100*time.Millisecond).UnixNano())
	}
	if got := d.reports(now.Add(time.Millisecond), reportPatience, math.MaxInt, nil); len(got) != 0 {
		t.Errorf("%d are late", len(got))
	}
	for _, k := range []struct {
		after, late time.Duration
		most        int
		want        []*Peer
	}{
		{0, 0, 9, peers[:1]},
		{0, 0, 9, nil},
		{250 * time.Millisecond, reportPatience, 9, peers[1:2]},
		{400 * time.Millisecond, 0, 2, peers[2:4]},
		{400 * time.Millisecond, 0, 2, peers[4:]},
		{time.Hour, 0, 9, nil},
	} {
		if got := d.reports(now.Add(k.after), k.late, k.most, nil); !slices.Equal(got, k.want) {
			t.Errorf("after %v: %d reports, not %d, or others", k.after, len(got), len(k.want))
		}
	}
	d.reportBy(peers[0], now.Add(time.Second).UnixNano())
	if got := d.reports(now.Add(-time.Hour), 0, 9, nil); len(got) != 1 {
		t.Error("no report for an hour, since the clock was set back")
	}
}

// alone lets nobody tick for the node's peers but the test.
func alone(t testing.TB, n *Node) {
	t.Helper()
	n.ticked.Store(&[]*Peer{})
	t.Cleanup(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.publishPeers()
	})
}

// TestPeersSayWhenTheyAreDue: a tick is asked for when the first of what a peer does is due, and not much before.
func TestPeersSayWhenTheyAreDue(t *testing.T) {
	t.Parallel()
	r := newRawPlane(t, func(c *Config) { c.Plane = PlaneBatched })
	up(t, r.pub, r.from)
	v := newSocketViewer(t, r).peer
	alone(t, r.node)
	ticks := &r.pub.loop.ticks
	start := time.Now()
	type count struct{ pub, viewer int }
	in := func(seconds int, each func(now time.Time)) (n count) {
		for range seconds * int(time.Second/tickInterval) {
			start = start.Add(tickInterval)
			if each != nil {
				each(start)
			}
			ticks.running.Lock()
			due := ticks.ticks(start, nil)
			for _, p := range due {
				ticks.tickBy(p, p.tick(start))
			}
			ticks.running.Unlock()
			for _, p := range due {
				switch p {
				case r.pub:
					n.pub++
				case v:
					n.viewer++
				}
			}
		}
		return n
	}
	in(1, nil)
	if n := in(2, nil); n.pub != 80 || n.viewer > 8 {
		t.Errorf("%+v ticks in two seconds", n)
	}
	r.pub.Mute(Camera, true)
	in(1, nil)
	if n := in(2, nil); n.pub > 9 {
		t.Errorf("%+v ticks in two seconds of a peer that publishes nothing", n)
	}
	h := header{payloadType: 120}
	s := r.pub.openStream(r.ssrc)
	reported := r.pub.feedback.lastReports
	came := func(now time.Time) { // as for a muted source
		h.seq++
		if r.pub.feedback.received(s, h, make([]byte, 20), r.pub.receive.Load(), now) {
			ticks.tickBy(r.pub, now.Add(tickInterval).UnixNano())
		}
		if late := now.Sub(r.pub.feedback.lastReports); late > receiverReportEvery+2*tickInterval && r.pub.feedback.lastReports != reported {
			t.Errorf("no receiver report for %v", late)
		}
	}
	in(3, came)
	v.downlink.est, v.downlink.began, v.downlink.video, v.downlink.reports = bwe.NewRemote(bwe.Config{}), start, true, reportsREMB
	in(1, nil)
	if n := in(2, func(now time.Time) {
		if late := now.Sub(v.downlink.updated); late > updateEvery+tickInterval {
			t.Errorf("the estimate is %v old", late)
		}
	}); n.viewer < 40 {
		t.Errorf("%+v ticks in two seconds of a receiver with an estimate", n)
	}
}

// TestReportsLeaveWithMedia: a sender report that is due leaves in the system call of the next packets, and by itself if none come.
func TestReportsLeaveWithMedia(t *testing.T) {
	t.Parallel()
	r, v := newViewedPlane(t)
	alone(t, r.node)
	for _, p := range []*Peer{r.pub, v.peer} {
		eventually(t, "a state", func() bool { return p.State() == PeerConnecting }) // no other follows
		p.state.Store(uint32(PeerConnected))
	}
	seq := uint16(1)
	r.frame(t, &seq, 1, true, 2)
	due := func(at time.Time) {
		v.line.reportDue.Store(at.UnixNano())
		v.peer.loop.ticks.reportBy(v.peer, at.UnixNano())
	}
	ticks := &r.pub.loop.ticks
	ticks.running.Lock() // nothing else is sent meanwhile
	before := r.node.plane.stats()
	r.frame(t, &seq, 2, false, 2)
	media := r.node.plane.stats()
	due(time.Now())
	r.frame(t, &seq, 3, false, 2)
	after := r.node.plane.stats()
	ticks.running.Unlock()
	if calls := after.SendCalls - media.SendCalls; calls != media.SendCalls-before.SendCalls || after.SentPackets-media.SentPackets != 3 {
		t.Errorf("%d system calls for %d packets", calls, after.SentPackets-media.SentPackets)
	}
	v.mustReport(t)

	now := time.Now()
	due(now)
	for _, k := range []struct {
		at   time.Duration
		sent uint64
	}{{reportPatience - time.Millisecond, 0}, {reportPatience + tickInterval, 1}, {2 * reportPatience, 0}} {
		ticks.running.Lock()
		before = r.node.plane.stats()
		late := ticks.reports(now.Add(k.at), reportPatience, math.MaxInt, nil)
		if len(late) > 0 {
			r.pub.loop.reportAlone(late, now.Add(k.at))
		}
		after = r.node.plane.stats()
		ticks.running.Unlock()
		if got := after.SentPackets - before.SentPackets; got != k.sent {
			t.Errorf("after %v: %d packets", k.at, got)
		}
	}
	v.mustReport(t)
}

// TestFeedbackLeavesWithMedia: what is due to a publisher leaves in the system call of what he sent, and from the next tick where that goes
// to nobody.
func TestFeedbackLeavesWithMedia(t *testing.T) {
	t.Parallel()
	r, v := newViewedPlane(t)
	alone(t, r.node)
	eventually(t, "a state", func() bool { return r.pub.State() == PeerConnecting }) // no other follows
	r.pub.state.Store(uint32(PeerConnected))
	seq := uint16(1)
	r.frame(t, &seq, 1, true, 2)
	ticks, f := &r.pub.loop.ticks, &r.pub.feedback
	ticks.running.Lock() // nothing else is sent meanwhile
	defer ticks.running.Unlock()
	sent := func(due bool, do func()) (calls, packets uint64) {
		f.mu.Lock()
		f.lastReports = time.Now()
		if due {
			f.lastReports = f.lastReports.Add(-receiverReportEvery)
		}
		f.mu.Unlock()
		before := r.node.plane.stats()
		do()
		after := r.node.plane.stats()
		return after.SendCalls - before.SendCalls, after.SentPackets - before.SentPackets
	}
	frame := func() { r.frame(t, &seq, seq, false, 2) }
	calls, packets := sent(false, frame)
	if c, p := sent(true, frame); c != calls || p != packets+1 {
		t.Errorf("%d packets in %d system calls, %d in %d without a report", p, c, packets, calls)
	}
	must(t, v.peer.Show(nil))
	if _, p := sent(true, frame); p != 0 {
		t.Errorf("%d packets while nobody watches", p)
	}
	tick := func() { r.pub.tick(time.Now()) }
	if c, p := sent(true, tick); c != 1 || p != 1 {
		t.Errorf("%d packets in %d system calls at the next tick", p, c)
	}
}

// mustReport takes what has come, up to a sender report for the line.
func (v *socketViewer) mustReport(t *testing.T) {
	t.Helper()
	must(t, v.conn.SetReadDeadline(time.Now().Add(patience)))
	b := make([]byte, 2000)
	for {
		n, err := v.conn.Read(b)
		must(t, err)
		if !isRTCP(b[:n]) {
			continue
		}
		plain, err := v.in.DecryptRTCP(nil, b[:n], nil)
		must(t, err)
		pkts, err := rtcp.Unmarshal(plain)
		must(t, err)
		if sr, ok := pkts[0].(*rtcp.SenderReport); !ok || sr.SSRC != v.line.ssrc || len(pkts) != 2 {
			t.Errorf("%T in a compound of %d", pkts[0], len(pkts))
		}
		return
	}
}

// BenchmarkTicks is what a second costs for viewers to whom nothing flows.
func BenchmarkTicks(b *testing.B) {
	for _, viewers := range []int{50, 1000} {
		b.Run(fmt.Sprint(viewers), func(b *testing.B) {
			n := newTestNode(b, func(c *Config) { c.Plane = PlaneBatched })
			offer := newBrowser(b, n, "offers", browserConfig{slots: 1}).offer(nil)
			var ticks *ticks
			for i := range viewers {
				p, err := n.NewPeer(fmt.Sprint(i), "viewers", &events{})
				must(b, err)
				_, err = p.Negotiate(b.Context(), offer)
				must(b, err)
				ticks = &p.loop.ticks
			}
			alone(b, n)
			now := time.Now()
			for b.Loop() {
				for range time.Second / tickInterval {
					now = now.Add(tickInterval)
					ticks.tick(now, tickInterval)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*viewers*int(time.Second/tickInterval)), "ns/viewer-tick")
		})
	}
}
