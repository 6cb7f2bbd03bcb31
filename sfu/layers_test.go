package sfu

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/parley/parley/sfu/internal/codec"
	"github.com/parley/parley/sfu/internal/codec/codectest"
)

const (
	testPT = 101
	testDD = 9 // header extension id
)

// studio publishes layered video of any codec, one picture of each stream every 33 ms.
type studio struct {
	mime      string
	described bool // packets have dependency descriptors
	src       *Source
	up        *upstream
	now       time.Time
	cameras   []*camera
	past      []*camera                    // with SSRCs that are no more
	deliver   func(stream int, pkt []byte) // nil: to the source at once
}

// camera is one RTP stream.
type camera struct {
	codectest.Encoder
	ssrc     uint32
	seq      uint16
	ts       uint32
	tl0      uint8
	off      bool        // it sends nothing
	packets  int         // a frame
	pictures map[int]int // by frame number
	frames   map[int]codectest.Frame
}

func newStudio(mime string, described bool, cameras ...codectest.Encoder) *studio {
	st := &studio{mime: mime, described: described, up: &upstream{}, now: epoch}
	cfg := SourceConfig{
		ID: "camera", Kind: Camera, Nack: true, Upstream: st.up, DependencyID: testDD,
		Codecs: []Codec{{MimeType: mime, PayloadType: testPT}},
	}
	if len(cameras) > 1 {
		cfg.RIDs = []string{"q", "h", "f"}[:len(cameras)]
	}
	st.src = NewSource(cfg)
	for i, e := range cameras {
		n := uint32(i + 1)
		e.Small = len(cameras) - 1 - i
		st.cameras = append(st.cameras, &camera{
			Encoder: e, ssrc: 1000 * n, seq: uint16(65400 + i), ts: 0xffff0000 * n, tl0: 250, packets: i + 1, pictures: make(map[int]int),
			frames: make(map[int]codectest.Frame),
		})
	}
	return st
}

func (st *studio) line(v *viewer) *Line {
	return NewLine(LineConfig{
		Video: true, SSRC: lineSSRC, RTXSSRC: rtxSSRC, Egress: v, DependencyID: testDD,
		Codecs: []Codec{{MimeType: st.mime, PayloadType: 120, RTX: 121}},
	})
}

// run sends n pictures of all streams and answers keyframe requests.
func (st *studio) run(n int) {
	for range n {
		asked := st.up.plis
		st.up.plis = nil
		for i, c := range st.cameras {
			key := slices.Contains(asked, c.ssrc)
			pkts := st.picture(c, key)
			if c.off {
				continue
			}
			if st.deliver == nil {
				st.src.Receive(st.now, i, pkts...)
				continue
			}
			for _, p := range pkts {
				st.deliver(i, p)
			}
		}
		st.now = st.now.Add(33 * time.Millisecond)
		st.src.Tick(st.now)
	}
}

func (st *studio) picture(c *camera, key bool) (pkts [][]byte) {
	ts := c.ts + uint32(st.now.Sub(epoch).Milliseconds())*90
	for _, f := range c.Next(key) {
		c.pictures[f.Number], c.frames[f.Number] = f.Picture, f
		if f.Temporal == 0 && f.Spatial == 0 {
			c.tl0++
		}
		n := c.packets + f.Spatial
		for i := range n {
			pkts = append(pkts, st.packet(c, f, ts, i, n))
		}
	}
	return pkts
}

// packet makes the packet i of the n of a frame.
func (st *studio) packet(c *camera, f codectest.Frame, ts uint32, i, n int) []byte {
	first, last := i == 0, i == n-1
	var b []byte
	switch st.mime {
	case "video/VP8":
		if b = vp8Packet(c, f, first); st.described { // as libwebrtc does
			b = append([]byte{b[0] &^ 0x80}, b[6:]...)
		}
	case "video/VP9":
		b = c.VP9(f, first, last, c.pictures)
	case "video/H264":
		b = h264Packet(c, f, first)
	case "video/AV1":
		if b = []byte{0x10}; first && f.Key && f.Spatial == 0 {
			b[0] |= 0x08
		}
	}
	tag := binary.BigEndian.AppendUint32(nil, c.ssrc)
	tag = binary.BigEndian.AppendUint32(tag, uint32(f.Number))
	b = append(append(b, tag...), byte(i), byte(n))
	h := rtp.Header{Version: 2, Marker: last && f.Top, PayloadType: testPT, SequenceNumber: c.seq, Timestamp: ts, SSRC: c.ssrc}
	c.seq++
	if st.described {
		if err := h.SetExtension(testDD, c.Descriptor(f, first, last)); err != nil {
			panic(err)
		}
	}
	return marshal(h, b)
}

