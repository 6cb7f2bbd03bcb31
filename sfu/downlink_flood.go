package sfu

// cut stops what a sink is shown at once, where that is more than it may have by now: until the keyframe of the lower layer comes it
// would only fill the queue that has to be emptied. The caller is in the loop.
func (k *Sink) cut() {
	s := k.source
	if k.detached || k.current < 0 || s.settled(k) || s.falling(k) || k.showing() <= k.limit || k.target < 0 {
		return
	}
	k.forsake(dropCut)
	now := k.line.cfg.paced.loop.clock()
	s.leave(k)
	s.wait(k, true, now)
	k.since = now
	s.serve(k, now)
}

// overflow drops a packet, and all that follow: the receiver's link has fallen behind. What that means for the source is for flood.
func (k *Sink) overflow() {
	k.drops[dropFlooded]++
	if !k.flooded {
		k.flooded = true
		k.source.flooded.Store(true)
	}
}

// flood drops what waits of the sinks whose receivers' links have fallen behind, and what comes, up to the next keyframe. The caller
// is in the loop, and no fan-out is under way.
func (s *Source) flood() {
	s.flooded.Store(false)
	for _, k := range s.sinks {
		if k.flooded {
			k.flooded = false
			s.stop(k)
		}
	}
}

// stop takes a sink off its layer until the next keyframe.
func (s *Source) stop(k *Sink) {
	if k.current < 0 {
		return
	}
	d := k.line.cfg.paced
	d.counts.overflows++
	k.forsake(dropFlooded)
	now := d.loop.clock()
	s.leave(k)
	k.behind = true
	s.wait(k, true, now)
	k.since = now
	d.urgent = true
	d.wakeAt(now)
}
