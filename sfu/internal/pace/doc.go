// Package pace spreads what one receiver is sent over time, so that a keyframe does not overrun the queue of a slow link. It
// decides when; it holds references to packets, never their bytes.
//
// # Goroutines
//
// None: the owner's loop calls it, at the time that Wait names.
//
// # Invariants
//
//   - While less is sent than the rate, nothing waits: a frame's packets leave together and make one run.
//   - What waits leaves in runs, 5 ms apart: single packets would throw away what segmentation offload saves.
//   - Sound never waits, but is paid for. Retransmissions go before new video, and take at most a third of the rate: beyond that
//     they are refused, since they would come too late and delay the rest.
//   - The order of one line's packets is kept.
//   - The queue is bounded (Full): its owner then drops the line's video up to the next keyframe. A keyframe at the head does not
//     count, however large it is: dropped keyframes would be followed by keyframes.
package pace