// vp8Packet has picture id, TL0PICIDX and temporal layer. Keyframes have their size.
func vp8Packet(c *camera, f codectest.Frame, first bool) []byte {
	b := []byte{0x80, 0xe0, 0x80 | byte(f.Picture>>8&0x7f), byte(f.Picture), c.tl0, byte(f.Temporal) << 6, 1}
	if f.Temporal > 0 && !slices.ContainsFunc(f.Refs, func(r int) bool { return c.frames[r].Temporal > 0 }) {
		b[5] |= 0x20 // Y
	}
	if first {
		b[0] |= 0x10
	}
	if f.Key {
		w, h := c.Width(0), c.Height(0)
		b[6] = 0
		b = append(b, 0, 0, 0x9d, 0x01, 0x2a, byte(w), byte(w>>8), byte(h), byte(h>>8))
	}
	return b
}

// h264Packet is a slice, or the parameter sets at the start of a keyframe. What nothing refers to says so.
func h264Packet(c *camera, f codectest.Frame, first bool) []byte {
	switch {
	case f.Key && first:
		return []byte{0x78, 0, 12, 0x67, 0x42, 0xc0, 0x1e, 0x8c, 0x8d, 0x40, 0x50, 0x17, 0xfc, 0xb3, 0x70, 0, 2, 0x68, 0xce}
	case f.Temporal > 0 && f.Temporal == c.Temporals-1 && first:
		return []byte{0x01, 0x9a}
	case f.Temporal > 0 && f.Temporal == c.Temporals-1:
		return []byte{0x01, 0x15}
	case first:
		return []byte{0x41, 0x9a}
	}
	return []byte{0x41, 0x15}
}

// seen is a packet as its viewer sees it.
type seen struct {
	rtp.Packet
	ssrc, number uint32
	index, count int
	info         codec.Info
}

// look reads what a viewer got, in order of arrival.
func (st *studio) look(t testing.TB, pkts []rtp.Packet) (out []seen) {
	t.Helper()
	var r codec.Stream
	r.Reset(codec.Parse(st.mime))
	for _, p := range pkts {
		if len(p.Payload) == 0 {
			continue
		}
		if len(p.Payload) < 11 {
			t.Fatalf("payload %x", p.Payload)
		}
		tag := p.Payload[len(p.Payload)-10:]
		out = append(out, seen{
			Packet: p, ssrc: binary.BigEndian.Uint32(tag), number: binary.BigEndian.Uint32(tag[4:]),
			index: int(tag[8]), count: int(tag[9]), info: r.Inspect(p.Payload, p.GetExtension(testDD)),
		})
	}
	return out
}

func (s seen) String() string {
	return fmt.Sprintf("seq %d, stream %d frame %d packet %d/%d S%d T%d", s.SequenceNumber, s.ssrc, s.number, s.index+1, s.count,
		s.info.Spatial, s.info.Temporal)
}

func (st *studio) camera(ssrc uint32) *camera {
	for _, c := range slices.Concat(st.cameras, st.past) {
		if c.ssrc == ssrc {
			return c
		}
	}
	return nil
}

