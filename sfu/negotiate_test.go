package sfu

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// goodOffer is one that a client made: microphone, simulcast camera, two slots, data.
func goodOffer(t *testing.T) Offer {
	t.Helper()
	pc, err := clientAPI(t, browserConfig{}).NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	b := &browser{
		t: t, on: &events{}, pc: pc, stop: make(chan struct{}),
		senders: make(map[Kind]*webrtc.RTPSender), sendMID: make(map[Kind]*webrtc.RTPTransceiver),
		tracks: make(map[Kind][]*webrtc.TrackLocalStaticRTP),
	}
	t.Cleanup(func() {
		_ = pc.GracefulClose()
		b.wg.Wait()
	})
	b.openData()
	b.addSend(Microphone, webrtc.MimeTypeOpus)
	b.addSend(Camera, webrtc.MimeTypeVP8, "q", "h", "f")
	b.addSlots(2)
	return b.offer(nil)
}

func TestCheckOffer(t *testing.T) {
	t.Parallel()
	in := goodOffer(t)
	in.SDP = strings.ReplaceAll(in.SDP, "a=ice-ufrag:", "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=end-of-candidates\r\na=ice-ufrag:")
	got, err := checkOffer(in, nil)
	must(t, err)
	want := []sendOffer{
		{SendLine: SendLine{MID: "0", Kind: Microphone}},
		{SendLine: SendLine{MID: "1", Kind: Camera}, rids: []string{"q", "h", "f"}},
	}
	if len(got.send) != 2 || len(got.send[0].ssrcs) != 1 || got.send[1].ssrcs != nil {
		t.Fatalf("send lines: %+v", got.send)
	}
	got.send[0].ssrcs = nil
	if d := cmp.Diff(want, got.send, cmp.AllowUnexported(sendOffer{})); d != "" {
		t.Error(d)
	}
	if !got.hasData || len(got.sections) != 7 || got.extensions.mid == 0 || got.extensions.rid == 0 ||
		got.extensions.repairedRID == 0 || got.extensions.audioLevel == 0 || got.extensions.transportCC == 0 {
		t.Errorf("offer: %+v", got)
	}
	raw, err := got.sdp.Marshal()
	must(t, err)
	if strings.Contains(string(raw), "candidate") || strings.Count(string(raw), "a=ssrc:") != 4 {
		t.Errorf("SDP for pion holds candidates or the camera's SSRCs:\n%s", raw)
	}
}

