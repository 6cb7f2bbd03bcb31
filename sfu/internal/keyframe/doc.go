// Package keyframe decides when to ask a sender for a keyframe (RFC 4585, section 6.3.1).
//
// # Goroutines
//
//	none: the owner's loop calls it
//
// # Invariants
//
//   - A request is never lost: what the throttle holds back is sent later, and repeated until a keyframe comes. A receiver
//     that never got a packet asks for none itself.
//   - Requests are at least 200 ms apart, whoever asks: each costs every viewer of that layer bandwidth. Where the last
//     keyframe took long to arrive, or requests go unanswered, they are further apart.
package keyframe