// mustDecode checks what a decoder needs, of packets on a way that lost none: no gap in the numbers, whole frames, in which
// all that they refer to came before; time that goes forward; the marker bit at the end of each picture; ids that go on.
func (st *studio) mustDecode(t testing.TB, pkts []seen) {
	t.Helper()
	have := make(map[[2]uint32]bool)
	begun := false // a keyframe came
	for i, p := range pkts {
		c := st.camera(p.ssrc)
		f := c.frames[int(p.number)]
		next := i+1 < len(pkts)
		if begun = begun || f.Key; p.index == 0 {
			for _, r := range f.Refs {
				if !have[[2]uint32{p.ssrc, uint32(r)}] && r >= int(pkts[0].number) {
					t.Fatalf("%v: frame %d is not there", p, r)
				}
			}
		}
		if p.index == p.count-1 {
			have[[2]uint32{p.ssrc, p.number}] = true
		}
		if begun && st.described && (int(p.info.Spatial) != f.Spatial || int(p.info.Temporal) != f.Temporal) {
			t.Fatalf("%v: described as %+v, is %+v", p, p.info, f)
		}
		if !next {
			break
		}
		q := pkts[i+1]
		if q.SequenceNumber != p.SequenceNumber+1 {
			t.Fatalf("%v after %v", q, p)
		}
		same := p.ssrc == q.ssrc && p.number == q.number
		if same != (q.index == p.index+1) || !same && (q.index != 0 || p.index != p.count-1) {
			t.Fatalf("%v after %v: a frame is not whole", q, p)
		}
		g := st.camera(q.ssrc).frames[int(q.number)]
		picture := p.ssrc != q.ssrc || f.Picture != g.Picture
		if d := int32(q.Timestamp - p.Timestamp); picture != (d > 0) || d < 0 {
			t.Fatalf("%v after %v: timestamp %+d", q, p, d)
		}
		if picture != p.Marker {
			t.Fatalf("%v, then %v: marker %v", p, q, p.Marker)
		}
		st.mustCount(t, p, q, f, g)
	}
}

// mustCount checks the ids of a packet and the next, of the frames f and g.
func (st *studio) mustCount(t testing.TB, p, q seen, f, g codectest.Frame) {
	t.Helper()
	if !p.info.HasPictureID || !q.info.HasPictureID {
		return
	}
	mask := uint16(0x7fff)
	want := uint16(g.Picture - f.Picture) // what is left out leaves a gap: others refer by differences
	switch {
	case st.described:
		mask, want = 0xffff, uint16(g.Number-f.Number)
	case st.mime == "video/VP8":
		want = min(want, 1)
	}
	d := (q.info.PictureID - p.info.PictureID) & mask
	joined := p.ssrc != q.ssrc || g.Key && g.Number != f.Number // a switch, the end of a pause, or the same keyframe again
	if d != want && !(joined && d == 1) {
		t.Fatalf("%v after %v: id %+d, want %+d", q, p, d, want)
	}
	base := uint8(0)
	if st.mime == "video/VP8" && !st.described && g.Temporal == 0 && p.info.PictureID != q.info.PictureID {
		base = 1
	}
	if d := q.info.TL0PicIdx - p.info.TL0PicIdx; d != base {
		t.Fatalf("%v after %v: TL0PICIDX %+d, want %+d", q, p, d, base)
	}
}

// studios are all that a publisher may do.
func studios() map[string]func() *studio {
	simulcast := func(mime string, described bool, temporals int, tied bool) func() *studio {
		one := codectest.Encoder{Spatials: 1, Temporals: temporals, Tied: tied}
		return func() *studio { return newStudio(mime, described, one, one, one) }
	}
	single := func(mime string, described bool, e codectest.Encoder) func() *studio {
		return func() *studio { return newStudio(mime, described, e) }
	}
	all := map[string]func() *studio{
		"VP8 simulcast T1":      simulcast("video/VP8", false, 1, false),
		"VP8 simulcast T2":      simulcast("video/VP8", false, 2, false),
		"VP8 simulcast T3":      simulcast("video/VP8", false, 3, false),
		"VP8 described":         simulcast("video/VP8", true, 3, false),
		"VP8 simulcast T3 tied": simulcast("video/VP8", false, 3, true),
		"H264 simulcast T2":     simulcast("video/H264", false, 2, false),
		"H264 simulcast T3":     simulcast("video/H264", true, 3, false),
		"VP9 simulcast T3":      simulcast("video/VP9", false, 3, true),
		"AV1 simulcast T3":      simulcast("video/AV1", true, 3, false),
		"AV1 undescribed":       single("video/AV1", false, codectest.Encoder{Spatials: 1, Temporals: 1}),
	}
	for _, mime := range []string{"video/VP9", "video/AV1"} {
		for name, e := range map[string]codectest.Encoder{
			"L1T3": {Spatials: 1, Temporals: 3}, "L2T3": {Spatials: 2, Temporals: 3}, "L3T3": {Spatials: 3, Temporals: 3},
			"L3T1": {Spatials: 3, Temporals: 1}, "L3T3_KEY": {Spatials: 3, Temporals: 3, Keyed: true},
			"L2T2_KEY": {Spatials: 2, Temporals: 2, Keyed: true},
		} {
			all[mime[6:]+" "+name] = single(mime, mime == "video/AV1", e)
		}
	}
	return all
}

