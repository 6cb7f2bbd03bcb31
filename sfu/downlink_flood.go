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

// flood drops what waits of a sink and what comes, up to the next keyframe: its receiver's link has fallen behind. The caller is in
// the loop.
func (s *Source) flood(k *Sink) {
	k.drops[dropFlooded]++
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
