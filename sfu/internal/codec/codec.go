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

// So many layers are told apart, from 0 on; what is above counts as the highest.
const (
	MaxSpatial  = 3
	MaxTemporal = 4

	everybody = 0xff
)

// Info is what one packet says.
type Info struct {
	Frame
	Width, Height uint16 // pixels of the highest spatial layer, only at a start and where cheap; else 0
}

// Frame is what a packet says of the frame it belongs to: one picture in one spatial layer.
type Frame struct {
	Picture
	Start      bool  // a keyframe starts here, or it is audio
	Described  bool  // the picture id is the frame number of the dependency descriptor, which must be forwarded, too
	Begin, End bool  // the frame's first or last packet, where the codec tells
	Sync       bool  // it refers to lower temporal layers only: who shows up to the one below may show it from here on
	Raise      bool  // it refers to the spatial layer below in its picture only: who shows that may show it from here on
	Spatial    uint8 // below MaxSpatial
	Temporal   uint8 // below MaxTemporal
	Needed     uint8 // bit s: who shows spatial layer s needs it
	Up         uint8 // bit t: who shows this frame may show all up to temporal layer t from here on
	structure  uint8 // which structure the descriptor refers to
}

// Size is in pixels.
type Size struct{ Width, Height uint16 }

// picture is what is remembered of one.
type picture struct {
	id       uint16
	temporal uint8
}

// Stream reads the packets of one RTP stream in the order of arrival.
type Stream struct {
	kind     Kind
	spatials uint8 // seen since the reset
	keyed    bool  // spatial layers refer to each other in keyframes only
	sizes    [MaxSpatial]Size
	last     [128]picture // VP9: the last pictures by the low bits of their ids
	now, old *structure   // of the dependency descriptor
}

// Reset begins anew, with another stream or codec.
func (s *Stream) Reset(k Kind) {
	*s = Stream{kind: k, spatials: 1, now: s.now.forget(), old: s.old.forget()}
}

// Kind returns the codec.
func (s *Stream) Kind() Kind { return s.kind }

// Spatials returns how many spatial layers were seen, 1 at least.
func (s *Stream) Spatials() int { return max(int(s.spatials), 1) }

// Keyed reports whether spatial layers refer to each other in keyframes only (L3T3_KEY): a switch from any to any needs one.
func (s *Stream) Keyed() bool { return s.keyed }

// Size returns the size of a spatial layer, the zero Size where the stream did not tell.
func (s *Stream) Size(spatial int) Size { return s.sizes[spatial] }

// Inspect reads a packet's payload and its dependency descriptor, nil where it has none. What cannot be parsed is taken for a
// packet that everybody needs.
func (s *Stream) Inspect(payload, descriptor []byte) Info {
	info := Info{Frame: Frame{Needed: everybody}}
	switch s.kind {
	case Audio:
		info.Start = true
	case VP8:
		inspectVP8(payload, &info)
		if !info.HasPictureID { // libwebrtc leaves all out of the payload that the descriptor says
			s.describe(descriptor, &info)
		}
	case VP9:
		s.inspectVP9(payload, &info)
	case H264:
		inspectH264(payload, &info)
		s.describe(descriptor, &info)
	case AV1:
		inspectAV1(payload, &info)
		s.describe(descriptor, &info)
		info.Start = info.Start && info.Spatial == 0
	}
	if s.spatials <= 1 {
		info.Needed = everybody
	}
	return info
}