func TestBadOffers(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	replace := func(old, with string) func(*Offer) {
		return func(o *Offer) { o.SDP = strings.Replace(o.SDP, old, with, 1) }
	}
	all := func(old, with string) func(*Offer) {
		return func(o *Offer) { o.SDP = strings.ReplaceAll(o.SDP, old, with) }
	}
	for _, c := range []struct {
		name, says string
		spoil      func(*Offer)
	}{
		{"empty", "no media section", func(o *Offer) { o.SDP = "" }},
		{"no SDP", "does not parse", func(o *Offer) { o.SDP = "hello" }},
		{"JSON", "does not parse", func(o *Offer) { o.SDP = `{"type":"offer"}` }},
		{"too large", "larger than", func(o *Offer) { o.SDP += strings.Repeat("a=x\r\n", maxOfferBytes/5) }},
		{"no sections", "no media section", func(o *Offer) { o.SDP = o.SDP[:strings.Index(o.SDP, "m=")] }},
		{"an answer", "a=setup is not actpass", all("a=setup:actpass", "a=setup:active")},
		{"no ICE", "no ICE user name", all("a=ice-ufrag:", "a=no-ufrag:")},
		{"no fingerprint", "no DTLS fingerprint", all("a=fingerprint:", "a=no-print:")},
		{"fingerprint of nonsense", "no DTLS fingerprint", func(o *Offer) {
			i := strings.Index(o.SDP, "a=fingerprint:")
			o.SDP = o.SDP[:i] + "a=fingerprint:x\r\n" + o.SDP[i+strings.Index(o.SDP[i:], "\r\n")+2:]
		}},
		{"no bundle", "not bundled", replace("a=group:BUNDLE", "a=group:LS")},
		{"half a bundle", "not in the BUNDLE group", replace("BUNDLE 0 1", "BUNDLE 0")},
		{"same mid", "two media sections have the mid", replace("a=mid:1\r\n", "a=mid:0\r\n")},
		{"no mid", "has no mid", replace("a=mid:1\r\n", "")},
		{"rejected section", "is rejected", replace("m=video 9 ", "m=video 0 ")},
		{"too many sections", "more than 128", func(o *Offer) {
			o.SDP += strings.Repeat(o.SDP[strings.LastIndex(o.SDP, "m="):], maxSections)
		}},
		{"too many candidates", "candidates", replace("a=mid:0\r\n", "a=mid:0\r\n"+
			strings.Repeat("a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n", maxCandidates+1))},
		{"two data sections", "two data sections", func(o *Offer) {
			i := strings.LastIndex(o.SDP, "m=")
			o.SDP += strings.Replace(o.SDP[i:], "a=mid:6", "a=mid:7", 1)
			o.SDP = strings.Replace(o.SDP, "BUNDLE 0 1 2 3 4 5 6", "BUNDLE 0 1 2 3 4 5 6 7", 1)
		}},
		{"unknown mid", `no media section "9"`, func(o *Offer) { o.Send[0].MID = "9" }},
		{"unknown kind", "not a kind", func(o *Offer) { o.Send[0].Kind = "smell" }},
		{"kind twice", "two send lines", func(o *Offer) { o.Send[1].Kind = Microphone }},
		{"line twice", "named twice", func(o *Offer) { o.Slots[1] = o.Slots[0] }},
		{"wrong medium", "is of audio, not video", func(o *Offer) { o.Send[0].Kind = Screen }},
		{"slot turned round", "is of video, not audio", func(o *Offer) {
			o.Slots[0].Audio, o.Slots[0].Video = o.Slots[0].Video, o.Slots[0].Audio
		}},
		{"slot not recvonly", "is not recvonly", replace("a=recvonly", "a=sendrecv")},
		{"send not sendonly", "is not sendonly", replace("a=sendonly", "a=sendrecv")},
		{"section unnamed", "in neither", func(o *Offer) { o.Slots = o.Slots[:1] }},
		{"simulcast of nothing", "sends nothing", replace("a=simulcast:send q;h;f", "a=simulcast:recv q")},
		{"simulcast malformed", "malformed", replace("a=simulcast:send q;h;f", "a=simulcast:send q;;f")},
		{"too many layers", "simulcast layers", replace("a=simulcast:send q;h;f", "a=simulcast:send a;b;c;d")},
		{"two streams in a section", "more than one stream", replace("a=sendonly\r\n", "a=sendonly\r\na=ssrc:77 cname:x\r\n")},
		{"many SSRCs", "lines about SSRCs", replace("a=sendonly\r\n", "a=sendonly\r\n"+strings.Repeat("a=ssrc:77 cname:x\r\n", maxSSRCLines))},
		{"extension id", "header extension id", replace("a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid",
			"a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid")},
		{"extension malformed", "malformed", replace("a=extmap:1 urn", "a=extmap:x urn")},
		{"no codec for a slot", "no codec in common", all("VP8/90000", "VP7/90000")},
		{"no codec for the camera", "no codec in common", replace("VP8/90000", "VP7/90000")},
		{"no audio codec", "no codec in common", all("opus/48000/2", "speex/16000/1")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := n.NewPeer("p", "room", &events{})
			must(t, err)
			defer func() { _ = p.Close() }()
			bad := goodOffer(t)
			c.spoil(&bad)
			_, err = p.Negotiate(context.Background(), bad)
			if !errors.Is(err, ErrBadOffer) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("error %v, want ErrBadOffer that says %q", err, c.says)
			}
			// The peer is as it was: a good offer is taken.
			if _, err := p.Negotiate(context.Background(), goodOffer(t)); err != nil {
				t.Errorf("a good offer afterwards: %v", err)
			}
		})
	}
}

func TestBadRenegotiation(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	v := join(t, n, "v", browserConfig{slots: 1, simulcast: true})
	p := join(t, n, "p", browserConfig{})
	cam, err := p.peer.Publish(Camera, false)
	must(t, err)
	must(t, v.peer.Show([]SlotView{{Video: cam, Width: 320, Height: 180}}))
	p.sendMedia(10)
	good := v.offer(nil)
	for _, c := range []struct {
		name  string
		spoil func(*Offer)
	}{
		{"fewer slots", func(o *Offer) { o.Slots = nil }},
		{"another kind", func(o *Offer) { o.Send = []SendLine{{MID: "0", Kind: ScreenAudio}, o.Send[1]} }},
		{"a mid is called otherwise", func(o *Offer) {
			o.SDP = strings.ReplaceAll(o.SDP, "a=mid:0", "a=mid:x")
			o.SDP = strings.Replace(o.SDP, "BUNDLE 0", "BUNDLE x", 1)
			o.Send = []SendLine{{MID: "x", Kind: Microphone}, o.Send[1]}
		}},
		{"other layers", func(o *Offer) { o.SDP = strings.Replace(o.SDP, "send q;h;f", "send q;h", 1) }},
		{"no codec", func(o *Offer) { o.SDP = strings.ReplaceAll(o.SDP, "opus/48000/2", "speex/16000") }},
	} {
		bad := good
		c.spoil(&bad)
		if _, err := v.peer.Negotiate(context.Background(), bad); !errors.Is(err, ErrBadOffer) {
			t.Fatalf("%s: error %v, want ErrBadOffer", c.name, err)
		}
		before := len(v.videoPackets(0))
		eventually(t, "media goes on after "+c.name, func() bool { return len(v.videoPackets(0)) > before+5 })
	}
}

