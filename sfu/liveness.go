package sfu

import (
	"time"

	"github.com/parley/parley/sfu/internal/ring"
)

const (
	silence       = 250 * time.Millisecond // without a packet, while others…
	silentFrames  = 3                      // …delivered so many frames: the layer is dead. A static screen is silent in all
	freshFrames   = 10                     // as many, while the streams start: a third of a second
	revivePackets = 3                      // and so many make it live again

	// A layer that died while somebody watched must live so long before it is used again, and deliver its share of frames;
	// twice as long each time that it dies again soon. Encoders at their limit turn layers on and off for minutes.
	firstTrial = 2 * time.Second
	maxTrial   = 16 * time.Second
	soon       = 30 * time.Second
	// Not so long where the source delivers several times as much as before the layer came back: its network has become a better one.
	shortTrial = 500 * time.Millisecond
	muchMore   = 2.5

	// A layer is broken when as much is missing as comes, for so long.
	brokenAfter   = 100 * time.Millisecond
	brokenPackets = 10 // at least so many are missing

	// A keyframe counts as if it were spread over so many seconds: it comes seldom and is paced, but would be most of its second's
	// rate, and the video be paused for it.
	keyShare = 8
)

// pulse tells whether a layer delivers: a stream among the streams of its source, or a spatial layer among those of its stream.
type pulse struct {
	index   int
	at      int64 // the newest packet's arrival, Unix nanoseconds
	fresh   bool  // at says nothing: the layer starts anew
	born    bool  // it had a packet once
	live    bool
	behind  [maxLayers]int // frames that the others delivered since this one's last packet
	revival int            // packets since it was silent

	trial  time.Duration  // how long it must deliver before it is live again
	began  int64          // the revival's first packet
	own    int            // frames since
	others [maxLayers]int // and the others'
	before int            // bytes that the source delivered in the second before it
	died   int64          // while it was watched; 0: never
}

// begin forgets who was behind whom.
func (p *pulse) begin() { p.fresh, p.behind = true, [maxLayers]int{} }

// announced makes the layer live before its first packet.
func (p *pulse) announced(index int, now time.Time) {
	*p = pulse{index: index, at: now.UnixNano(), fresh: true, born: true, live: true}
}

// beat notes a packet. True: the layer is live from now on, or begins its trial.
func (p *pulse) beat(now time.Time, frame bool) bool {
	at := now.UnixNano()
	gone := at-p.at > int64(silence)
	p.at, p.fresh, p.behind = at, false, [maxLayers]int{}
	first := !p.born
	p.born = true
	if p.live {
		return false
	}
	if p.revival == 0 || gone || at < p.began {
		p.began, p.revival, p.own, p.others = at, 0, 0, [maxLayers]int{}
	}
	p.revival++
	if frame {
		p.own++
	}
	p.live = first || p.revival >= revivePackets && at-p.began >= int64(p.trial) && p.fair()
	return p.live || p.revival == revivePackets // on trial: better than none
}

// fair reports whether the layer on trial delivers two thirds of the frames that any other does.
func (p *pulse) fair() bool {
	for _, n := range p.others {
		if p.trial > 0 && 3*p.own < 2*n {
			return false
		}
	}
	return true
}

// overtaken notes a frame of another layer. What is dead delivers leftovers and padding, which say nothing of who is silent.
func (p *pulse) overtaken(other *pulse) {
	if other.live {
		p.behind[other.index]++
	}
	p.others[other.index]++
}

// silent reports whether others deliver and this one does not.
func (p *pulse) silent(now time.Time) bool {
	if now.UnixNano()-p.at < int64(silence) {
		return false
	}
	limit := silentFrames
	if p.fresh { // layers do not come up all at once
		limit = freshFrames
	}
	for _, frames := range p.behind {
		if frames >= limit {
			return true
		}
	}
	return false
}

// die takes the layer for dead. Watched: somebody saw it happen.
func (p *pulse) die(now time.Time, watched bool) {
	p.live, p.revival = false, 0
	if !watched {
		return
	}
	if p.died != 0 && now.UnixNano()-p.died < int64(soon) {
		p.trial = min(max(2*p.trial, firstTrial), maxTrial)
	} else {
		p.trial = firstTrial
	}
	p.died = now.UnixNano()
}

