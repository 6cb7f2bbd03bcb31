package codec

import (
	"encoding/hex"
	"testing"

	"github.com/pion/rtp/codecs"
)

// frames are the beginnings of what Chromium 156 encodes (WebCodecs), H264 as Annex B, AV1 as a low-overhead bitstream.
var frames = []struct {
	kind          Kind
	width, height uint16 // 0: a delta frame
	hex           string
}{
	{VP8, 640, 360, "d033009d012a8002680104070885858899848816020275aa02066665697daf6e6c9ce1ec9ce1ec9ce1ec9ce1ec9ce1ec"},
	{VP8, 1278, 714, "10c3009d012afe04ca020a870885858899848838020274f23a3ab4bed7b7364e70f64e70f64e70f64e70f64e70f64e70"},
	{VP8, 0, 0, "510c001011540018076ff03365e699b2f34cccc00504a9552aa554aa9552aa554aa9552aa554aa9552aa554aa9552aa5"},
	{VP9, 640, 360, "824983425027f016761038241c18b61000a847d8ff657d4f0ced776a5d6f86c1d7d23b0bff0e00000000666b0d0db34e"},
	{VP9, 1278, 714, "82498342504fd02c963c38241c195a18007c47f4fdfdfc4fd1fd1fd1e71e31f505d9afadcd692601fdfcebe91d85ff87"},
	{VP9, 640, 360, "924983422813f80b3b081c120e0c5d08003847d8ff8ec9a3a0ebe91d85ff8700000000386573f98c1ff59dff729196b0"}, // profile 2
	{VP9, 0, 0, "860040929ca056c1000b007f91b9bf8c3f36cac63f896b3eb1760f974815c00000000002ff3bfb94edf7ef3efc6dceb5"},
	{H264, 640, 360, "000000016742c01e8c8d405017fcb37010d010784423500000000168ce3c800000000165b8000400007ffffe08a28000"},
	{H264, 1278, 714, "000000016742c01f8c8d402802df524dc0434041e1108d400000000168ce3c800000000165b8000400000c7ffffe08a2"},
	{H264, 640, 360, "0000000167640c1eac191a80a02ff966e021a020f08846a00000000168ce3c800000000165b8000400007ffffe08a2"},    // high
	{H264, 1278, 714, "0000000167640c1fac191a805005bea49b80868083c2211a800000000168ce3c800000000165b8000400000c7ffffe08"}, // high
	{H264, 0, 0, "0000000161e0004000be47f852298a6298a6298a6298a6298a6298a6298a6298a638c70003589f13e27c4f89f13e27c4"},
	{AV1, 640, 360, "12000a0d0000000cc4ff670068808680c2320a10475008208204a21000"},
	{AV1, 1278, 714, "12000a0e0000002d4cfdb2401a2021a03080320a11060c2025965945ad9a"},
	{AV1, 0, 0, "1200320c0330c040fdf801258340200010"},
}

// inspect reads a packet of a stream that nothing was seen of.
func inspect(k Kind, p []byte) Info {
	var s Stream
	s.Reset(k)
	return s.Inspect(p, nil)
}

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// payloads packetizes a frame with pion, an implementation that shares nothing with ours.
func payloads(k Kind, frame []byte, mtu uint16) [][]byte {
	switch k {
	case VP8:
		return (&codecs.VP8Payloader{EnablePictureID: true}).Payload(mtu, frame)
	case VP9:
		return (&codecs.VP9Payloader{}).Payload(mtu, frame)
	case H264:
		return (&codecs.H264Payloader{}).Payload(mtu, frame)
	default:
		return (&codecs.AV1Payloader{}).Payload(mtu, frame)
	}
}

func TestKeyframesOfBrowsers(t *testing.T) {
	t.Parallel()
	for i, f := range frames {
		frame := unhex(t, f.hex)
		for _, mtu := range []uint16{1200, 40} {
			pkts := payloads(f.kind, frame, mtu)
			if mtu < 100 && f.kind != AV1 && len(pkts) < 2 {
				t.Fatalf("frame %d: not split", i)
			}
			for j, p := range pkts {
				info := inspect(f.kind, p)
				if want := j == 0 && f.width > 0; info.Start != want {
					t.Errorf("frame %d, mtu %d, packet %d: start %v", i, mtu, j, info.Start)
				}
				if j == 0 && (info.Width != f.width || info.Height != f.height) {
					t.Errorf("frame %d, mtu %d: %d by %d, want %d by %d", i, mtu, info.Width, info.Height, f.width, f.height)
				}
			}
		}
	}
}

