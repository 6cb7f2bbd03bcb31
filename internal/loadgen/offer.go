package loadgen

import (
	"fmt"
	"strconv"
	"strings"
)

// Payload types and header extension ids of our offers.
const (
	payloadVideo = 96
	payloadRTX   = 97
	payloadOpus  = 111

	extAudioLevel = 1
	extTransport  = 3
	extMID        = 4
	extRID        = 10
)

// The mids of the two send lines.
const (
	midMicrophone = "0"
	midCamera     = "1"
)

// offer describes a client: what it sends and how many slots it has.
type offer struct {
	ufrag, password, fingerprint string
	send                         bool
	audioSSRC                    uint32
	videoSSRC                    uint32   // without simulcast
	rids                         []string // with simulcast
	slots                        int
	codec                        *Codec
	feedback                     bool // transport-wide, on what it receives
	data                         bool
}

// wireOffer is the media object of docs/protocol.md.
type wireOffer struct {
	SDP   string     `json:"sdp"`
	Send  []sendLine `json:"send"`
	Slots []slotLine `json:"slots"`
}

type sendLine struct {
	MID  string `json:"mid"`
	Kind string `json:"kind"`
}

type slotLine struct {
	Audio string `json:"audio"`
	Video string `json:"video"`
}

// wire writes the offer as a browser would: one BUNDLE, the formats and the feedback that browsers negotiate.
func (o offer) wire() wireOffer {
	w := wireOffer{Send: []sendLine{}, Slots: []slotLine{}}
	var b strings.Builder
	mid := 0
	next := func() string { mid++; return strconv.Itoa(mid - 1) }
	if o.send {
		o.audio(&b, next(), "sendonly")
		fmt.Fprintf(&b, "a=msid:camera microphone\r\na=ssrc:%d cname:load\r\n", o.audioSSRC)
		o.video(&b, next(), "sendonly")
		b.WriteString("a=msid:camera camera\r\n")
		if len(o.rids) == 0 {
			fmt.Fprintf(&b, "a=ssrc:%d cname:load\r\n", o.videoSSRC)
		} else {
			fmt.Fprintf(&b, "a=extmap:%d urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n", extRID)
			for _, rid := range o.rids {
				fmt.Fprintf(&b, "a=rid:%s send\r\n", rid)
			}
			fmt.Fprintf(&b, "a=simulcast:send %s\r\n", strings.Join(o.rids, ";"))
		}
		w.Send = append(w.Send, sendLine{midMicrophone, "microphone"}, sendLine{midCamera, "camera"})
	}
	for range o.slots {
		s := slotLine{Audio: next(), Video: next()}
		o.audio(&b, s.Audio, "recvonly")
		o.video(&b, s.Video, "recvonly")
		w.Slots = append(w.Slots, s)
	}
	if o.data {
		b.WriteString("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n")
		o.transport(&b, next())
		b.WriteString("a=sctp-port:5000\r\na=max-message-size:262144\r\n")
	}
	var mids strings.Builder
	for i := range mid {
		fmt.Fprintf(&mids, " %d", i)
	}
	w.SDP = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE" + mids.String() +
		"\r\na=msid-semantic: WMS *\r\n" + b.String()
	return w
}

func (o offer) transport(b *strings.Builder, mid string) {
	fmt.Fprintf(b, "c=IN IP4 0.0.0.0\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:actpass\r\na=mid:%s\r\n",
		o.ufrag, o.password, o.fingerprint, mid)
}

// twcc reports whether a line has transport-wide feedback: always on what is sent, as browsers have it.
func (o offer) twcc(direction string) bool { return o.feedback || direction == "sendonly" }

func (o offer) audio(b *strings.Builder, mid, direction string) {
	fmt.Fprintf(b, "m=audio 9 UDP/TLS/RTP/SAVPF %d\r\n", payloadOpus)
	o.transport(b, mid)
	fmt.Fprintf(b, "a=%s\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=extmap:%d urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n", direction, extAudioLevel)
	o.extensions(b, direction)
	fmt.Fprintf(b, "a=rtpmap:%d opus/48000/2\r\na=fmtp:%d minptime=10;useinbandfec=1\r\n", payloadOpus, payloadOpus)
	if o.twcc(direction) {
		fmt.Fprintf(b, "a=rtcp-fb:%d transport-cc\r\n", payloadOpus)
	}
}

func (o offer) video(b *strings.Builder, mid, direction string) {
	// What is sent has neither NACK nor RTX: loss on the way in is to be seen, not mended.
	feedback := []string{"ccm fir", "nack pli"}
	formats := strconv.Itoa(payloadVideo)
	if direction == "recvonly" {
		feedback = append(feedback, "nack")
		formats += " " + strconv.Itoa(payloadRTX)
	}
	if o.twcc(direction) {
		feedback = append(feedback, "transport-cc")
	}
	fmt.Fprintf(b, "m=video 9 UDP/TLS/RTP/SAVPF %s\r\n", formats)
	o.transport(b, mid)
	fmt.Fprintf(b, "a=%s\r\na=rtcp-mux\r\na=rtcp-rsize\r\n", direction)
	o.extensions(b, direction)
	fmt.Fprintf(b, "a=rtpmap:%d %s/90000\r\n", payloadVideo, o.codec.Name)
	if o.codec.fmtp != "" {
		fmt.Fprintf(b, "a=fmtp:%d %s\r\n", payloadVideo, o.codec.fmtp)
	}
	for _, f := range feedback {
		fmt.Fprintf(b, "a=rtcp-fb:%d %s\r\n", payloadVideo, f)
	}
	if direction == "recvonly" {
		fmt.Fprintf(b, "a=rtpmap:%d rtx/90000\r\na=fmtp:%d apt=%d\r\n", payloadRTX, payloadRTX, payloadVideo)
	}
}

func (o offer) extensions(b *strings.Builder, direction string) {
	if o.twcc(direction) {
		fmt.Fprintf(b, "a=extmap:%d http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n", extTransport)
	}
	fmt.Fprintf(b, "a=extmap:%d urn:ietf:params:rtp-hdrext:sdes:mid\r\n", extMID)
}
