package sfu

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"

	"github.com/parley/parley/sfu/internal/red"
)

// The planes are compared end to end: a client of stock pion publishes over ICE, DTLS and SRTP what a seed says, with losses,
// duplicates, swapped packets and redundant sound; two others are shown it, one at changing sizes. What they decrypt must be the
// same on every plane: payloads, order, markers, how timestamps and picture ids go on, and which header extensions there are.

const (
	differFrames = 180
	differPace   = 15 * time.Millisecond
	differKey    = 30 // frames between two keyframes
	differStall  = 200 * time.Millisecond
	differTries  = 5
)

// differSizes are what the second viewer is shown, by the frame from which it is. The last keyframe is too old then to switch at once.
var differSizes = map[int][2]int{0: {1280, 720}, 50: {320, 180}, 110: {640, 360}, 140: {1280, 720}}

// lossyUplink loses every 23rd packet of video, the first time (none just before a switch: that would stay away), and says of
// retransmissions which layer they repair, as browsers do.
type lossyUplink struct {
	interceptor.NoOp
	rid, repaired atomic.Uint32 // ids of the header extensions

	mu   sync.Mutex
	lost map[uint64]bool // Guarded by mu: SSRC and number
}

func (u *lossyUplink) NewInterceptor(string) (interceptor.Interceptor, error) { return u, nil }

func (u *lossyUplink) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.lost)
}

// loses reports whether a packet is lost.
func (u *lossyUplink) loses(h *rtp.Header) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	at := uint64(h.SSRC)<<16 | uint64(h.SequenceNumber)
	if h.PayloadType != 120 || h.SequenceNumber%23 != 13 || u.lost[at] {
		return false
	}
	u.lost[at] = true
	return true
}

func (u *lossyUplink) BindLocalStream(_ *interceptor.StreamInfo, w interceptor.RTPWriter) interceptor.RTPWriter {
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		if u.loses(h) {
			return len(payload), nil
		}
		if id := uint8(u.rid.Load()); h.PayloadType == 121 && id != 0 {
			repaired := h.Clone()
			if err := repaired.SetExtension(uint8(u.repaired.Load()), h.GetExtension(id)); err != nil {
				return 0, err
			}
			if err := repaired.DelExtension(id); err != nil {
				return 0, err
			}
			h = &repaired
		}
		return w.Write(h, payload, a)
	})
}

// differRun is one plane with its clients.
type differRun struct {
	t       *testing.T
	node    *Node
	red     bool
	pub     *browser
	up      *lossyUplink
	cam     *Source
	mic     *Source
	viewers []*browser
	rng     *rand.Rand
	last    time.Time
	sent    uint64 // different packets of media, those lost included
	stalled bool   // the machine was too slow: what is silent for 250 ms is taken for dead
}

func newDifferRun(t *testing.T, w way) *differRun {
	r := &differRun{t: t, red: w.red, rng: rand.New(rand.NewPCG(20, 26))}
	r.node = newTestNode(t, func(c *Config) { c.Plane = w.plane })
	r.up = &lossyUplink{lost: make(map[uint64]bool)}
	r.pub = newBrowser(t, r.node, "pub", browserConfig{simulcast: true, uplink: r.up, red: w.red})
	must(t, r.pub.negotiate(nil))
	r.pub.waitState(PeerConnected)
	r.up.rid.Store(uint32(r.pub.extensionID(Camera, sdp.SDESRTPStreamIDURI)))
	r.up.repaired.Store(uint32(r.pub.extensionID(Camera, sdp.SDESRepairRTPStreamIDURI)))
	var err error
	r.cam, err = r.pub.peer.Publish(Camera, false)
	must(t, err)
	r.mic, err = r.pub.peer.Publish(Microphone, false)
	must(t, err)
	if w.spread {
		r.pub.peer.loop.Lock()
		spreadAlways(r.pub.peer.loop, newTestCrewOn(t, r.node.plane, 2), 1)
		r.pub.peer.loop.Unlock()
	}
	for i := range 2 {
		v := join(t, r.node, fmt.Sprint("v", i), browserConfig{slots: 1, noSend: true, red: w.red})
		r.viewers = append(r.viewers, v)
	}
	return r
}

