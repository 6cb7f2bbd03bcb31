// Package codec reads what forwarding must know out of RTP packets: where a keyframe starts, its size, which spatial and
// temporal layer a packet belongs to and who needs it, and the picture ids, which it also rewrites. It decodes nothing else.
//
// A Stream is one RTP stream's reader. VP9 tells by its payloads, AV1 by the dependency descriptor (an RTP header extension). VP8 and
// H264 may do either: with the descriptor libwebrtc leaves VP8's ids and layers out of the payload, and without it only what
// nothing refers to is told apart in H264.
//
// # Goroutines
//
//	none: a Stream belongs to its caller
//
// # Invariants
//
//   - No input panics, and none allocates but a stream's first scalability structure: packets come from strangers, thousands
//     a second.
//   - A packet is a keyframe's start only where a decoder that saw nothing before can start: H264 needs the SPS, VP9 and AV1
//     the lowest spatial layer.
//   - What is not understood is forwarded to all: it is layer 0, and needed by everybody.
//   - Rewriting never changes a payload's length, so that it can happen inside the ring. A descriptor may grow by its active
//     decode targets.
package codec
