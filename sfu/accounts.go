package sfu

// LeftReason says why packets of a source were not due to a sink: they were left out on purpose. Its String is the metric's label.
type LeftReason uint8

const (
	leftOther   LeftReason = iota // of another simulcast stream than the one that is shown
	leftPaused                    // the receiver's network takes nothing of this source, or no layer is live
	leftWaiting                   // from before the keyframe, or the first sound, that the sink joins at

	numLeftReasons
)

var leftNames = [numLeftReasons]string{"other_stream", "paused", "waiting"}

// String returns the metric label of r.
func (r LeftReason) String() string {
	if r >= numLeftReasons {
		return "unknown"
	}
	return leftNames[r]
}

// sinkCounts are a sink's counters. Of all packets that its source stored while it was attached, and those that were replayed, each
// is sent, dropped for a reason of the sink's, left out, or waits for the receiver's link.
type sinkCounts struct {
	drops          drops
	left           [numLeftReasons]uint64
	resent         uint64
	replayed       uint64 // from before the join: they had been counted as left out, or came before the sink
	filled         uint64 // packets that nobody published: empty ones in the place of late ones, silence before another source
	packets, bytes uint64
	stored         uint64 // by the source, while the sink was attached
}

func (c *sinkCounts) add(o *sinkCounts) {
	c.packets += o.packets
	c.bytes += o.bytes
	c.resent += o.resent
	c.replayed += o.replayed
	c.filled += o.filled
	c.stored += o.stored
	for i, n := range o.left {
		c.left[i] += n
	}
	c.drops.add(&o.drops)
}

// byReason returns the reasons that occurred.
func (c *sinkCounts) byReason() map[LeftReason]uint64 {
	m := make(map[LeftReason]uint64)
	for i, n := range c.left {
		if n > 0 {
			m[LeftReason(i)] = n
		}
	}
	return m
}

// settleUp counts what the source stored since the last time and the sink was not offered. It is called before anything changes that
// tells why: so nobody but those who are shown a stream costs anything per packet.
func (k *Sink) settleUp() {
	n := k.source.offered - k.seen
	if n == 0 || k.detached {
		return
	}
	k.seen += n
	k.stored += n
	switch {
	case k.current >= 0:
		k.left[leftOther] += n
	case k.unsupported:
		k.drops[dropNoPayloadType] += n
	case k.paused:
		k.left[leftPaused] += n
	case k.behind:
		k.drops[dropFlooded] += n
	default:
		k.left[leftWaiting] += n
	}
}

// forsake forgets what waits for the receiver's link: the sink leaves its stream.
func (k *Sink) forsake(why DropReason) {
	n := uint64(k.line.abandon())
	k.drops[why] += n
	k.queued -= n
}

// count adds what became of the source's packets.
func (st *SourceStats) count(total *sinkCounts) {
	st.Forwarded, st.ForwardedBytes, st.Resent = total.packets, total.bytes, total.resent
	st.Due, st.Replayed, st.Filled = total.stored, total.replayed, total.filled
	st.Dropped, st.LeftOut = total.drops.byReason(), total.byReason()
}

// countLeft adds what a source left out.
func (c *Counts) countLeft(s *SourceStats) {
	c.Replayed += s.Replayed
	c.Filled += s.Filled
	for reason, n := range s.LeftOut {
		c.leave(reason.String(), n)
	}
}

func (c *Counts) leave(reason string, n uint64) {
	if c.LeftOut == nil {
		c.LeftOut = make(map[string]uint64)
	}
	c.LeftOut[reason] += n
}

func (c *Counts) addLeft(o Counts) {
	c.Replayed += o.Replayed
	c.Filled += o.Filled
	for reason, n := range o.LeftOut {
		c.leave(reason, n)
	}
}