func (r *differRun) show(v *browser, width, height int) {
	must(r.t, v.peer.Show([]SlotView{{Audio: r.mic, Video: r.cam, Width: width, Height: height}}))
}

// pace waits for the next frame's time.
func (r *differRun) pace(tick *time.Ticker) {
	<-tick.C
	if now := time.Now(); !r.last.IsZero() && now.Sub(r.last) > differStall {
		r.stalled = true
	}
	r.last = time.Now()
}

// play publishes everything, in step with the clock.
func (r *differRun) play() {
	tick := time.NewTicker(differPace)
	defer tick.Stop()
	r.show(r.viewers[0], 320, 180)
	for frame := range differFrames {
		if size, ok := differSizes[frame]; ok {
			r.settle()
			r.show(r.viewers[1], size[0], size[1])
		}
		r.pace(tick)
		r.speak(uint16(frame))
		for layer := range r.pub.tracks[Camera] {
			r.picture(frame, layer)
			r.arrived()
		}
	}
}

// arrived waits until what was sent has come in. Packets that are received together are forwarded layer by layer, and a layer could be
// switched to one packet earlier or later.
func (r *differRun) arrived() {
	r.t.Helper()
	c := &r.pub.peer.count
	eventually(r.t, "what was sent", func() bool { return c.packetsIn.Load()-c.rtxIn.Load() >= r.sent-uint64(r.up.count()) })
}

// settle waits until what was published has been forwarded.
func (r *differRun) settle() {
	was := r.node.Stats()
	for still := 0; still < 3; {
		<-time.After(5 * time.Millisecond)
		now := r.node.Stats()
		if still++; now.PacketsIn != was.PacketsIn || now.PacketsOut != was.PacketsOut {
			still = 0
		}
		was = now
	}
}

// speak sends a packet of sound, of which every ninth is lost.
func (r *differRun) speak(n uint16) {
	if n%9 == 5 {
		return
	}
	sound := func(n uint16) []byte { return fmt.Appendf(nil, "sound %05d", n) }
	p := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: n, Timestamp: 960 * uint32(n)}, Payload: sound(n)}
	if r.red {
		var before []red.Block
		if n > 1 {
			before = []red.Block{{Offset: 1920, Payload: sound(n - 2)}, {Offset: 960, Payload: sound(n - 1)}}
		}
		p.Payload = red.Append(nil, 109, before, sound(n))
	}
	must(r.t, r.pub.tracks[Microphone][0].WriteRTP(&p))
	r.sent++
}

// picture sends one layer's frame of two packets, which end in their number, part and layer: some swapped, some twice. What the
// client's network loses is up to the numbers.
func (r *differRun) picture(frame, layer int) {
	payloads := vp8Packets(uint16(frame), frame%differKey == 0, 320<<layer, 180<<layer, byte(layer))
	order := []int{0, 1}
	switch r.rng.IntN(12) {
	case 0:
		if frame > 0 {
			order = []int{1, 0}
		}
	case 1:
		order = []int{0, 0, 1}
	case 2:
		order = []int{0, 1, 1}
	}
	r.sent += 2
	for _, part := range order {
		payload := append(slices.Clone(payloads[part]), byte(frame), byte(part), byte(layer))
		p := rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: uint16(2*frame + part), Timestamp: 3000 * uint32(frame), Marker: part == 1},
			Payload: payload,
		}
		must(r.t, p.SetExtension(r.pub.extensionID(Camera, sdp.SDESMidURI), []byte(r.pub.sendMID[Camera].Mid())))
		must(r.t, p.SetExtension(r.pub.extensionID(Camera, sdp.SDESRTPStreamIDURI), []byte(r.pub.tracks[Camera][layer].RID())))
		must(r.t, r.pub.tracks[Camera][layer].WriteRTP(&p))
	}
}

