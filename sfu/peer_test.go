package sfu

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

func TestMediaBothWays(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	a := join(t, n, "a", browserConfig{slots: 1})
	b := join(t, n, "b", browserConfig{slots: 1})
	for i, from := range []*browser{a, b} {
		to := []*browser{b, a}[i]
		mic, err := from.peer.Publish(Microphone, false)
		must(t, err)
		cam, err := from.peer.Publish(Camera, false)
		must(t, err)
		must(t, to.peer.Show([]SlotView{{Slot: 0, Video: cam, Audio: mic, Width: 640, Height: 360}}))
		from.sendMedia(byte(10 * (i + 1)))
	}
	for i, to := range []*browser{b, a} {
		eventually(t, "sound and picture", func() bool {
			return len(to.videoPackets(0)) > 20 && len(to.audioPackets(0)) > 20 && to.reports.Load() > 1
		})
		video := to.videoPackets(0)
		checkContinuous(t, video)
		checkContinuous(t, to.audioPackets(0))
		if !isKey(video[0].Payload) {
			t.Error("the first picture is no keyframe")
		}
		if got, want := tagOf(video[0].Payload), byte(10*(i+1)); got != want {
			t.Errorf("picture of %d, want %d", got, want)
		}
	}
	eventually(t, "feedback", func() bool { return a.twcc.Load() > 2 && a.peer.RTT() > 0 })
	st := n.Stats()
	if st.Peers[PeerConnected] != 2 || st.PacketsIn == 0 || st.PacketsOut == 0 || st.Dropped[dropUnknownSSRC] != 0 {
		t.Errorf("stats: %+v", st)
	}
}

func TestMutedIsNotForwarded(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	a := join(t, n, "a", browserConfig{slots: 1})
	b := join(t, n, "b", browserConfig{slots: 1})
	cam, err := a.peer.Publish(Camera, true)
	must(t, err)
	must(t, b.peer.Show([]SlotView{{Video: cam, Width: 640, Height: 360}}))
	a.sendMedia(10)
	eventually(t, "packets of the muted source", func() bool { return a.peer.Stats().Dropped["muted"] > 10 })
	if got := b.videoPackets(0); len(got) > 0 {
		t.Fatalf("%d packets of a muted source were forwarded", len(got))
	}
	a.peer.Mute(Camera, false)
	eventually(t, "the picture", func() bool { return len(b.videoPackets(0)) > 10 })
	a.peer.Unpublish(Camera)
	if !cam.Muted() {
		t.Error("the gate is open after Unpublish")
	}
	if _, err := a.peer.Publish(Screen, false); err == nil {
		t.Error("a line that was not offered was published")
	}
}

func TestSimulcastFollowsTheSize(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	a := join(t, n, "a", browserConfig{simulcast: true})
	b := join(t, n, "b", browserConfig{slots: 1, noSend: true})
	cam, err := a.peer.Publish(Camera, false)
	must(t, err)
	a.sendMedia(10)
	for _, step := range []struct {
		width, height int
		tag           byte
	}{{320, 180, 10}, {1280, 720, 12}, {640, 360, 11}, {320, 180, 10}} {
		must(t, b.peer.Show([]SlotView{{Video: cam, Width: step.width, Height: step.height}}))
		eventually(t, fmt.Sprintf("layer %d", step.tag), func() bool { return b.lastTag(0) == step.tag })
	}
	pkts := b.videoPackets(0)
	checkContinuous(t, pkts)
	for i := 1; i < len(pkts); i++ {
		if tagOf(pkts[i].Payload) != tagOf(pkts[i-1].Payload) && !isKey(pkts[i].Payload) {
			t.Fatalf("packet %d: layer %d begins without a keyframe", i, tagOf(pkts[i].Payload))
		}
	}
}

