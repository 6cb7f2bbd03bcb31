package sfu

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"
)

// A clean input comes out as it went in, but for the headers and the picture ids.
func TestForwardKeepsPayload(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 1), &viewer{}
	p.src.Attach(p.now, newVideoLine(v), 640, 360)
	var in [][]byte
	for i := range 300 {
		pkts := p.encode(0, i == 0)
		in = append(in, pkts...)
		p.src.Receive(p.now, 0, pkts...)
		p.tick()
	}
	out := v.take()
	mustBeContinuous(t, out)
	if len(out) != len(in) {
		t.Fatalf("%d packets out, %d in", len(out), len(in))
	}
	var base uint32
	for i, raw := range in {
		var want rtp.Packet
		if err := want.Unmarshal(raw); err != nil {
			t.Fatal(err)
		}
		got := out[i]
		if i == 0 {
			base = got.Timestamp - want.Timestamp
		}
		if got.Timestamp-want.Timestamp != base || got.Marker != want.Marker {
			t.Fatalf("packet %d: timestamp or marker differ", i)
		}
		if d := cmp.Diff(want.Payload[6:], got.Payload[6:]); d != "" {
			t.Fatalf("packet %d: %s", i, d)
		}
	}
}

// A batch of several frames, with a keyframe in its midst, comes out as the same packets one by one.
func TestBatchIsLikeSingles(t *testing.T) {
	t.Parallel()
	run := func(batch int) []content {
		p, v := newPublisher(t, 1), &viewer{}
		p.layers[0].size = 3
		p.src.Attach(p.now, newVideoLine(v), 640, 360)
		var pkts [][]byte
		for i := range 40 {
			p.now = p.now.Add(33 * time.Millisecond)
			pkts = append(pkts, p.encode(0, i == 5 || i == 20)...)
		}
		for c := range slices.Chunk(pkts, batch) {
			p.src.Receive(p.now, 0, c...)
		}
		var got []content
		for _, o := range v.take() {
			c := contentOf(o.Payload)
			c.info.PictureID, c.info.TL0PicIdx = 0, 0
			got = append(got, c)
		}
		return got
	}
	want := run(1)
	if len(want) != 35*3 {
		t.Fatalf("%d packets", len(want))
	}
	for _, batch := range []int{2, 7, 32, 33, 120} {
		if d := cmp.Diff(want, run(batch), cmp.Comparer(func(a, b content) bool { return a == b })); d != "" {
			t.Errorf("batch of %d: %s", batch, d)
		}
	}
}

func TestUpstreamLossIsNackedAndSeenDownstream(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 1), &viewer{}
	p.src.Attach(p.now, newVideoLine(v), 640, 360)
	p.all(true)
	lost := p.encode(0, false)[0]
	p.tick()
	p.all(false)
	p.all(false)
	var h rtp.Header
	if _, err := h.Unmarshal(lost); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.up.nacks, []uint16{h.SequenceNumber}) {
		t.Fatalf("nacks: %v, want %d", p.up.nacks, h.SequenceNumber)
	}
	p.src.Receive(p.now, 0, lost)
	p.src.Receive(p.now, 0, lost)
	out := v.take()
	if len(out) != 4 {
		t.Fatalf("%d packets", len(out))
	}
	ordered := []rtp.Packet{out[0], out[3], out[1], out[2]} // the gap was left open
	mustBeContinuous(t, ordered)
	if n := p.src.Stats(p.now).Dropped[dropDuplicate]; n != 1 {
		t.Errorf("%d duplicates counted", n)
	}
	for range 20 {
		p.all(false)
	}
	if len(p.up.nacks) != 1 {
		t.Errorf("still asking: %v", p.up.nacks)
	}
}

func TestPaddingLeavesNoGap(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 1), &viewer{}
	p.src.Attach(p.now, newVideoLine(v), 640, 360)
	e := p.layers[0]
	pad := func() []byte {
		h := rtp.Header{
			Version: 2, Padding: true, PaddingSize: 200, PayloadType: testVP8, SequenceNumber: e.seq, SSRC: e.ssrc,
			Timestamp: e.ts + uint32(p.now.Sub(epoch).Milliseconds())*90,
		}
		e.seq++
		return marshal(h, nil)
	}
	p.all(true)
	for range 50 {
		first, last := pad(), pad()
		p.src.Receive(p.now, 0, first, last, last)
		p.all(false)
	}
	out := v.take()
	mustBeContinuous(t, out)
	if len(out) != 51 {
		t.Errorf("%d packets", len(out))
	}
	// One that comes late, when its gap was sent already, fills the gap.
	late := pad()
	p.all(false)
	p.src.Receive(p.now, 0, late)
	out = append(out, v.take()...)
	if n := len(out); n != 53 || len(out[52].Payload) != 0 || out[52].SequenceNumber != out[51].SequenceNumber-1 {
		t.Errorf("late padding: %d packets", n)
	}
}

