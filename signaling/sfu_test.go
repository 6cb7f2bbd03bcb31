package signaling

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/parley/parley/sfu"
)

// realMedia is the media node itself, on loopback.
type realMedia struct{ *sfu.Node }

func (m realMedia) NewPeer(id, group string, on sfu.PeerEvents) (Peer, error) {
	p, err := m.Node.NewPeer(id, group, on)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (realMedia) NewSpeakers() Speakers { return sfu.NewSpeakers() }

var _ Peer = (*sfu.Peer)(nil)

// realSDP is an offer as a browser makes it, cut down to a microphone and one slot.
func realSDP() string {
	session := []string{
		"v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1 2", "a=extmap-allow-mixed", "a=msid-semantic: WMS",
	}
	transport := []string{
		"c=IN IP4 0.0.0.0", "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=ice-options:trickle",
		"a=fingerprint:sha-256 " + strings.TrimSuffix(strings.Repeat("AB:", 32), ":"), "a=setup:actpass",
	}
	audio := []string{"a=rtcp-mux", "a=rtcp-rsize", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1"}
	video := []string{"a=rtcp-mux", "a=rtcp-rsize", "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli"}
	lines := session
	for _, m := range [][]string{
		append([]string{"a=mid:0", "a=sendonly", "a=msid:- 11111111-1111-1111-1111-111111111111", "a=ssrc:1234 cname:x"}, audio...),
		append([]string{"a=mid:1", "a=recvonly"}, audio...),
		append([]string{"a=mid:2", "a=recvonly"}, video...),
	} {
		head := "m=audio 9 UDP/TLS/RTP/SAVPF 111"
		if m[0] == "a=mid:2" {
			head = "m=video 9 UDP/TLS/RTP/SAVPF 96"
		}
		lines = append(append(append(lines, head), transport...), m...)
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

// Offers against the media node itself: what is no offer of ours is told as bad_offer and leaves nothing behind.
func TestOffersAgainstSFU(t *testing.T) {
	t.Parallel()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	node, err := sfu.New(sfu.Config{Conn: conn, Lite: true, PublicIPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	cfg := newRigConfig(t)
	cfg.Media, cfg.Log = realMedia{node}, quiet
	srv, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	}()

	p := newPipe()
	link, err := srv.Open("a", "", netip.Addr{}, p)
	if err != nil {
		t.Fatal(err)
	}
	defer link.End(true)
	c := &client{t: t, link: link, pipe: p}
	ask := func(f fields) map[string]any {
		t.Helper()
		c.id++
		f["type"], f["id"] = "join", c.id
		link.Receive([]byte(compact(t, f)))
		for {
			if reply := c.reply(c.id); reply != nil {
				return reply
			}
			select {
			case <-p.news:
			case <-time.After(20 * time.Second):
				t.Fatal("no reply")
			}
		}
	}
	send := []fields{{"mid": "0", "kind": "microphone"}}
	slots := []fields{{"audio": "1", "video": "2"}}
	sdp := realSDP()
	for name, media := range map[string]fields{
		"not SDP":                  {"sdp": "hello", "send": send, "slots": slots},
		"an answer":                {"sdp": strings.ReplaceAll(sdp, "actpass", "active"), "send": send, "slots": slots},
		"no such send line":        {"sdp": sdp, "send": []fields{{"mid": "7", "kind": "microphone"}}, "slots": slots},
		"no such slot":             {"sdp": sdp, "send": send, "slots": []fields{{"audio": "1", "video": "9"}}},
		"a slot of two audios":     {"sdp": sdp, "send": send, "slots": []fields{{"audio": "1", "video": "0"}}},
		"audio as camera":          {"sdp": sdp, "send": []fields{{"mid": "0", "kind": "camera"}}, "slots": slots},
		"half an SDP":              {"sdp": sdp[:len(sdp)/2], "send": send, "slots": slots},
		"the same line twice":      {"sdp": sdp, "send": send, "slots": []fields{slots[0], slots[0]}},
		"a receiving line to send": {"sdp": sdp, "send": []fields{{"mid": "1", "kind": "microphone"}}, "slots": slots},
	} {
		if reply := ask(fields{"media": media}); reply["code"] != string(codeBadOffer) || len(reply["message"].(string)) < 10 {
			t.Errorf("%s: %v", name, reply)
		}
	}
	if s := srv.Stats(); s.Sessions != 0 || s.Rooms != 0 {
		t.Errorf("%+v", s)
	}
	reply := ask(fields{"media": fields{"sdp": sdp, "send": send, "slots": slots}})
	if reply["type"] != "welcome" {
		t.Fatalf("the good offer: %v", reply)
	}
	answer := reply["media"].(map[string]any)["sdp"].(string)
	for _, want := range []string{"a=mid:0", "a=recvonly", "a=mid:1", "a=mid:2", "a=sendonly", "a=candidate:", "a=ice-lite"} {
		if !strings.Contains(answer, want) {
			t.Errorf("the answer has no %s:\n%s", want, answer)
		}
	}
}