// alive keeps the books of who delivers.
func (s *Source) alive(l *stream, frame bool, now time.Time) {
	if frame && !l.live && l.trial > shortTrial && now.UnixNano()-l.pulse.began >= int64(shortTrial) && float64(s.lately(now)) > muchMore*float64(l.before) {
		l.trial = shortTrial
	}
	if l.beat(now, frame) {
		s.stale = true
	}
	if l.revival == 1 {
		l.before = s.lately(now)
	}
	if !frame {
		return
	}
	for _, o := range s.streams {
		if o != l {
			o.overtaken(&l.pulse)
		}
	}
}

// lately returns how many bytes came in the last second.
func (s *Source) lately(now time.Time) (sum int) {
	for _, l := range s.streams {
		sum += l.rates.bytes(now)
	}
	return sum
}

// account keeps the books of what a stored packet is: rates, and which spatial layers deliver.
func (s *Source) account(l *stream, p *ring.Slot, size int, now time.Time) {
	if n := l.reader.Spatials(); n != l.layers {
		for i := l.layers; i < n; i++ {
			l.parts[i].announced(i, now)
		}
		l.layers, s.stale = n, true
	}
	if p.Start || l.keyAt != 0 && p.Timestamp == l.keyTime {
		size /= keyShare
	}
	l.rates.add(now, p, l.layers, size)
	if l.layers < 2 {
		return
	}
	if l.parts[p.Spatial].beat(now, p.End) {
		s.stale = true
	}
	if !p.End {
		return
	}
	for i := range l.layers {
		if i != int(p.Spatial) {
			l.parts[i].overtaken(&l.parts[p.Spatial])
		}
	}
}

const (
	overslept = 150 * time.Millisecond // between two looks: this process was not let run
	longSleep = 10 * time.Second
)

// look takes the time in which nobody was there to look out of what layers are judged by: what they sent then is still to be read.
func (s *Source) look(now time.Time) {
	gap := now.Sub(s.looked)
	if s.looked = now; gap < overslept || gap > longSleep {
		return
	}
	lag, latest := int64(gap-tickIdle), now.UnixNano()
	later := func(at *int64) {
		if *at != 0 {
			*at = min(*at+lag, max(latest, *at))
		}
	}
	for _, l := range s.streams {
		later(&l.pulse.at)
		later(&l.brokenAt)
		for i := range l.parts {
			later(&l.parts[i].at)
		}
	}
}

// checkAlive looks for layers that fell silent, or that are lost beyond repair.
func (s *Source) checkAlive(l *stream, now time.Time) {
	switch {
	case !l.live:
	case l.silent(now):
		l.die(now, s.watched(l))
		s.stale = true
	case s.broken(l, now):
		watched := s.watched(l)
		l.die(now, watched)
		for i := 1; i < l.index; i++ { // of what lies between, what suffers as well does not fit that network either
			if o := s.streams[i]; o.live && o.tears.recent(now) {
				o.die(now, watched)
			}
		}
		s.stale = true
	}
	if !l.live || l.layers < 2 {
		return
	}
	for i := range l.layers {
		if p := &l.parts[i]; p.live && p.silent(now) {
			p.die(now, s.watched(l))
			s.stale = true
		}
	}
}

// broken reports whether so much of a stream is missing that a lower one, which flows, is the better picture.
func (s *Source) broken(l *stream, now time.Time) bool {
	missing := l.nack.Outstanding()
	if missing < brokenPackets || 2*missing < l.rates.packets(now, 4) || !s.flowsBelow(l, now) {
		l.brokenAt = 0
		return false
	}
	if l.brokenAt == 0 {
		l.brokenAt = now.UnixNano()
	}
	return now.UnixNano()-l.brokenAt >= int64(brokenAfter)
}

// tears are the gaps in a stream's numbers, whoever watches it.
type tears struct {
	at    int64 // the last, Unix nanoseconds
	count int   // of those that followed each other closely
}

const (
	tearsAge = 500 * time.Millisecond
	manyGaps = 3
)

func (t *tears) add(now time.Time) {
	at := now.UnixNano()
	if at-t.at > int64(tearsAge) {
		t.count = 0
	}
	t.at = at
	t.count++
}

// recent reports whether there were several in the last moment.
func (t *tears) recent(now time.Time) bool {
	return t.count >= manyGaps && now.UnixNano()-t.at < int64(tearsAge)
}

// flowsBelow reports whether a lower stream delivers.
func (s *Source) flowsBelow(l *stream, now time.Time) bool {
	for _, o := range s.streams[:l.index] {
		if o.live && now.UnixNano()-o.at < int64(silence) && o.nack.Outstanding() < brokenPackets {
			return true
		}
	}
	return false
}