func TestMutedForwardsNothing(t *testing.T) {
	t.Parallel()
	p, v := newPublisher(t, 1), &viewer{}
	p.src.Attach(p.now, newVideoLine(v), 640, 360)
	p.all(true)
	p.all(false)
	p.src.SetMuted(true)
	before := v.take()
	for range 20 {
		p.all(false)
	}
	if got := v.take(); len(got) != 0 || len(p.up.plis) != 0 {
		t.Fatalf("muted: %d packets, %d PLIs", len(got), len(p.up.plis))
	}
	p.src.SetMuted(false)
	p.all(false)
	if len(p.up.plis) != 1 {
		t.Fatalf("unmuted: %d PLIs", len(p.up.plis))
	}
	p.serve(10)
	after := v.take()
	if c := contentOf(after[0].Payload); !c.info.Start {
		t.Fatal("no keyframe first")
	}
	pause := after[0].Timestamp - before[len(before)-1].Timestamp
	if pause < 20*33*90 || pause > 24*33*90 {
		t.Errorf("the timestamp advanced by %d", pause)
	}
	mustBeContinuous(t, after)
	if after[0].SequenceNumber != before[len(before)-1].SequenceNumber+1 {
		t.Error("the sequence has a gap")
	}
}

// The publisher's numbers start anew in every way they can; the viewer sees one line.
func TestStreamStartsAnew(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*encoder){
		"ssrc":               func(e *encoder) { e.ssrc, e.seq, e.ts = 4242, 7, 12345 },
		"sequence":           func(e *encoder) { e.seq += 30000 },
		"timestamp ahead":    func(e *encoder) { e.ts += 90000 * 3600 },
		"timestamp backward": func(e *encoder) { e.ts -= 90000 * 60 },
		"picture ids":        func(e *encoder) { e.ssrc, e.pid, e.tl0 = 4242, 5, 5 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, v := newPublisher(t, 1), &viewer{}
			p.layers[0].size = 3
			p.src.Attach(p.now, newVideoLine(v), 640, 360)
			p.all(true)
			p.serve(30)
			change(p.layers[0])
			p.serve(30)
			out := v.take()
			if len(out) < 50*3 {
				t.Fatalf("only %d packets", len(out))
			}
			for i := 1; i < len(out); i++ {
				a, b := out[i-1], out[i]
				if b.SequenceNumber != a.SequenceNumber+1 {
					t.Fatalf("packet %d: sequence %d after %d", i, b.SequenceNumber, a.SequenceNumber)
				}
				if d := int32(b.Timestamp - a.Timestamp); d < 0 || d > 90*300 {
					t.Fatalf("packet %d: timestamp %+d", i, d)
				}
			}
		})
	}
}

func TestCodecOfPayloadType(t *testing.T) {
	t.Parallel()
	v, now := &viewer{}, epoch
	src := NewSource(SourceConfig{Kind: Microphone, Codecs: []Codec{
		{MimeType: "audio/opus", PayloadType: testOpus}, {MimeType: "audio/PCMU", PayloadType: 0},
	}})
	src.Attach(now, NewLine(LineConfig{SSRC: 5, Egress: v, Codecs: []Codec{{MimeType: "audio/opus", PayloadType: 99}}}), 0, 0)
	for i, pt := range []uint8{testOpus, testOpus, 0, 0, 13, testOpus} {
		h := rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: uint16(i), Timestamp: uint32(960 * i), SSRC: 9}
		now = now.Add(20 * time.Millisecond)
		src.Receive(now, 0, marshal(h, []byte{1, 2, byte(i)}))
	}
	var got []byte
	for i, p := range v.take() {
		if p.PayloadType != 99 {
			t.Errorf("packet %d: payload type %d", i, p.PayloadType)
		}
		got = append(got, p.Payload[2])
	}
	if d := cmp.Diff([]byte{0, 1, opusSilence[2], 5}, got); d != "" {
		t.Error(d)
	}
	st := src.Stats(now)
	want := map[DropReason]uint64{dropUnknownCodec: 1, dropNoPayloadType: 2}
	if d := cmp.Diff(want, st.Dropped); d != "" {
		t.Error(d)
	}
}

func TestBadPacketsAreCounted(t *testing.T) {
	t.Parallel()
	p := newPublisher(t, 1)
	p.src.Receive(p.now, 0, nil, []byte{1, 2, 3}, make([]byte, 40), marshal(rtp.Header{Version: 2, PayloadType: testVP8}, make([]byte, 1600)))
	p.src.Receive(p.now, 1, p.encode(0, true)...)
	p.src.Receive(p.now, -1, p.encode(0, true)...)
	p.src.Close()
	p.src.Receive(p.now, 0, p.encode(0, true)...)
	want := map[DropReason]uint64{dropMalformed: 4, dropUnknownLayer: 2, dropMuted: 1}
	if d := cmp.Diff(want, p.src.Stats(p.now).Dropped); d != "" {
		t.Error(d)
	}
	for r := range numDropReasons {
		if r.String() == "" || r.String() == "unknown" {
			t.Errorf("reason %d has no label", r)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	opus := []Codec{{MimeType: "audio/opus", PayloadType: testOpus}}
	for name, c := range map[string]SourceConfig{
		"kind":   {Kind: "x", Codecs: opus},
		"codecs": {Kind: Microphone},
		"layers": {Kind: Camera, Codecs: opus, RIDs: []string{"a", "b", "c", "d"}},
	} {
		if c.Validate() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	s := NewSource(SourceConfig{ID: "x", Kind: Screen, Codecs: opus, RIDs: []string{"q", "f"}})
	if s.Layer("f") != 1 || s.Layer("") != -1 || s.Layer("z") != -1 || s.ID() != "x" || s.Kind() != Screen {
		t.Error("accessors")
	}
}
