package codec

import "strings"

// Kind is a codec that forwarding knows.
type Kind uint8

// Unknown video is forwarded, but no keyframe of it is ever seen; audio has none and starts anywhere.
const (
	Unknown Kind = iota
	Audio
	VP8
	VP9
	H264
	AV1
)

// Parse returns the kind for a MIME type such as "video/VP8"; any "audio/…" is Audio.
func Parse(mime string) Kind {
	switch strings.ToLower(mime) {
	case "video/vp8":
		return VP8
	case "video/vp9":
		return VP9
	case "video/h264":
		return H264
	case "video/av1":
		return AV1
	}
	if len(mime) > 6 && strings.EqualFold(mime[:6], "audio/") {
		return Audio
	}
	return Unknown
}

// Info is what one payload says.
type Info struct {
	Start         bool   // a keyframe starts here, or it is audio
	Width, Height uint16 // pixels, only at a start and where cheap; else 0
	VP8           VP8Descriptor
}

// Inspect reads a payload. What cannot be parsed gives the zero Info.
func (k Kind) Inspect(payload []byte) Info {
	switch k {
	case Audio:
		return Info{Start: true}
	case VP8:
		return inspectVP8(payload)
	case VP9:
		return inspectVP9(payload)
	case H264:
		return inspectH264(payload)
	case AV1:
		return inspectAV1(payload)
	}
	return Info{}
}
