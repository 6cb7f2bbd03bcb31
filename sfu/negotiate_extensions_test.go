package sfu

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// withExtensions adds to a good offer what browsers offer beyond the test client.
func withExtensions(o Offer) Offer {
	lines := strings.SplitAfter(o.SDP, "\r\n")
	var b strings.Builder
	media := ""
	for _, l := range lines {
		b.WriteString(l)
		if m, ok := strings.CutPrefix(l, "m="); ok {
			media, _, _ = strings.Cut(m, " ")
		}
		if !strings.HasPrefix(l, "a=mid:") || media == "application" {
			continue
		}
		b.WriteString("a=extmap:11 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\na=extmap:13 urn:3gpp:video-orientation\r\n")
		if media == "video" {
			fmt.Fprintf(&b, "a=extmap:12 %s\r\na=rtcp-fb:120 goog-remb\r\n", dependencyDescriptorURI)
		}
	}
	o.SDP = b.String()
	return o
}

// TestExtensionsOfTheAnswer guards what the estimator, the pacer and AV1 build on: which header extensions and which feedback
// each direction has.
func TestExtensionsOfTheAnswer(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	p, err := n.NewPeer("p", "", &events{})
	must(t, err)
	o := withExtensions(goodOffer(t))
	answer, err := p.Negotiate(context.Background(), o)
	must(t, err)
	if strings.Contains(answer, "video-orientation") {
		t.Errorf("answer:\n%s", answer)
	}
	for _, s := range p.slots {
		a := s.video.agreed
		if a.ext.transportCC == 0 || a.ext.absSendTime != 11 || a.ext.dependencyDescriptor != 12 || !a.transportCC || !a.remb || !a.nack {
			t.Errorf("video of a slot: %+v", a)
		}
		if a.ext.mid != 0 || a.ext.rid != 0 {
			t.Errorf("video of a slot has a publisher's extensions: %+v", a.ext)
		}
		if a := s.audio.agreed; a.ext.transportCC == 0 || a.ext.absSendTime != 11 || a.ext.dependencyDescriptor != 0 {
			t.Errorf("audio of a slot: %+v", a)
		}
	}
	for _, l := range p.receive.Load().lines {
		a := l.agreed
		if video := l.offer.Kind.Video(); a.ext.mid == 0 || (a.ext.transportCC != 0) != video || a.ext.absSendTime != 0 ||
			a.remb != video || !video && a.transportCC {
			t.Errorf("%s: %+v", l.offer.Kind, a)
		}
		if l.offer.Kind == Camera && (a.ext.rid == 0 || a.ext.repairedRID == 0 || a.ext.dependencyDescriptor != 12 || !a.transportCC) {
			t.Errorf("%s: %+v", l.offer.Kind, a)
		}
	}
}
