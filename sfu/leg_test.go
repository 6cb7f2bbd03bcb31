package sfu

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/parley/parley/internal/batch"
	"github.com/parley/parley/sfu/internal/bwe"
)

// TestHostsFollowAddresses: what strangers' packets are looked up in is what is known, whatever is learnt and forgotten.
func TestHostsFollowAddresses(t *testing.T) {
	t.Parallel()
	pl := &plane{}
	pl.known.Store(new(map[netip.AddrPort]*leg))
	pl.hosts.Store(new(hosts))
	rng := rand.New(rand.NewPCG(1, 2))
	legs := make([]*leg, 6)
	for i := range legs {
		legs[i] = &leg{plane: pl}
	}
	for range 3000 {
		k := legs[rng.IntN(len(legs))]
		if rng.IntN(20) == 0 {
			pl.forget(k)
		} else {
			ip := netip.AddrFrom4([4]byte{10, 0, 0, byte(rng.IntN(5))})
			pl.learn(netip.AddrPortFrom(ip, uint16(1+rng.IntN(12))), k)
		}
		want := make(hosts)
		for a, k := range *pl.known.Load() {
			want.add(a.Addr(), k)
		}
		got := *pl.hosts.Load()
		if len(got) != len(want) {
			t.Fatalf("%d hosts, not %d", len(got), len(want))
		}
		for ip, here := range want {
			if len(got[ip]) != len(here) || slices.ContainsFunc(here, func(k *leg) bool { return !slices.Contains(got[ip], k) }) {
				t.Fatalf("%v: %v, not %v", ip, got[ip], here)
			}
		}
	}
}

// TestNothingIsSentAfterICEFailed: who has not answered ICE's checks for so long does not consent any more (RFC 7675).
func TestNothingIsSentAfterICEFailed(t *testing.T) {
	t.Parallel()
	n := newDirectNode(t)
	a := join(t, n, "a", browserConfig{})
	b := join(t, n, "b", browserConfig{slots: 1})
	cam, err := a.peer.Publish(Camera, false)
	must(t, err)
	must(t, b.peer.Show([]SlotView{{Video: cam, Width: 640, Height: 360}}))
	a.sendMedia('v')
	eventually(t, "media", func() bool { return len(b.videoPackets(0)) > 20 })
	k := b.peer.leg
	b.peer.loop.Lock()
	to := k.to
	b.peer.loop.Unlock()
	k.lose()
	sent, in := b.peer.Stats().PacketsOut, a.peer.Stats().PacketsIn
	eventually(t, "more from the publisher", func() bool { return a.peer.Stats().PacketsIn > in+20 })
	if got := b.peer.Stats().PacketsOut; got != sent {
		t.Errorf("%d packets left without a path", got-sent)
	}
	before := len(b.videoPackets(0))
	k.use(via{addr: to.Addr()}, true)
	eventually(t, "media again", func() bool { return len(b.videoPackets(0)) > before+20 })
}

// TestREMBCountsWhatIsSent: an estimate that grows only as it is used must hear of all that is sent, numbered or not.
func TestREMBCountsWhatIsSent(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	l := &loop{}
	d := &downlink{loop: l, reports: reportsREMB, est: bwe.NewRemote(bwe.Config{})}
	for range 50 {
		now = now.Add(20 * time.Millisecond)
		l.now = now
		d.leaves(&slotLine{video: true}, 0, batch.MaxPacket, false)
	}
	if got := d.est.Update(now, bwe.Demand{}).Acked; got < 500_000 {
		t.Errorf("%d bit/s of 640 kb/s", got)
	}
}

// TestProbesRepeatWhatWasSent: the number of a packet that waits may yet go to another packet, which the receiver would then take for a
// duplicate. So no probe brings it forward.
func TestProbesRepeatWhatWasSent(t *testing.T) {
	t.Parallel()
	r, v := newViewedPlane(t)
	v.estimate(2_000_000, 1)
	var seq uint16
	r.frame(t, &seq, 1, true, 60)
	d := &v.peer.downlink
	d.loop.Lock()
	waiting, written := d.pacer.Waiting(), v.line.line.writtenSeq
	d.startProbe(time.Now(), bwe.Probe{ID: 1, Rate: 20_000_000, Duration: 20 * time.Millisecond, Bytes: 12_000, Packets: 6, Size: 1200})
	d.loop.Unlock()
	v.read(50 * time.Millisecond)
	repeated := 0
	for _, p := range v.pkts {
		if p.SSRC != v.line.rtx || len(p.Payload) < 2 {
			continue
		}
		repeated++
		if osn := binary.BigEndian.Uint16(p.Payload); int16(osn-written) > 0 {
			t.Errorf("%d is repeated before it was sent: %d was the last", osn, written)
		}
	}
	if waiting == 0 || repeated == 0 {
		t.Errorf("%d packets wait, %d were repeated", waiting, repeated)
	}
}
