// Package bwe estimates how much one receiver's network can take, from what the receiver reports about the arrival of what was
// sent to it. It decides alone and sends nothing: its owner paces, picks layers and sends the probes that it asks for.
//
// An Estimator belongs to one receiver. Its owner, in its loop:
//
//  1. numbers each packet with the transport-wide sequence number, rising by one, and calls Sent with that number and the
//     packet's size as a UDP payload, just before it leaves. Media, retransmissions, padding and sound are alike.
//  2. hands over each RTCP message as it comes: TransportFeedback (the message as it was on the wire), ReceiverReport, REMB.
//  3. calls Update every 25 ms or so and after each feedback, with what it would send if it could (Demand), and obeys the
//     Estimate: all it sends together stays below Target; where Probe.ID is not 0 it starts that probe.
//
// A probe is sent so: for Duration the pace is Probe.Rate, whatever Target says, in runs at most 5 ms apart. Media and
// retransmissions that are due count; the rest is padding. Every packet in that time carries Probe.ID in Packet.Probe. It is over
// when at least Probe.Bytes in at least Probe.Packets packets are sent. A new probe replaces one that is not finished.
//
// What left much later than it was said to is told with Late. Where there is nothing to probe with, Demand.Blind says so.
//
// New makes an estimator for receivers that answer with transport-wide feedback, NewRemote one for those that do not: it follows
// their REMB, if any, and their receiver reports, and never asks for probes: it tries. Both are Estimators.
//
// How SendSide decides:
//
//   - Queueing delay is the first signal. Packets that left together are a group, and the fastest of them shows the queue they
//     met; the minimum over ten seconds is the path without a queue. Standing delay that does not answer when less is sent is
//     not ours (another flow's, or a new route) and is put up with.
//   - Capacity is measured, not guessed: while the bottleneck is busy, packets come out of it at its rate. A queue is answered
//     by going below that rate until the queue is gone, and then to just below it.
//   - Delay that is longer all at once and then stays, on a link known to be much faster than what is sent, is another way or a radio's
//     schedule. It is watched for 400 ms, and is a queue only if it grows.
//   - Loss that comes without a queue and does not depend on the rate is the path's own and costs nothing. Loss beyond it is congestion.
//     Where less is sent than has gone through before, loss up to 12 % is taken for the path's own.
//   - What was never sent is never assumed to fit: without a probe Target grows to 1.5 times what arrives, no further.
//     A probe that does not come through whole bounds it. The queue that a probe makes is no congestion.
//     Upgrades are probed for: at the start, after a drop, when bursts come through faster than they did, and now and then.
//     What is paused, or reduced where no probe can be sent, is tried now and then, for nothing else may show that it fits.
//   - The owner's own lateness is known: what left late measures nothing, a burst after a time of nothing accounts for its queue, and
//     time in which nobody called does not count.
//
// # Goroutines
//
//	none: the owner's loop calls it
//
// # Invariants
//
//   - The only clock is the argument now. Time going backward is taken as standing still.
//   - A report moves nothing unless it is about a packet that was sent and not reported before: forged and repeated reports
//     are counted and ignored.
//   - Target lies between Config.Min and Config.Max always.
//   - A packet costs no allocation; what is remembered of it is 8 bytes, in a log that starts with 2 KiB and is bounded to 64 KiB.
package bwe