func TestSlotSwitchesPublisher(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	a := join(t, n, "a", browserConfig{})
	b := join(t, n, "b", browserConfig{simulcast: true})
	v := join(t, n, "v", browserConfig{slots: 2, noSend: true})
	var view [2]SlotView
	for i, p := range []*browser{a, b} {
		cam, err := p.peer.Publish(Camera, false)
		must(t, err)
		mic, err := p.peer.Publish(Microphone, false)
		must(t, err)
		view[i] = SlotView{Video: cam, Audio: mic, Width: 320, Height: 180}
		p.sendMedia(byte(20 * (i + 1)))
	}
	for i := range 6 {
		must(t, v.peer.Show([]SlotView{view[i%2]}))
		want := byte(20 * (i%2 + 1))
		eventually(t, "the other's picture", func() bool { return v.lastTag(0) == want })
		eventually(t, "the other's sound", func() bool {
			p := v.audioPackets(0)
			return len(p) > 0 && tagOf(p[len(p)-1].Payload) == want
		})
	}
	checkContinuous(t, v.videoPackets(0))
	checkContinuous(t, v.audioPackets(0))
	must(t, v.peer.Show(nil))
	before := len(v.videoPackets(0))
	during(t, 200*time.Millisecond, "an empty slot is silent", func() bool { return len(v.videoPackets(0)) <= before+2 })
	for _, bad := range [][]SlotView{
		{{Slot: 2}}, {{Slot: -1}}, {{Slot: 0}, {Slot: 0}}, {{Slot: 0, Audio: view[0].Video}}, {{Slot: 1, Video: view[0].Audio}},
	} {
		if err := v.peer.Show(bad); err == nil {
			t.Errorf("view %v was taken", bad)
		}
	}
}

func TestLateJoinerGetsKeyframe(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	a := join(t, n, "a", browserConfig{})
	cam, err := a.peer.Publish(Camera, false)
	must(t, err)
	a.sendMedia(10)
	eventually(t, "packets", func() bool { return a.peer.Stats().PacketsIn > 400 })
	b := newBrowser(t, n, "b", browserConfig{slots: 1, noSend: true})
	must(t, b.negotiate(nil))
	must(t, b.peer.Show([]SlotView{{Video: cam, Width: 640, Height: 360}})) // before ICE is connected
	eventually(t, "the picture", func() bool { return len(b.videoPackets(0)) > 10 })
	pkts := b.videoPackets(0)
	if !slices.ContainsFunc(pkts, func(p rtp.Packet) bool { return isKey(p.Payload) }) {
		t.Error("no keyframe came")
	}
}

// TestKeyframeIsAskedForAgain guards against giving up: a publisher that ignores the first requests is asked until one comes.
func TestKeyframeIsAskedForAgain(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	a := join(t, n, "a", browserConfig{})
	b := join(t, n, "b", browserConfig{slots: 1, noSend: true})
	cam, err := a.peer.Publish(Camera, false)
	must(t, err)
	must(t, b.peer.Show([]SlotView{{Video: cam, Width: 640, Height: 360}}))
	track := a.tracks[Camera][0]
	seq := uint16(0)
	send := func(key bool) {
		for j, payload := range vp8Packets(seq/2, key, 320, 180, 10) {
			_ = track.WriteRTP(&rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: uint32(seq/2) * 1800, Marker: j == 1},
				Payload: payload,
			})
			seq++
		}
	}
	eventually(t, "three requests", func() bool { send(false); return a.plis.Load() >= 3 })
	if got := len(b.videoPackets(0)); got > 0 {
		t.Errorf("%d packets were forwarded without a keyframe", got)
	}
	send(true)
	eventually(t, "the keyframe", func() bool { send(false); return len(b.videoPackets(0)) > 2 })
	if !isKey(b.videoPackets(0)[0].Payload) {
		t.Error("the first packet begins no keyframe")
	}
}

