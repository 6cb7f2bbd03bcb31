package sfu

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// eachSection has f change every media section of an offer but the first.
func eachSection(sdp string, f func(i int, section string) string) string {
	parts := strings.Split(sdp, "\r\nm=")
	for i := 2; i < len(parts); i++ { // 0 is the session
		parts[i] = f(i-1, parts[i])
	}
	return strings.Join(parts, "\r\nm=")
}

var transportLines = regexp.MustCompile(`a=(ice-ufrag|ice-pwd|fingerprint|setup|ice-options|rtcp-mux)[^\r]*\r\n`)

// TestTaggedSectionDecides tries the forms of a bundle that RFC 8829 and RFC 9143 allow and browsers do not write.
func TestTaggedSectionDecides(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	for _, c := range []struct {
		name   string
		tagged string // mid
		change func(sdp string) string
	}{
		{"own credentials in each section", "0", func(sdp string) string {
			return eachSection(sdp, func(i int, s string) string {
				s = regexp.MustCompile(`a=ice-ufrag:[^\r]*`).ReplaceAllString(s, fmt.Sprintf("a=ice-ufrag:other%d", i))
				s = regexp.MustCompile(`a=ice-pwd:[^\r]*`).ReplaceAllString(s, "a=ice-pwd:"+strings.Repeat("x", 24))
				return regexp.MustCompile(`a=fingerprint:[^\r]*`).ReplaceAllString(s, "a=fingerprint:sha-256 "+strings.Repeat("AB:", 31)+"AB")
			})
		}},
		{"bundle-only sections without a transport", "0", func(sdp string) string {
			return eachSection(sdp, func(_ int, s string) string {
				s = regexp.MustCompile(`^(\w+) 9 `).ReplaceAllString(s, "$1 0 ")
				return strings.Replace(transportLines.ReplaceAllString(s+"\r\n", ""), "a=mid:", "a=bundle-only\r\na=mid:", 1)
			})
		}},
		{"a group that begins with another section", "2", func(sdp string) string {
			return strings.Replace(sdp, "BUNDLE 0 1 2", "BUNDLE 2 0 1", 1)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := goodOffer(t)
			if !strings.Contains(o.SDP, "BUNDLE 0 1 2") {
				t.Fatalf("another offer than this test is about:\n%s", o.SDP)
			}
			want, err := checkOffer(o, nil)
			must(t, err)
			o.SDP = c.change(o.SDP)
			got, err := checkOffer(o, nil)
			must(t, err)
			if got.transport.ufrag != want.transport.ufrag || got.transport.password != want.transport.password ||
				got.transport.fingerprints[0] != want.transport.fingerprints[0] {
				t.Errorf("transport %+v, want %+v", got.transport, want.transport)
			}
			p, err := n.NewPeer("p", "room", &events{})
			must(t, err)
			defer func() { _ = p.Close() }()
			answer, err := p.Negotiate(context.Background(), o)
			must(t, err)
			if !strings.Contains(answer, "BUNDLE "+c.tagged+" ") {
				t.Errorf("the answer's group does not begin with %s:\n%s", c.tagged, answer)
			}
			for _, s := range strings.Split(answer, "\r\nm=")[1:] {
				if tagged := strings.Contains(s, "a=mid:"+c.tagged+"\r\n"); tagged != strings.Contains(s, "a=candidate:") {
					t.Errorf("tagged %v, and the candidates are elsewhere:\n%s", tagged, s)
				}
			}
		})
	}
}

func TestGroupWithoutItsFirstSection(t *testing.T) {
	t.Parallel()
	o := goodOffer(t)
	o.SDP = strings.Replace(o.SDP, "BUNDLE 0", "BUNDLE 99 0", 1)
	if _, err := checkOffer(o, nil); err == nil || !strings.Contains(err.Error(), `"99"`) {
		t.Errorf("error %v, want one that names the section", err)
	}
}