// inOrder sorts what came by number, and leaves out what came twice.
func inOrder(t *testing.T, pkts []rtp.Packet) []rtp.Packet {
	t.Helper()
	first := pkts[0].SequenceNumber
	slices.SortStableFunc(pkts, func(a, b rtp.Packet) int {
		return int(int16(a.SequenceNumber-first)) - int(int16(b.SequenceNumber-first))
	})
	return slices.CompactFunc(pkts, func(a, b rtp.Packet) bool {
		if a.SequenceNumber != b.SequenceNumber {
			return false
		}
		if a.Timestamp != b.Timestamp || a.Marker != b.Marker || string(a.Payload) != string(b.Payload) {
			t.Errorf("number %d stands for two packets", a.SequenceNumber)
		}
		return true
	})
}

// videoOf tells what a viewer saw, in words that do not depend on what is random or on the clock.
func videoOf(t *testing.T, pkts []rtp.Packet) (told []string) {
	t.Helper()
	pkts = inOrder(t, pkts)
	first := pkts[0]
	picture := func(p rtp.Packet) uint16 { return binary.BigEndian.Uint16(p.Payload[2:]) & 0x7fff }
	for i, p := range pkts {
		n := len(p.Payload)
		layer, frame := p.Payload[n-1], p.Payload[n-3]
		step := "the first"
		if i > 0 {
			q := pkts[i-1]
			was, advance := q.Payload[len(q.Payload)-1], int32(p.Timestamp-q.Timestamp)
			switch {
			case was == layer:
				step = fmt.Sprint("after ", advance)
			case advance > 0 && advance < videoRate/2:
				step = "after a switch"
			default:
				t.Errorf("packet %d: the timestamp goes on by %d at a switch", i, advance)
			}
		}
		rest := slices.Clone(p.Payload)
		clear(rest[2:4])
		told = append(told, fmt.Sprintf("%05d: layer %d frame %d part %d, picture %d, %s, marker %v, type %d, %x",
			p.SequenceNumber-first.SequenceNumber, layer, frame, p.Payload[n-2], (picture(p)-picture(first))&0x7fff, step, p.Marker, p.PayloadType, rest))
	}
	return told
}

// soundOf tells what a viewer heard.
func soundOf(t *testing.T, pkts []rtp.Packet) (told []string) {
	t.Helper()
	pkts = inOrder(t, pkts)
	for _, p := range pkts {
		told = append(told, fmt.Sprintf("%05d: at %d, marker %v, type %d, %d extensions, %q", p.SequenceNumber-pkts[0].SequenceNumber,
			p.Timestamp-pkts[0].Timestamp, p.Marker, p.PayloadType, len(p.GetExtensionIDs()), p.Payload))
	}
	return told
}

// checkNumbers checks the transport-wide numbers of what a viewer of the batched plane got: each packet of video has one of its own.
func checkNumbers(t *testing.T, v *browser, want bool) {
	t.Helper()
	id := v.peer.slots[0].video.agreed.ext.transportCC
	seen := make(map[uint16]bool)
	for _, p := range v.videoPackets(0) {
		ext := p.GetExtension(id)
		if (len(ext) == 2) != want || len(p.GetExtensionIDs()) > 1 {
			t.Fatalf("extensions %v", p.GetExtensionIDs())
		}
		if want {
			n := binary.BigEndian.Uint16(ext)
			if seen[n] {
				t.Fatalf("the transport-wide number %d twice", n)
			}
			seen[n] = true
		}
	}
}

