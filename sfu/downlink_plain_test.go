package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"

	"github.com/parley/parley/sfu/internal/bwe"
)

// sendVideo sends one video of so many bit/s, without layers, until the client closes.
func (b *browser) sendVideo(rate int) {
	const each, size = 20 * time.Millisecond, 1000
	b.wg.Go(func() {
		tick := time.NewTicker(each)
		defer tick.Stop()
		midID := b.extensionID(Camera, sdp.SDESMidURI)
		var seq uint16
		for n := uint16(0); ; n++ {
			select {
			case <-b.stop:
				return
			case <-tick.C:
			}
			packets := int(float64(rate) / 8 * each.Seconds() / size)
			for i := range packets {
				payload := append(vp8Packets(n, i == 0 && (n == 0 || b.keyframes[0].Swap(false)), 1280, 720, 1)[0], make([]byte, size-240)...)
				if i > 0 {
					payload[0] &^= 0x10
				}
				p := rtp.Packet{
					Header: rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: 1800 * uint32(n), Marker: i == packets-1}, Payload: payload,
				}
				seq++
				_ = p.SetExtension(midID, []byte(b.sendMID[Camera].Mid()))
				_ = b.tracks[Camera][0].WriteRTP(&p)
			}
		}
	})
}

// TestPlainViewersKeepTheirPicture: a viewer that is no browser, on a network that lacks nothing, is shown a single video of 1.6 Mb/s
// for as long as it looks, whatever it reports.
func TestPlainViewersKeepTheirPicture(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]browserConfig{
		"transport-wide numbers, no RTX": {plain: true},
		"REMB offered, none sent":        {plain: true, silent: true, remb: true},
		"receiver reports alone":         {plain: true, silent: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newDirectNode(t)
			pub := join(t, n, "pub", browserConfig{})
			c.noSend, c.noData, c.slots = true, true, 1
			v := join(t, n, "viewer", c)
			cam, err := pub.peer.Publish(Camera, false)
			must(t, err)
			must(t, v.peer.Show([]SlotView{{Video: cam, Width: 1280, Height: 720}}))
			pub.sendVideo(1_600_000)
			d := &v.peer.downlink
			known := func() bool {
				d.loop.Lock()
				defer d.loop.Unlock()
				return d.est != nil && d.verdict.Known
			}
			eventually(t, "reports", known)
			eventually(t, "packets", func() bool { return len(v.videoPackets(0)) > 300 })
			d.loop.Lock()
			d.began = d.began.Add(-openStart)
			d.loop.Unlock()
			paused := func() bool {
				d.loop.Lock()
				defer d.loop.Unlock()
				return v.peer.slots[0].video.sink.Load().paused
			}
			during(t, 3*time.Second, "the picture flows", func() bool { return !paused() })

			came := len(v.videoPackets(0))
			eventually(t, "more packets", func() bool { return len(v.videoPackets(0)) > came+500 })
		})
	}
}

// TestPausedWithoutRTXStaysInTouch: where there is no RTX stream, padding takes the place of the picture that is paused, so that reports
// go on; the picture's own packets follow without a gap.
func TestPausedWithoutRTXStaysInTouch(t *testing.T) {
	t.Parallel()
	r := newRawPlane(t, func(c *Config) { c.Plane = PlaneBatched })
	up(t, r.pub, r.from)
	v := newSocketViewerAs(t, r, browserConfig{slots: 1, noSend: true, plain: true})
	v.estimate(50_000_000, 0)
	var seq uint16
	for i := range 40 {
		if r.frame(t, &seq, uint16(i+1), i == 0, 4); i%10 == 9 {
			v.read(10 * time.Millisecond)
		}
	}
	f, d := v.estimate(30_000, 1), &v.peer.downlink
	paused := func() bool {
		d.loop.Lock()
		defer d.loop.Unlock()
		d.changed()
		d.update(time.Now())
		return v.line.sink.Load().paused
	}
	eventually(t, "the video to pause", paused)
	d.loop.Lock()
	sent := len(f.sent)
	d.loop.Unlock()
	eventually(t, "padding", func() bool {
		d.tick(time.Now())
		d.loop.Lock()
		defer d.loop.Unlock()
		return len(f.sent) >= sent+2
	})
	v.estimate(50_000_000, 0)
	eventually(t, "the video to go on", func() bool { return !paused() })
	r.frame(t, &seq, 50, true, 4)
	v.read(50 * time.Millisecond)
	padded := 0
	for i, p := range v.pkts {
		if p.Padding && len(p.Payload) == 0 {
			padded++
		}
		if i > 0 && p.SequenceNumber != v.pkts[i-1].SequenceNumber+1 || p.SSRC != v.line.ssrc {
			t.Fatalf("packet %d of %d: %v after %v", i, len(v.pkts), p.Header, v.pkts[i-1].Header)
		}
	}
	if padded < 2 || v.pkts[len(v.pkts)-1].Padding {
		t.Errorf("%d packets of padding among %d", padded, len(v.pkts))
	}
}

// TestDeafReceiverIsFollowedByItsReports: whose transport-wide feedback stops in the midst of a call is not taken for one whose network
// is down.
func TestDeafReceiverIsFollowedByItsReports(t *testing.T) {
	t.Parallel()
	r, v := newViewedPlane(t)
	v.estimate(2_000_000, 1)
	d := &v.peer.downlink
	var seq uint16
	r.frame(t, &seq, 1, true, 4)
	now := time.Now()
	d.tick(now)
	r.frame(t, &seq, 2, false, 4)
	d.tick(now.Add(updateEvery))
	d.tick(now.Add(updateEvery + 2*mute))
	d.loop.Lock()
	defer d.loop.Unlock()
	if _, ok := d.est.(*bwe.Remote); !ok || d.reports != reportsLoss {
		t.Errorf("%v by %T", d.reports, d.est)
	}
}