// TestCodecsOfTheAnswer guards that several codecs are answered on slots, with the client's payload types and the hint on send
// lines alone.
func TestCodecsOfTheAnswer(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, func(c *Config) { c.StartBitrate = 1_800_000 })
	b := join(t, n, "b", browserConfig{
		slots: 1, video: []string{webrtc.MimeTypeVP8, webrtc.MimeTypeVP9, webrtc.MimeTypeAV1},
	})
	var d sdp.SessionDescription
	must(t, d.UnmarshalString(b.answer))
	for _, m := range d.MediaDescriptions {
		mid, _ := m.Attribute("mid")
		if m.MediaName.Media != "video" {
			continue
		}
		var got []Codec
		for _, c := range readAnswered(m).codecs {
			hinted := strings.Contains(c.Fmtp, "x-google-start-bitrate=1800")
			if hinted != (mid == b.sendMID[Camera].Mid()) {
				t.Errorf("mid %s: start bitrate in %q", mid, c.Fmtp)
			}
			c.Fmtp = ""
			got = append(got, c)
		}
		want := []Codec{
			{MimeType: "video/VP8", PayloadType: 120, RTX: 121},
			{MimeType: "video/VP9", PayloadType: 118, RTX: 119},
			{MimeType: "video/AV1", PayloadType: 116, RTX: 117},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("mid %s: %s", mid, diff)
		}
	}
	if strings.Contains(b.answer, "video-orientation") ||
		!strings.Contains(b.answer, "a=ice-lite") || !strings.Contains(b.answer, "a=setup:passive") {
		t.Errorf("answer:\n%s", b.answer)
	}
}

// TestSlotsInAnyOrder guards that tracks come to their sections, whatever order the offer names slots in.
func TestSlotsInAnyOrder(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	o := goodOffer(t)
	o.Slots[0], o.Slots[1] = o.Slots[1], o.Slots[0]
	o.Slots[0].Video, o.Slots[1].Video = o.Slots[1].Video, o.Slots[0].Video
	p, err := n.NewPeer("p", "room", &events{})
	must(t, err)
	answer, err := p.Negotiate(context.Background(), o)
	must(t, err)
	var d sdp.SessionDescription
	must(t, d.UnmarshalString(answer))
	for _, m := range d.MediaDescriptions {
		mid, _ := m.Attribute("mid")
		msid, _ := m.Attribute("msid")
		for i, s := range o.Slots {
			if mid == s.Audio && msid != p.slots[i].audio.stream+" "+p.slots[i].audio.id ||
				mid == s.Video && msid != p.slots[i].video.stream+" "+p.slots[i].video.id {
				t.Errorf("mid %s of slot %d has msid %q", mid, i, msid)
			}
		}
	}
}

func TestICETCPOnly(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, func(c *Config) {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		must(t, err)
		c.TCP = l
	})
	a := join(t, n, "a", browserConfig{network: webrtc.NetworkTypeTCP4})
	b := join(t, n, "b", browserConfig{slots: 1, noSend: true, network: webrtc.NetworkTypeTCP4})
	pair, err := a.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	must(t, err)
	if pair.Remote.Protocol != webrtc.ICEProtocolTCP {
		t.Fatalf("connected over %v", pair.Remote.Protocol)
	}
	cam, err := a.peer.Publish(Camera, false)
	must(t, err)
	must(t, b.peer.Show([]SlotView{{Video: cam, Width: 320, Height: 180}}))
	a.sendMedia(10)
	eventually(t, "the picture", func() bool { return len(b.videoPackets(0)) > 50 })
	checkContinuous(t, b.videoPackets(0))
}