// within waits for a condition.
func within(d time.Duration, ok func() bool) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(d); !ok(); <-tick.C {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// way is one way that packets can go.
type way struct {
	plane       Plane
	spread, red bool
}

// differ plays on one plane, and tells what each viewer saw and heard.
func differ(t *testing.T, w way) (got map[string][]string, stalled bool) {
	r := newDifferRun(t, w)
	r.play()
	lastFrame := func(pkts []rtp.Packet) bool {
		return slices.ContainsFunc(pkts, func(p rtp.Packet) bool { return p.Payload[len(p.Payload)-3] == differFrames-1 })
	}
	if !within(5*time.Second, func() bool {
		for _, v := range r.viewers {
			pkts := v.videoPackets(0)
			if !lastFrame(pkts) {
				return false
			}
			if pkts = inOrder(t, pkts); int(pkts[len(pkts)-1].SequenceNumber-pkts[0].SequenceNumber) != len(pkts)-1 {
				return false
			}
		}
		return true
	}) { // what came too late to be brought back
		r.stalled = true
	}
	r.settle()
	got = map[string][]string{}
	for i, v := range r.viewers {
		got[fmt.Sprint("video ", i)] = videoOf(t, v.videoPackets(0))
		got[fmt.Sprint("sound ", i)] = soundOf(t, v.audioPackets(0))
		checkNumbers(t, v, w.plane == PlaneBatched)
	}
	if rtx, lost := r.pub.peer.Stats().RTXIn, r.up.count(); rtx == 0 || lost == 0 {
		t.Errorf("%d packets were lost, %d sent again", lost, rtx)
	}
	if n := r.mic.Stats(time.Now()).Recovered; (n > 0) != w.red {
		t.Errorf("RED %v: %d packets were brought back", w.red, n)
	}
	for _, b := range append(r.viewers, r.pub) {
		b.close()
	}
	return got, r.stalled
}

func TestPlanesAgreeEndToEnd(t *testing.T) { // not parallel: it goes by the clock
	for name, ways := range map[string][]way{
		"planes": {{plane: PlanePion}, {plane: PlaneBatched}, {plane: PlaneBatched, spread: true}},
		"RED":    {{plane: PlaneBatched, red: true}, {plane: PlaneBatched, red: true, spread: true}}, // not negotiated on the other
	} {
		t.Run(name, func(t *testing.T) { compareWays(t, ways) })
	}
}

// compareWays plays on all of them, again where they differ or the machine was too slow: when a layer is switched hangs on the clock, too.
// What differs every time is a difference, and a machine that is always too slow is a failure: nothing was compared.
func compareWays(t *testing.T, ways []way) {
	var diff string
	slow := 0
	for range differTries {
		got := make([]map[string][]string, len(ways))
		stalled := false
		for i, w := range ways {
			var slept bool
			got[i], slept = differ(t, w)
			stalled = stalled || slept
		}
		if stalled {
			slow++
			continue
		}
		if diff = differences(ways, got); diff == "" {
			mustShowAll(t, got[0])
			return
		}
		t.Logf("they differ: %.2000s", diff)
	}
	t.Errorf("%d of %d times the machine was too busy to publish in time; else they differ: %s", slow, differTries, diff)
}

// differences compares what viewers got in the first way with the others.
func differences(ways []way, got []map[string][]string) (all string) {
	for i := range ways[1:] {
		for name, want := range got[0] {
			if d := cmp.Diff(want, got[i+1][name]); d != "" {
				all += fmt.Sprintf("%s, %d packets: -%+v +%+v: %s", name, len(want), ways[0], ways[i+1], d)
			}
		}
	}
	return all
}

// mustShowAll checks that something was compared: all layers, all the time.
func mustShowAll(t *testing.T, got map[string][]string) {
	t.Helper()
	layers := map[byte]bool{}
	for _, line := range got["video 1"] {
		layers[line[len("00000: layer ")]] = true
	}
	for name, lines := range got {
		if len(lines) < 100 {
			t.Errorf("%s: %d packets", name, len(lines))
		}
	}
	if len(layers) != 3 {
		t.Errorf("the second viewer was shown %d layers", len(layers))
	}
}
