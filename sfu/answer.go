package sfu

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// answered is what one media section of an answer says.
type answered struct {
	codecs   []Codec
	clocks   map[uint8]uint32 // clock rate in Hz by payload type, RTX included
	rtx      map[uint8]uint8  // RTX payload type: the type that it repairs
	nack     bool
	pli, fir bool

	// Of what the client sends, or of what it is sent: ids of the header extensions, and the feedback that tells a sender's rate.
	ext               extensionIDs
	transportCC, remb bool
}

// finishAnswer makes the answer for the client out of pion's: encoders of video send lines start at startBitrate (bit/s), so
// that all simulcast layers are there at once; sections have the header extensions and the feedback of their direction; data
// messages have our limit. It returns the SDP and the sections by mid.
func finishAnswer(raw string, o *offer, startBitrate int) (string, map[string]answered, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(raw); err != nil {
		return "", nil, fmt.Errorf("parse the answer: %w", err)
	}
	sending := make(map[string]bool, len(o.send))
	for _, s := range o.send {
		sending[s.MID] = true
	}
	sections := make(map[string]answered, len(d.MediaDescriptions))
	for _, m := range d.MediaDescriptions {
		mid, _ := m.Attribute("mid")
		if m.MediaName.Media == "application" {
			dropSecondComponent(m)
			continue
		}
		if mid == "" || m.MediaName.Port.Value == 0 {
			return "", nil, badOffer("there is no codec in common in a %s section", m.MediaName.Media)
		}
		keepDirection(m, sending[mid])
		a := readAnswered(m)
		if len(a.codecs) == 0 {
			return "", nil, badOffer("there is no codec in common in media section %q", mid)
		}
		sections[mid] = a
		dropSecondComponent(m)
		dropLegacyNames(m)
		if sending[mid] {
			hintStartBitrate(m, a, startBitrate)
		}
	}
	out, err := d.Marshal()
	if err != nil {
		return "", nil, fmt.Errorf("write the answer: %w", err)
	}
	return string(out), sections, nil
}

// keepDirection removes the header extensions and the feedback that are of no use in the section's direction. What clients say is not
// in their estimate of the network: while nobody watches, browsers would measure it with sound alone, and believe that (6 Mb/s fell to
// 0.17 within two seconds; the first viewer then waited up to 18 s for 720 lines).
func keepDirection(m *sdp.MediaDescription, sends bool) {
	sound := m.MediaName.Media == "audio"
	m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
		switch a.Key {
		case sdp.AttrKeyExtMap:
			uri, _ := extensionOf(a)
			return !slices.Contains(extensionsOf(sends, sound), uri)
		case "rtcp-fb":
			return sends && sound && (strings.HasSuffix(a.Value, " transport-cc") || strings.HasSuffix(a.Value, " goog-remb"))
		}
		return false
	})
}

// extensionsOf lists the header extensions of what clients send, or of what they are sent.
func extensionsOf(sends, sound bool) []string {
	switch {
	case sends && sound:
		return []string{sdp.SDESMidURI, sdp.AudioLevelURI}
	case sends:
		return []string{
			sdp.SDESMidURI, sdp.SDESRTPStreamIDURI, sdp.SDESRepairRTPStreamIDURI, sdp.TransportCCURI, dependencyDescriptorURI,
		}
	}
	return []string{sdp.TransportCCURI, sdp.ABSSendTimeURI, dependencyDescriptorURI}
}

// extensionOf returns the URI and id of an a=extmap, "" and 0 where it is malformed.
func extensionOf(a sdp.Attribute) (uri string, id uint8) {
	var x sdp.ExtMap
	if x.Unmarshal(a.Key+":"+a.Value) != nil || x.URI == nil || x.Value < 1 || x.Value > 255 {
		return "", 0
	}
	return x.URI.String(), uint8(x.Value)
}

// dropSecondComponent removes the RTCP candidates, which rtcp-mux makes useless.
func dropSecondComponent(m *sdp.MediaDescription) {
	m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
		f := strings.Fields(a.Value)
		return a.IsICECandidate() && len(f) > 1 && f[1] == "2"
	})
}

// dropLegacyNames removes the track names of SSRCs from before a=msid: with many slots they are a fifth of the answer.
func dropLegacyNames(m *sdp.MediaDescription) {
	m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
		return a.Key == "ssrc" && !strings.Contains(a.Value, " cname:")
	})
}

// hintStartBitrate adds x-google-start-bitrate, in kbit/s, to the format parameters of every video codec.
func hintStartBitrate(m *sdp.MediaDescription, a answered, startBitrate int) {
	if m.MediaName.Media != "video" {
		return
	}
	hint := fmt.Sprintf("x-google-start-bitrate=%d", startBitrate/1000)
	for _, c := range a.codecs {
		prefix := strconv.Itoa(int(c.PayloadType)) + " "
		i := slices.IndexFunc(m.Attributes, func(at sdp.Attribute) bool {
			return at.Key == "fmtp" && strings.HasPrefix(at.Value, prefix)
		})
		if i >= 0 {
			m.Attributes[i].Value += ";" + hint
			continue
		}
		// After the rtpmap, where parsers that read in one pass expect it.
		i = slices.IndexFunc(m.Attributes, func(at sdp.Attribute) bool {
			return at.Key == "rtpmap" && strings.HasPrefix(at.Value, prefix)
		})
		m.Attributes = slices.Insert(m.Attributes, i+1, sdp.Attribute{Key: "fmtp", Value: prefix + hint})
	}
}