func TestVP8Rewrite(t *testing.T) {
	t.Parallel()
	rest := "d033009d012a80026801"
	for _, c := range []struct {
		name, descriptor string
		id               uint16
		tl0, tid         uint8
		want             string // after Rewrite(0x1234, 0x56)
	}{
		{"no extension", "10", 0, 0, 0, "10"},
		{"7 bits", "908005", 5, 0, 0, "908034"},
		{"15 bits", "90808105", 0x105, 0, 0, "90809234"},
		{"tl0 only", "904077", 0, 0x77, 0, "904056"},
		{"all", "90f0ffff77a1", 0x7fff, 0x77, 2, "90f0923456a1"},
		{"key index only", "901001", 0, 0, 0, "901001"},
	} {
		p := unhex(t, c.descriptor+rest)
		info := inspect(VP8, p)
		d := info
		if !info.Start || info.Width != 640 || d.PictureID != c.id || d.TL0PicIdx != c.tl0 || d.Temporal != c.tid {
			t.Errorf("%s: %+v", c.name, info)
		}
		d.Rewrite(p, 0x1234, 0x56)
		if got := hex.EncodeToString(p); got != c.want+rest {
			t.Errorf("%s: %s, want %s", c.name, got, c.want+rest)
		}
	}
}

func TestVP9Starts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, hex     string
		start         bool
		width, height uint16
	}{
		{"flexible, begin", "9881ff", true, 0, 0},
		{"inter", "d881ff03", false, 0, 0},
		{"not the beginning", "9081ff", false, 0, 0},
		{"upper spatial layer", "b88103020000", false, 0, 0},
		{"base spatial layer, TL0PICIDX", "a8010009", true, 0, 0},
		{"structure with 2 sizes and groups", "8a01" + "38" + "0140" + "00b4" + "0280" + "0168" + "02" + "00" + "0400", true, 640, 360},
		{"structure cut short", "8a0138014000", false, 0, 0},
		{"references without end", "d881ff01010101", false, 0, 0},
		{"empty", "", false, 0, 0},
	} {
		if got := inspect(VP9, unhex(t, c.hex)); got.Start != c.start || got.Width != c.width || got.Height != c.height {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestH264AndAV1Starts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		kind  Kind
		hex   string
		start bool
	}{
		{"IDR alone", H264, "65b80004", false},
		{"SPS", H264, "6742c01e8c8d40", true},
		{"PPS and SPS in one packet", H264, "78" + "0004" + "68ce3c80" + "0004" + "6742c01e", true},
		{"units longer than the packet", H264, "78" + "ffff" + "6742", false},
		{"fragment of an IDR", H264, "7c85b800", false},
		{"new sequence", AV1, "180a0b", true},
		{"new sequence, continued element", AV1, "980a0b", false},
		{"no new sequence", AV1, "100a0b", false},
		{"length beyond the packet", AV1, "08ff010a", true},
	} {
		if got := inspect(c.kind, unhex(t, c.hex)); got.Start != c.start {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for mime, want := range map[string]Kind{
		"video/VP8": VP8, "video/vp9": VP9, "VIDEO/H264": H264, "video/AV1": AV1, "audio/opus": Audio, "Audio/PCMU": Audio,
		"video/H265": Unknown, "": Unknown, "audio/": Unknown,
	} {
		if got := Parse(mime); got != want {
			t.Errorf("%s: %d", mime, got)
		}
	}
	if !inspect(Audio, nil).Start || inspect(Unknown, []byte{1, 2, 3}) != (Info{Frame: Frame{Needed: everybody}}) {
		t.Error("audio starts anywhere, unknown nowhere")
	}
}

func TestInspectDoesNotAllocate(t *testing.T) {
	for i, f := range frames {
		p := payloads(f.kind, unhex(t, f.hex), 1200)[0]
		if n := testing.AllocsPerRun(50, func() { inspect(f.kind, p) }); n != 0 {
			t.Errorf("frame %d: %v allocations", i, n)
		}
	}
}

func seed(f *testing.F, k Kind) {
	for _, fr := range frames {
		if fr.kind == k {
			f.Add(payloads(k, unhex(f, fr.hex), 1200)[0])
		}
	}
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff})
}

// FuzzVP8 also checks that rewriting changes what parsing finds, and no more.
func FuzzVP8(f *testing.F) {
	seed(f, VP8)
	f.Fuzz(func(t *testing.T, p []byte) {
		before := inspect(VP8, p)
		size := len(p)
		before.Rewrite(p, 0x1234, 0x56)
		after := inspect(VP8, p)
		want := before
		if d := &want; d.HasPictureID {
			if d.PictureID = 0x1234; !d.wide {
				d.PictureID = 0x34
			}
		}
		if want.HasTL0PicIdx {
			want.TL0PicIdx = 0x56
		}
		if after != want || len(p) != size {
			t.Errorf("%+v became %+v", before, after)
		}
	})
}

func fuzzInspect(f *testing.F, k Kind) {
	seed(f, k)
	f.Fuzz(func(t *testing.T, p []byte) {
		if info := inspect(k, p); !info.Start && info.Width != 0 {
			t.Errorf("a size without a start: %+v", info)
		}
	})
}

func FuzzVP9(f *testing.F)  { fuzzInspect(f, VP9) }
func FuzzH264(f *testing.F) { fuzzInspect(f, H264) }
func FuzzAV1(f *testing.F)  { fuzzInspect(f, AV1) }
