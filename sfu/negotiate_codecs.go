package sfu

import (
	"fmt"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

const (
	mimeOpus = "audio/opus"
	mimeVP8  = "video/VP8"
	mimeVP9  = "video/VP9"
	mimeH264 = "video/H264"
	mimeAV1  = "video/AV1"
)

// videoFormats are the video codecs offered to clients, told apart by their fmtp. The payload types are only used in offers
// of our own, which are never made: an answer takes the client's.
var videoFormats = []videoFormat{
	{mimeVP8, ""},
	{mimeVP9, "profile-id=0"},
	{mimeVP9, "profile-id=2"},
	{mimeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"},
	{mimeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"},
	{mimeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f"},
	{mimeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f"},
	{mimeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f"},
	{mimeAV1, ""},
}

type videoFormat struct{ mime, fmtp string }

// newMediaEngine lists what we negotiate. There is no video-orientation extension, so senders rotate their pictures
// themselves. goog-remb is for what we send to clients without transport-cc, and to tell publishers that their network collapsed, see uplink.go.
func newMediaEngine() (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	err := m.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2,
			SDPFmtpLine:  "minptime=10;useinbandfec=1;usedtx=1",
			RTCPFeedback: []webrtc.RTCPFeedback{{Type: "transport-cc"}, {Type: "goog-remb"}},
		},
		PayloadType: 111,
	}, webrtc.RTPCodecTypeAudio)
	if err != nil {
		return nil, fmt.Errorf("register opus: %w", err)
	}
	feedback := []webrtc.RTCPFeedback{
		{Type: "nack"},
		{Type: "nack", Parameter: "pli"},
		{Type: "ccm", Parameter: "fir"},
		{Type: "transport-cc"},
		{Type: "goog-remb"},
	}
	for i, f := range videoFormats {
		pt := webrtc.PayloadType(96 + 2*i)
		for _, c := range []webrtc.RTPCodecParameters{
			{
				RTPCodecCapability: webrtc.RTPCodecCapability{
					MimeType: f.mime, ClockRate: 90000, SDPFmtpLine: f.fmtp, RTCPFeedback: feedback,
				},
				PayloadType: pt,
			},
			{
				RTPCodecCapability: webrtc.RTPCodecCapability{
					MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: fmt.Sprintf("apt=%d", pt),
				},
				PayloadType: pt + 1,
			},
		} {
			if err := m.RegisterCodec(c, webrtc.RTPCodecTypeVideo); err != nil {
				return nil, fmt.Errorf("register %s: %w", f.mime, err)
			}
		}
	}
	return m, registerExtensions(m)
}

func registerExtensions(m *webrtc.MediaEngine) error {
	both := []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo}
	for _, e := range []struct {
		uri   string
		kinds []webrtc.RTPCodecType
	}{
		{sdp.SDESMidURI, both},
		{sdp.TransportCCURI, both},
		{sdp.ABSSendTimeURI, both},
		{sdp.AudioLevelURI, both[:1]},
		{dependencyDescriptorURI, both[1:]},
		{sdp.SDESRTPStreamIDURI, both[1:]},
		{sdp.SDESRepairRTPStreamIDURI, both[1:]},
	} {
		for _, k := range e.kinds {
			err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: e.uri}, k,
				webrtc.RTPTransceiverDirectionRecvonly)
			if err != nil {
				return fmt.Errorf("register %s: %w", e.uri, err)
			}
		}
	}
	return nil
}