// options is how many choices of resolution a studio offers.
func (st *studio) options() int { return max(len(st.cameras), st.cameras[0].Spatials) }

// layersOf returns the highest option and temporal layer among packets.
func (st *studio) layersOf(pkts []seen) (option, temporal int) {
	option, temporal = -1, -1
	for _, p := range pkts {
		f := st.camera(p.ssrc).frames[int(p.number)]
		o := f.Spatial
		if len(st.cameras) > 1 {
			o = int(p.ssrc%10000/1000) - 1
		}
		option, temporal = max(option, o), max(temporal, f.Temporal)
	}
	return option, temporal
}

// A viewer is limited to every choice in turn: it gets that, and everything that it gets can be decoded.
func TestEveryChoiceDecodes(t *testing.T) {
	t.Parallel()
	for name, open := range studios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st, v := open(), &viewer{}
			st.run(3)
			k := st.src.Attach(st.now, st.line(v), 1280, 720)
			st.run(40)
			temporals := st.cameras[0].Temporals
			var all []seen
			for step := range 3 * st.options() * temporals {
				o, tl := step*2%st.options(), step%temporals
				st.src.mu.Lock()
				k.aim(st.now, o, tl)
				st.src.mu.Unlock()
				all = append(all, st.look(t, v.take())...)
				st.run(20)
				all = append(all, st.look(t, v.take())...)
				st.run(12)
				settled := st.look(t, v.take())
				all = append(all, settled...)
				if gotO, gotT := st.layersOf(settled); gotO != o || gotT != tl {
					t.Fatalf("limited to %d.%d, got %d.%d", o, tl, gotO, gotT)
				}
			}
			st.mustDecode(t, st.look(t, repack(all)))
			if st.src.drops != (drops{}) {
				t.Errorf("dropped: %v", st.src.drops.byReason())
			}
		})
	}
}

// repack returns the packets themselves.
func repack(all []seen) (pkts []rtp.Packet) {
	for _, p := range all {
		pkts = append(pkts, p.Packet)
	}
	return pkts
}

func TestPausedAndResumed(t *testing.T) {
	t.Parallel()
	for name, open := range studios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st, v := open(), &viewer{}
			st.run(3)
			k := st.src.Attach(st.now, st.line(v), 1280, 720)
			st.run(30)
			for range 3 {
				st.src.mu.Lock()
				k.aim(st.now, -1, 0)
				st.src.mu.Unlock()
				n := len(v.pkts)
				st.run(50)
				if len(v.pkts) != n || !k.paused {
					t.Fatalf("%d packets while paused", len(v.pkts)-n)
				}
				st.src.mu.Lock()
				k.aim(st.now, 0, topTemporal)
				st.src.mu.Unlock()
				st.run(10)
				if len(v.pkts) < n+5 || k.paused {
					t.Fatalf("%d packets after the pause", len(v.pkts)-n)
				}
			}
			st.mustDecode(t, st.look(t, v.take()))
		})
	}
}

func TestLadder(t *testing.T) {
	t.Parallel()
	for name, open := range studios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := open()
			k := st.src.Attach(st.now, st.line(&viewer{}), 1280, 720)
			st.run(60)
			rungs := st.src.ladder(st.now, nil)
			temporals := st.cameras[0].Temporals
			if st.mime == "video/AV1" && !st.described {
				temporals = 1
			}
			if len(rungs) != st.options()*temporals {
				t.Fatalf("%d rungs: %+v", len(rungs), rungs)
			}
			for i, r := range rungs {
				if r.spatial != i/temporals || r.temporal != i%temporals || !r.live || r.width <= 0 {
					t.Errorf("rung %d: %+v", i, r)
				}
				if fps := 30 >> (temporals - 1 - r.temporal); r.fps < fps-1 || r.fps > fps+2 {
					t.Errorf("rung %d: %d fps, want %d", i, r.fps, fps)
				}
				if i%temporals > 0 && r.bps <= rungs[i-1].bps || i >= temporals && r.bps <= rungs[i-temporals].bps {
					t.Errorf("rung %d costs no more: %+v", i, rungs)
				}
			}
			if k.wished != st.options()-1 || k.showing() != st.options()-1 {
				t.Errorf("wished %d, showing %d", k.wished, k.showing())
			}
		})
	}
}
