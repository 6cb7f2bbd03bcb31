package sfu

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/sdp/v3"
)

// chromiumOffer is what Chromium offers, in what matters: a microphone, a simulcast camera, one slot, data.
func chromiumOffer() Offer {
	head := func(media, formats, mid, direction string) string {
		return "m=" + media + " 9 UDP/TLS/RTP/SAVPF " + formats + "\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n" +
			"a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=ice-options:trickle\r\na=fingerprint:sha-256 " +
			strings.TrimSuffix(strings.Repeat("AB:", 32), ":") + "\r\na=setup:actpass\r\na=mid:" + mid + "\r\na=" + direction +
			"\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
	}
	audio := func(mid, direction string) string {
		return head("audio", "111 63 9 0 8 13 110 126", mid, direction) +
			"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n" +
			"a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n" +
			"a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n" +
			"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n" +
			"a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n" +
			"a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\n" +
			"a=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n"
	}
	video := func(mid, direction string) string {
		var b strings.Builder
		b.WriteString("a=extmap:14 urn:ietf:params:rtp-hdrext:toffset\r\n" +
			"a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\na=extmap:13 urn:3gpp:video-orientation\r\n" +
			"a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n" +
			"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n" +
			"a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\na=extmap:12 " + dependencyDescriptorURI + "\r\n")
		var formats []string
		for _, c := range []struct {
			pt         int
			name, fmtp string
		}{
			{96, "VP8", ""},
			{102, "H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"},
			{104, "H264", "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f"},
			{106, "H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"},
			{45, "AV1", "level-idx=5;profile=0;tier=0"},
			{98, "VP9", "profile-id=0"},
			{100, "VP9", "profile-id=2"},
			{112, "red", ""},
		} {
			formats = append(formats, fmt.Sprint(c.pt), fmt.Sprint(c.pt+1))
			fmt.Fprintf(&b, "a=rtpmap:%d %s/90000\r\n", c.pt, c.name)
			for _, f := range []string{"goog-remb", "transport-cc", "ccm fir", "nack", "nack pli", "rrtr"} {
				fmt.Fprintf(&b, "a=rtcp-fb:%d %s\r\n", c.pt, f)
			}
			if c.fmtp != "" {
				fmt.Fprintf(&b, "a=fmtp:%d %s\r\n", c.pt, c.fmtp)
			}
			fmt.Fprintf(&b, "a=rtpmap:%d rtx/90000\r\na=fmtp:%d apt=%d\r\n", c.pt+1, c.pt+1, c.pt)
		}
		return head("video", strings.Join(append(formats, "114"), " "), mid, direction) + b.String() + "a=rtpmap:114 ulpfec/90000\r\n"
	}
	return Offer{
		SDP: "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2 3 4\r\na=extmap-allow-mixed\r\n" +
			"a=msid-semantic: WMS\r\n" + audio("0", "sendonly") + "a=ssrc:7 cname:x\r\n" +
			video("1", "sendonly") + "a=rid:q send\r\na=rid:h send\r\na=rid:f send\r\na=simulcast:send q;h;f\r\n" +
			audio("2", "recvonly") + video("3", "recvonly") +
			strings.Replace(head("application", "", "4", "sendrecv"), " UDP/TLS/RTP/SAVPF ", " UDP/DTLS/SCTP webrtc-datachannel", 1) +
			"a=sctp-port:5000\r\na=max-message-size:262144\r\n",
		Send:  []SendLine{{MID: "0", Kind: Microphone}, {MID: "1", Kind: Camera}},
		Slots: []SlotLine{{Audio: "2", Video: "3"}},
	}
}