func TestLossIsRepaired(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		up, down *loss
	}{
		{"to the viewer", nil, &loss{every: 11, down: true}},
		{"from the publisher", &loss{every: 11, up: true}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newTestNode(t, nil)
			a := join(t, n, "a", browserConfig{loss: c.up})
			b := join(t, n, "b", browserConfig{slots: 1, noSend: true, loss: c.down})
			cam, err := a.peer.Publish(Camera, false)
			must(t, err)
			must(t, b.peer.Show([]SlotView{{Video: cam, Width: 640, Height: 360}}))
			a.sendMedia(10)
			eventually(t, "packets", func() bool { return len(b.videoPackets(0)) > 300 })
			const enough = 270 // of the 300: the newest are still being repaired, on a busy machine for longer than others
			eventually(t, "all that was lost", func() bool { return missing(b.videoPackets(0), enough) == 0 })
			st := n.Stats()
			if c.down != nil && (st.RTXOut == 0 || st.NacksIn == 0 || c.down.dropped.Load() == 0) {
				t.Errorf("nothing was lost and resent: %+v", st)
			}
			if c.up != nil && (st.RTXIn == 0 || st.NacksOut == 0 || c.up.dropped.Load() == 0) {
				t.Errorf("nothing was lost and resent: %+v", st)
			}
		})
	}
}

// missing counts the numbers without a packet among the first n.
func missing(pkts []rtp.Packet, n uint16) int {
	seen := make(map[uint16]bool)
	for _, p := range pkts {
		if d := p.SequenceNumber - pkts[0].SequenceNumber; d < n {
			seen[d] = true
		}
	}
	return int(n) - len(seen)
}

func TestICERestart(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	a := join(t, n, "a", browserConfig{})
	b := join(t, n, "b", browserConfig{slots: 1})
	cam, err := a.peer.Publish(Camera, false)
	must(t, err)
	must(t, b.peer.Show([]SlotView{{Video: cam, Width: 640, Height: 360}}))
	a.sendMedia(10)
	for _, who := range []*browser{a, b} {
		eventually(t, "packets", func() bool { return len(b.videoPackets(0)) > 10 })
		old := who.answer
		must(t, who.negotiate(&webrtc.OfferOptions{ICERestart: true}))
		if ufrag(old) == ufrag(who.answer) || ufrag(who.answer) == "" {
			t.Error("the answer has no new ufrag")
		}
		before := len(b.videoPackets(0))
		eventually(t, "packets after the restart", func() bool { return len(b.videoPackets(0)) > before+20 })
		who.waitState(PeerConnected)
	}
	// The line goes on: no new SSRC, no jump.
	pkts := b.videoPackets(0)
	for i := 1; i < len(pkts); i++ {
		if pkts[i].SSRC != pkts[0].SSRC {
			t.Fatal("the SSRC changed")
		}
	}
}

func ufrag(answer string) string {
	for s := range strings.SplitSeq(answer, "\r\n") {
		if v, ok := strings.CutPrefix(s, "a=ice-ufrag:"); ok {
			return v
		}
	}
	return ""
}

func TestMoreSlots(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	v := join(t, n, "v", browserConfig{slots: 1})
	var view []SlotView
	for i := range 4 {
		p := join(t, n, string(rune('a'+i)), browserConfig{})
		cam, err := p.peer.Publish(Camera, false)
		must(t, err)
		view = append(view, SlotView{Slot: i, Video: cam, Width: 320, Height: 180})
		p.sendMedia(byte(20 * (i + 1)))
	}
	must(t, v.peer.Show(view[:1]))
	eventually(t, "the first picture", func() bool { return len(v.videoPackets(0)) > 5 })
	if err := v.peer.Show(view); err == nil {
		t.Fatal("four sources were shown in one slot")
	}
	v.addSlots(3)
	must(t, v.negotiate(nil))
	must(t, v.peer.Show(view))
	for i := range 4 {
		eventually(t, "the picture", func() bool { return v.lastTag(i) == byte(20*(i+1)) })
	}
	checkContinuous(t, v.videoPackets(0))
}
