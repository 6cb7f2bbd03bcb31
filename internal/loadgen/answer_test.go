package loadgen

import (
	"strings"
	"testing"
)

const goodAnswer = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=fingerprint:sha-256 ab:CD\r\na=ice-lite\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\na=setup:passive\r\n" +
	"a=candidate:1 1 udp 2130706431 127.0.0.1 7880 typ host\r\na=candidate:2 1 tcp 1 127.0.0.1 7881 typ host tcptype passive\r\n" +
	"m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:other\r\n"

func TestAnswer(t *testing.T) {
	t.Parallel()
	a, err := parseAnswer(goodAnswer)
	if err != nil || a.ufrag != "u" || a.password != "p" || a.fingerprint != "AB:CD" || len(a.candidates) != 1 || a.candidates[0].Port() != 7880 {
		t.Errorf("%+v, %v", a, err)
	}
	for name, change := range map[string][2]string{
		"no ufrag":           {"a=ice-ufrag:u\r\n", ""},
		"no fingerprint":     {"a=fingerprint:sha-256 ab:CD\r\n", ""},
		"another hash":       {"sha-256", "sha-1"},
		"wrong role":         {"passive\r\na=cand", "active\r\na=cand"},
		"only TCP":           {" udp ", " tcp "},
		"a broken candidate": {"7880", "x"},
	} {
		if _, err := parseAnswer(strings.Replace(goodAnswer, change[0], change[1], 1)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(goodAnswer)
	f.Fuzz(func(t *testing.T, sdp string) {
		a, err := parseAnswer(sdp)
		if err == nil && (a.ufrag == "" || len(a.candidates) == 0) {
			t.Errorf("%+v", a)
		}
	})
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"type":"published","participant":"p1"}`))
	f.Add([]byte(`{"type":"welcome","participant":"p1","room":{"participants":[{"id":"p2","sources":[{}]}]}}`))
	f.Add([]byte(`{"type":"joined"`))
	f.Fuzz(func(_ *testing.T, msg []byte) {
		if e, err := parseEvent(msg); err == nil {
			_ = e.who()
		}
	})
}

func TestOfferNamesItsLines(t *testing.T) {
	t.Parallel()
	w := offer{ufrag: "u", password: "p", fingerprint: "F", send: true, rids: []string{"q", "h", "f"}, slots: 2, codec: &vp9, data: true}.wire()
	if n := strings.Count(w.SDP, "\r\nm="); n != 2+4+1 || !strings.Contains(w.SDP, "a=group:BUNDLE 0 1 2 3 4 5 6\r\n") {
		t.Errorf("%d sections:\n%s", n, w.SDP)
	}
	if len(w.Send) != 2 || len(w.Slots) != 2 || w.Slots[1] != (slotLine{"4", "5"}) {
		t.Errorf("%+v", w)
	}
	if got := strings.Count(w.SDP, "transport-cc"); got != 2 {
		t.Errorf("feedback on %d lines, not on the two that are sent", got)
	}
	if strings.Count(w.SDP, " VP9/90000") != 3 || strings.Count(w.SDP, "a=fmtp:96 profile-id=0") != 3 {
		t.Errorf("the codec:\n%s", w.SDP)
	}
	if strings.Contains(strings.ReplaceAll(w.SDP, "\r\n", ""), "\n") {
		t.Error("a line does not end with CRLF")
	}
}