// TestAnswerToChromium guards the whole of an answer: what each direction agrees on, with nothing of what we do not speak.
func TestAnswerToChromium(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, func(c *Config) {
		c.Plane, c.Lite, c.StartBitrate, c.MaxDataBytes = PlaneBatched, true, 1_800_000, 100_000
	})
	p, err := n.NewPeer("p", "room", &events{})
	must(t, err)
	answer, err := p.Negotiate(context.Background(), chromiumOffer())
	must(t, err)
	var d sdp.SessionDescription
	must(t, d.UnmarshalString(answer))
	const videoFormats = "96 97 102 103 106 107 45 46 98 99 100 101"
	var formats []string
	for _, m := range d.MediaDescriptions {
		formats = append(formats, strings.Join(m.MediaName.Formats, " "))
	}
	if diff := cmp.Diff([]string{"111 63", videoFormats, "111 63", videoFormats, "webrtc-datachannel"}, formats); diff != "" {
		t.Error(diff)
	}
	l := p.slots[0].video
	for _, want := range []string{
		"a=group:BUNDLE 0 1 2 3 4\r\n", "a=extmap-allow-mixed\r\n", "a=ice-lite\r\n", "a=setup:passive\r\n",
		"a=fmtp:63 111/111\r\n", "a=fmtp:96 x-google-start-bitrate=1800\r\n", "a=rid:q recv\r\n", "a=simulcast:recv q;h;f\r\n",
		"a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f;x-google-start-bitrate=1800\r\n",
		"a=max-message-size:100000\r\n", "a=sctp-port:5000\r\n", "a=rtcp-fb:96 goog-remb\r\n", "a=end-of-candidates\r\n",
		fmt.Sprintf("a=ssrc-group:FID %d %d\r\n", l.ssrc, l.rtx), fmt.Sprintf("a=ssrc:%d cname:slot0\r\n", l.rtx), "a=msid:slot0 slot0v\r\n",
		"a=fingerprint:" + p.transport.(*direct).id.fingerprint.String() + "\r\n",
	} {
		if !strings.Contains(answer, want) {
			t.Errorf("the answer has no %q", want)
		}
	}
	for _, foreign := range []string{"toffset", "orientation", "ulpfec", "rrtr", "G722", "telephone", "packetization-mode=0"} {
		if strings.Contains(answer, foreign) {
			t.Errorf("the answer has %q", foreign)
		}
	}
	if strings.Count(answer, "goog-remb") != 12 || strings.Count(answer, "a=candidate:") != strings.Count(answer, "typ host") {
		t.Errorf("answer:\n%s", answer)
	}
	if got := p.receive.Load().lines[0].agreed.codecs; len(got) != 2 || got[1].MimeType != mimeRED || got[1].PayloadType != 63 {
		t.Errorf("codecs of the microphone: %+v", got)
	}
	if got := p.transport.(*direct).dataState.limit.Load(); got != 262144 {
		t.Errorf("messages to the client may have %d bytes", got)
	}
	again, err := p.Negotiate(context.Background(), chromiumOffer()) // nothing changes but the version
	must(t, err)
	if strings.Replace(again, " 2 IN IP4", " 1 IN IP4", 1) != answer {
		t.Errorf("another answer:\n%s", cmp.Diff(answer, again))
	}
}

func TestParseFingerprint(t *testing.T) {
	t.Parallel()
	of := []byte("a certificate")
	f, err := parseFingerprint(strings.ToLower(fingerprintOf(of).String()))
	if err != nil || !f.matches(of) || f.matches([]byte("another")) {
		t.Errorf("%v, %v", f, err)
	}
	for _, bad := range []string{
		"", "sha-256", "sha-1 " + strings.Repeat("00:", 19) + "00", "sha-256 00", "sha-256 " + strings.Repeat("zz:", 31) + "zz",
		"sha-256 " + strings.Repeat("0:0", 31) + "00", "sha-512 " + strings.Repeat("00:", 31) + "00",
	} {
		if _, err := parseFingerprint(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzParseFingerprint(f *testing.F) {
	f.Add(fingerprintOf(nil).String())
	f.Add("sha-512 00:11")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseFingerprint(s)
		if err != nil {
			return
		}
		if again, err := parseFingerprint(p.String()); err != nil || again != p {
			t.Fatalf("%q is %v, then %v: %v", s, p, again, err)
		}
	})
}
