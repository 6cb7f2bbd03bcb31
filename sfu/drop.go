package sfu

// DropReason says why a packet was not stored, forwarded or resent. Its String is the metric's label.
type DropReason uint8

// The first group is counted once per packet by the source, the second once per packet and sink, the third once per packet
// that a receiver asked for again.
const (
	dropMalformed    DropReason = iota // not RTP, or larger than a ring's slot
	dropMuted                          // the source is muted or closed
	dropUnknownLayer                   // a layer index that the source does not have
	dropUnknownCodec                   // a payload type that was not negotiated
	dropDuplicate                      // received before
	dropLate                           // older than what the ring holds
	dropSuspect                        // a sequence number far off; two in a row mean a restart
	dropPadding                        // padding only: closed up, so that receivers see no gap
	dropExcess                         // more than one publisher may send: sound above what Opus can be, video above Config.MaxPublishBPS

	dropNoPayloadType // of a codec that the receiver did not negotiate, from the first keyframe on
	dropBeforeSwitch  // out of order, from before the sink joined the layer
	dropLayer         // of a spatial or temporal layer above what the sink shows: closed up, so that receivers see no gap
	dropWriteFailed   // the egress returned an error
	dropUnconnected   // its receiver's transport is not up, or silent
	dropFlooded       // the receiver's link has fallen behind: video up to the next keyframe
	dropPacedLate     // it waited for the receiver's link until the ring had forgotten it
	dropCut           // it waited for the receiver's link when the sink went to another layer, or to none

	dropNackUnknown // never sent, or no more in the history
	dropNackEvicted // no more in the source's ring
	dropNackRepeat  // resent ten times already, or a round trip ago at most
	dropNackStale   // of before the keyframe that the receiver's picture begins with now, or will
	dropNackAlone   // the receiver took no RTX, and nothing is sealed twice under one number
	dropNackRefused // retransmissions have had their share of the receiver's bandwidth
	dropNackFailed  // the egress returned an error

	numDropReasons
)

var dropNames = [numDropReasons]string{
	"malformed", "muted", "unknown_layer", "unknown_codec", "duplicate", "late", "suspect", "padding", "excess",
	"no_payload_type", "before_switch", "layer", "write_failed", "unconnected", "flooded", "paced_late", "cut",
	"nack_unknown", "nack_evicted", "nack_repeat", "nack_stale", "nack_alone", "nack_refused", "nack_failed",
}

// String returns the metric label of r.
func (r DropReason) String() string {
	if r >= numDropReasons {
		return "unknown"
	}
	return dropNames[r]
}

// drops counts packets by reason.
type drops [numDropReasons]uint64

func (d *drops) add(o *drops) {
	for i, n := range o {
		d[i] += n
	}
}

// byReason returns the reasons that occurred.
func (d *drops) byReason() map[DropReason]uint64 {
	m := make(map[DropReason]uint64)
	for i, n := range d {
		if n > 0 {
			m[DropReason(i)] = n
		}
	}
	return m
}
