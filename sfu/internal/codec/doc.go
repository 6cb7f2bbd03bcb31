// Package codec reads what forwarding must know out of RTP payloads: where a keyframe starts, its size, and VP8's picture
// ids, which it also rewrites in place. It decodes nothing else.
//
// # Goroutines
//
//	none: pure functions
//
// # Invariants
//
//   - No input panics or allocates: payloads come from strangers, thousands a second.
//   - A packet is a keyframe's start only where a decoder that saw nothing before can start: H264 needs the SPS, VP9 and AV1
//     the lowest spatial layer.
//   - Rewriting never changes a payload's length, so that it can happen inside the ring.
package codec
