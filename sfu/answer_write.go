package sfu

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// answerWriter writes the answer to a checked offer, for a transport of our own (RFC 8829, section 5.3; RFC 9429).
type answerWriter struct {
	ufrag, password string
	candidates      []string // values of a=candidate
	fingerprint     fingerprint
	maxDataBytes    int
	startBitrate    int // bit/s
	session         uint64
	version         int
	lines           map[string]*slotLine // by mid

	b strings.Builder
}

// write returns the answer and what it says about each media section, by mid.
func (w *answerWriter) write(o *offer) (string, map[string]answered, error) {
	w.head(o)
	sending := make(map[string]bool, len(o.send))
	for _, s := range o.send {
		sending[s.MID] = true
	}
	sections := make(map[string]answered, len(o.sections))
	for i, m := range o.sdp.MediaDescriptions {
		mid := o.sections[i].mid
		if m.MediaName.Media == "application" {
			w.data(mid)
		} else {
			keepDirection(m, sending[mid])
			a := readAnswered(m)
			if len(a.codecs) == 0 {
				return "", nil, badOffer("there is no codec in common in media section %q", mid)
			}
			sections[mid] = a
			w.media(m, mid, sending[mid], a)
		}
		if mid == o.transport.mid { // of a bundle the tagged section's count (RFC 9143, section 7.1.3)
			for _, c := range w.candidates {
				w.line("candidate:", c)
			}
			w.line("end-of-candidates")
		}
	}
	return w.b.String(), sections, nil
}

func (w *answerWriter) line(parts ...string) {
	w.b.WriteString("a=")
	for _, p := range parts {
		w.b.WriteString(p)
	}
	w.b.WriteString("\r\n")
}

func (w *answerWriter) head(o *offer) {
	w.b.Grow(1024 + 1024*len(o.sections))
	fmt.Fprintf(&w.b, "v=0\r\no=- %d %d IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", w.session, w.version)
	w.b.WriteString("a=group:BUNDLE " + o.transport.mid) // the tagged section is the first here, too
	for _, s := range o.sections {
		if s.mid != o.transport.mid {
			w.b.WriteByte(' ')
			w.b.WriteString(s.mid)
		}
	}
	w.b.WriteString("\r\n")
	w.line("msid-semantic:WMS *")
	w.line("fingerprint:", w.fingerprint.String())
	w.line("ice-lite")
	if slices.ContainsFunc(o.sdp.Attributes, func(a sdp.Attribute) bool { return a.Key == sdp.AttrKeyExtMapAllowMixed }) {
		w.line(sdp.AttrKeyExtMapAllowMixed)
	}
}

func (w *answerWriter) transport(mid string) {
	w.b.WriteString("c=IN IP4 0.0.0.0\r\n")
	w.line("setup:passive")
	w.line("mid:", mid)
	w.line("ice-ufrag:", w.ufrag)
	w.line("ice-pwd:", w.password)
}

func (w *answerWriter) data(mid string) {
	w.b.WriteString("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n")
	w.transport(mid)
	w.line("sendrecv")
	w.line("sctp-port:5000")
	w.line("max-message-size:", strconv.Itoa(w.maxDataBytes))
}

// media writes a section of sound or picture. What m still says of formats and extensions is what we take.
func (w *answerWriter) media(m *sdp.MediaDescription, mid string, sends bool, a answered) {
	fmt.Fprintf(&w.b, "m=%s 9 UDP/TLS/RTP/SAVPF %s\r\n", m.MediaName.Media, strings.Join(m.MediaName.Formats, " "))
	w.transport(mid)
	w.line("rtcp-mux")
	w.line("rtcp-rsize")
	if sends {
		hintStartBitrate(m, a, w.startBitrate)
	}
	for _, at := range m.Attributes {
		switch at.Key {
		case "rtpmap", "fmtp", "rtcp-fb":
			w.line(at.Key, ":", at.Value)
		case sdp.AttrKeyExtMap:
			if uri, id := extensionOf(at); id != 0 {
				w.line(sdp.AttrKeyExtMap, ":", strconv.Itoa(int(id)), " ", uri)
			}
		}
	}
	if sends {
		w.simulcast(m, mid)
		w.line("recvonly")
		return
	}
	if l := w.lines[mid]; l != nil {
		w.sender(l, a)
	}
	w.line("sendonly")
}

// simulcast accepts every layer that is offered.
func (w *answerWriter) simulcast(m *sdp.MediaDescription, mid string) {
	rids, err := simulcastRIDs(m, mid)
	if err != nil || len(rids) == 0 { // checkOffer has told an error
		return
	}
	for _, rid := range rids {
		w.line("rid:", rid, " recv")
	}
	w.line("simulcast:recv ", strings.Join(rids, ";"))
}

// sender tells the SSRCs of a slot's line, which are chosen here the first time.
func (w *answerWriter) sender(l *slotLine, a answered) {
	if l.ssrc == 0 {
		l.ssrc = w.unusedSSRC()
		if len(a.rtx) > 0 {
			l.rtx = w.unusedSSRC()
		}
	}
	ssrcs := []uint32{l.ssrc}
	if l.rtx != 0 {
		fmt.Fprintf(&w.b, "a=ssrc-group:FID %d %d\r\n", l.ssrc, l.rtx)
		ssrcs = append(ssrcs, l.rtx)
	}
	for _, s := range ssrcs {
		fmt.Fprintf(&w.b, "a=ssrc:%d cname:%s\r\n", s, l.stream)
	}
	w.line("msid:", l.stream, " ", l.id)
}

// unusedSSRC returns one that no line of the client has: two streams of one SSRC would use SRTP's nonces twice.
func (w *answerWriter) unusedSSRC() uint32 {
	for {
		ssrc, used := randomSSRC(), false
		for _, l := range w.lines {
			used = used || l.ssrc == ssrc || l.rtx == ssrc
		}
		if !used {
			return ssrc
		}
	}
}