func TestCloseWhileNegotiating(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	for i := range 10 {
		o := goodOffer(t)
		p, err := n.NewPeer("p", "room", &events{})
		must(t, err)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := p.Negotiate(context.Background(), o); err != nil && !errors.Is(err, ErrClosed) {
				t.Errorf("negotiate: %v", err)
			}
		})
		wg.Go(func() {
			select {
			case <-time.After(time.Duration(i) * 300 * time.Microsecond):
			case <-p.done:
			}
			must(t, p.Close())
		})
		wg.Wait()
		<-p.done
		if _, err := p.Negotiate(context.Background(), o); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if _, err := p.Publish(Camera, false); !errors.Is(err, ErrClosed) {
			t.Errorf("publish after Close: %v", err)
		}
		if err := p.Show(nil); !errors.Is(err, ErrClosed) {
			t.Errorf("show after Close: %v", err)
		}
	}
}

func TestNegotiateHonoursContext(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	p, err := n.NewPeer("p", "room", &events{})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Negotiate(ctx, goodOffer(t)); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if _, err := p.Negotiate(context.Background(), goodOffer(t)); err != nil {
		t.Fatalf("the peer was not as before: %v", err)
	}
}

func FuzzCheckOffer(f *testing.F) {
	f.Add("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\na=setup:actpass\r\na=ice-ufrag:a\r\n"+
		"a=ice-pwd:b\r\na=fingerprint:sha-256 "+strings.Repeat("00:", 31)+"00\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=sendonly\r\n"+
		"a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rid:q send\r\na=simulcast:send q;~h,x\r\n"+
		"a=ssrc-group:FID 1 2\r\na=ssrc:1 cname:x\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=recvonly\r\n"+
		"m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=recvonly\r\n", "0", "1", "2")
	f.Fuzz(func(t *testing.T, raw, send, audio, video string) {
		o := Offer{SDP: raw, Send: []SendLine{{MID: send, Kind: Camera}}, Slots: []SlotLine{{Audio: audio, Video: video}}}
		p, err := checkOffer(o, nil)
		if err != nil {
			if !errors.Is(err, ErrBadOffer) {
				t.Fatalf("error %v is not ErrBadOffer", err)
			}
			return
		}
		prepared, err := p.sdp.Marshal()
		if err != nil || len(p.send) != 1 || len(p.send[0].rids) > maxLayers || strings.Contains(string(prepared), "a=candidate") {
			t.Fatalf("offer %+v: %v", p, err)
		}
		again := o
		again.SDP = string(prepared)
		if _, err := checkOffer(again, p); err != nil {
			t.Fatalf("the prepared SDP is refused: %v\n%s", err, prepared)
		}
		mustBeAnswered(t, p)
	})
}

// mustBeAnswered checks that an offer that was taken has an answer, with the same sections and only formats that it offers.
func mustBeAnswered(t *testing.T, o *offer) {
	w := answerWriter{fingerprint: fingerprintOf(nil), lines: make(map[string]*slotLine)}
	raw, _, err := w.write(o)
	if err != nil && !errors.Is(err, ErrBadOffer) {
		t.Fatalf("error %v is not ErrBadOffer", err)
	} else if err != nil {
		return
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(raw); err != nil || len(d.MediaDescriptions) != len(o.sections) {
		t.Fatalf("the answer has %d sections, not %d, or does not parse: %v\n%s", len(d.MediaDescriptions), len(o.sections), err, raw)
	}
	for i, m := range d.MediaDescriptions {
		if mid, _ := m.Attribute("mid"); mid != o.sections[i].mid || m.MediaName.Media != o.sections[i].media {
			t.Fatalf("section %d is %s %q, not %v\n%s", i, m.MediaName.Media, mid, o.sections[i], raw)
		}
	}
}

// TestNegotiationsTakeTurns guards that a crowd of joins leaves a processor to media, and that who waits may give up.
func TestNegotiationsTakeTurns(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	if all := runtime.GOMAXPROCS(0); all > 1 && cap(n.turns) >= all {
		t.Errorf("%d negotiations may run on %d processors", cap(n.turns), all)
	}
	p, err := n.NewPeer("p", "room", &events{})
	must(t, err)
	for range cap(n.turns) {
		n.turns <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := p.Negotiate(ctx, goodOffer(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v while others negotiate", err)
	}
	for range cap(n.turns) {
		<-n.turns
	}
	for range 2 * cap(n.turns) { // each turn is given back, also after an error
		if _, err := p.Negotiate(context.Background(), Offer{}); !errors.Is(err, ErrBadOffer) {
			t.Fatal(err)
		}
	}
	if _, err := p.Negotiate(context.Background(), goodOffer(t)); err != nil {
		t.Error(err)
	}
}
