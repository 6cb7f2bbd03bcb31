package sfu

import (
	"testing"
)

func TestPayloadTypes(t *testing.T) {
	t.Parallel()
	l := NewLine(LineConfig{Video: true, Codecs: []Codec{
		{MimeType: "video/VP8", PayloadType: 96, RTX: 97},
		{MimeType: "video/VP9", Fmtp: "profile-id=2", PayloadType: 98},
		{MimeType: "video/VP9", Fmtp: "profile-id=0", PayloadType: 100},
		{MimeType: "video/H264", Fmtp: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", PayloadType: 102},
		{MimeType: "video/H264", Fmtp: "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f", PayloadType: 104},
		{MimeType: "video/H264", Fmtp: "packetization-mode=1;profile-level-id=640034", PayloadType: 106},
		{MimeType: "video/AV1", PayloadType: 108},
	}})
	for _, c := range []struct {
		mime, fmtp string
		want       uint8
	}{
		{"video/vp8", "", 96},
		{"video/vp8", "max-fr=30", 96},
		{"video/VP9", "", 100},
		{"video/VP9", "profile-id=2", 98},
		{"video/VP9", "profile-id=1", 0},
		{"video/H264", "profile-level-id=42001f; packetization-mode=1", 102},
		{"video/H264", "profile-level-id=42e01f", 104},
		{"video/H264", "packetization-mode=1;profile-level-id=64001f", 106},
		{"video/H264", "packetization-mode=1;profile-level-id=4d001f", 0},
		{"video/AV1", "level-idx=5;profile=0;tier=0", 108},
		{"video/AV1", "profile=1", 0},
		{"video/H265", "", 0},
	} {
		if pt, _, ok := l.payloadTypes(Codec{MimeType: c.mime, Fmtp: c.fmtp}); pt != c.want || ok != (c.want != 0) {
			t.Errorf("%s %s: %d %v, want %d", c.mime, c.fmtp, pt, ok, c.want)
		}
	}
}

func TestTimeMapSqueezesOnlyThePast(t *testing.T) {
	t.Parallel()
	m := timeMap{firstIn: 0xfffffff0, newIn: 0x7f0, firstOut: 1000, newOut: 1000 + 0x800>>4}
	for _, c := range []struct{ in, want uint32 }{
		{0xfffffff0, 1000},
		{0xffffff00, 1000}, // before the first: not earlier
		{0x90, 1010},
		{0x7f0, 1128},
		{0x7f0 + 3000, 4128},
	} {
		if got := m.out(c.in); got != c.want {
			t.Errorf("%#x: %d, want %d", c.in, got, c.want)
		}
	}
}
