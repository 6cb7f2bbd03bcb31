package bwesim

import (
	"math/rand/v2"
	"time"

	"github.com/parley/parley/internal/netsim"
	"github.com/parley/parley/sfu/internal/allocate"
	"github.com/parley/parley/sfu/internal/bwe"
)

// Source is what a sender has to send.
type Source uint8

// The sources.
const (
	Elastic Source = iota // as much as it may, evenly
	Layered               // sound, and video of nine rates: three simulcast layers with three temporal ones each
	Sound                 // 40 kb/s
	Single                // sound, and video of one rate
)

const (
	packetSize = 1200
	soundSize  = 100 // bytes, 50 times a second
	soundRate  = 40_000
	frameEvery = time.Second / 30
	paceEvery  = 5 * time.Millisecond
	paceAhead  = 1.5  // times the target: frames are not spread over all of the time until the next
	paceFree   = 10e6 // bit/s, of a sender that lets frames pass whole
	keyframe   = 5    // times a mean frame
	singleRate = 1_600_000
	openFor    = 4 * time.Second // the first estimates of receivers without transport-wide feedback are not obeyed
)

type rung struct {
	rate    float64
	every   int // one frame in so many
	spatial int
}

// ladder is the video's rates in bit/s, and the share of the frames that each sends: of 30 a second.
var ladder = []rung{
	{70_000, 4, 0},
	{100_000, 2, 0},
	{150_000, 1, 0},
	{250_000, 4, 1},
	{350_000, 2, 1},
	{500_000, 1, 1},
	{900_000, 4, 2},
	{1_250_000, 2, 2},
	{1_800_000, 1, 2},
}

// sender sends what its source has, paced, as the estimator allows.
type sender struct {
	clock *netsim.Clock
	link  *netsim.Link
	rand  *rand.Rand
	est   bwe.Estimator
	src   Source
	whole bool
	pause Span
	blind bool // no probes
	open  bool // at the start
	at    func() time.Time
	recv  func(seq uint16, size int, sent time.Duration)

	rungs []rung

	redundant bool // packets of sound are sent again with the next
	greedy    bool // whatever the pictures need
	repeats   int
	lossyTill time.Duration
	decreases uint64
	downAt    time.Duration

	stall   Stall
	stopped bool      // the process does not run
	catch   bool      // it was stopped in the midst of something, which is yet to come
	caught  time.Time // it was: what it said to leave then did not
	missed  []func()  // what there is to do when it goes on
	held    []func()  // packets that leave then

	seq      uint16
	estimate bwe.Estimate
	queue    []int // sizes
	queued   int   // bytes
	budget   float64
	rung     int // of the ladder; -1: no video
	upAt     time.Duration
	frames   int
	key      bool

	probe      bwe.Probe
	probeUntil time.Duration
	probeBytes int
	probeCount int

	sentBytes, paddingBytes int
}

func (s *sender) start() {
	s.rung, s.key, s.rungs = -1, true, ladder
	if s.src == Single {
		s.rungs = []rung{{singleRate, 1, 0}}
	}
	s.clock.Every(20*time.Millisecond, func() {
		if s.src != Elastic && !s.paused() {
			s.does(func() { s.send(soundSize*(1+s.repeats), false, true) })
		}
	})
	if s.pictures() {
		s.clock.Every(frameEvery, func() { s.does(s.frame) })
	}
	s.clock.Every(paceEvery, func() {
		if !s.stopped {
			s.pace()
		}
	})
	if s.stall.Every > 0 {
		s.clock.At(s.stall.Every, s.stop)
	}
}

// does does what has come now, or when the process goes on.
func (s *sender) does(what func()) {
	switch {
	case s.stopped && s.catch:
		s.catch, s.caught = false, s.at()
		what()
	case s.stopped:
		s.missed = append(s.missed, what)
	default:
		what()
	}
}

func (s *sender) stop() {
	s.stopped, s.catch = true, s.rand.IntN(2) == 0
	s.clock.At(s.clock.Now()+s.stall.Least+time.Duration(s.rand.Float64()*float64(s.stall.Most-s.stall.Least)), s.goOn)
	s.clock.At(s.clock.Now()+s.stall.Every, s.stop)
}

func (s *sender) goOn() {
	s.stopped, s.catch = false, false
	for _, send := range s.held {
		send()
	}
	if s.held = s.held[:0]; !s.caught.IsZero() {
		s.est.Late(s.caught)
		s.caught = time.Time{}
	}
	missed := s.missed
	s.missed = nil
	for _, what := range missed {
		what()
	}
	s.pace()
}

// paused reports whether nothing is to be sent, as to a receiver that shows nothing.
func (s *sender) paused() bool {
	return s.pause.To > 0 && s.clock.Now() >= s.pause.From && s.clock.Now() < s.pause.To
}

// demand is what the allocation would tell the estimator.
func (s *sender) demand() bwe.Demand {
	if s.paused() {
		return bwe.Demand{}
	}
	switch s.src {
	case Layered, Single:
		d := bwe.Demand{Wanted: int64((s.sound() + s.rungs[len(s.rungs)-1].rate) * 1.1), Paused: s.rung < 0, Blind: s.blind}
		if s.rung == 0 && s.rungs[0].rate+s.sound() > float64(s.estimate.Target) {
			d.Next, d.Paused = int64(s.rungs[0].rate+s.sound()), true
			return d
		}
		if next := s.rung + 1; next < len(s.rungs) {
			d.Next = int64((s.sound() + s.rungs[next].rate) * 1.05)
		}
		return d
	case Sound:
		return bwe.Demand{}
	default:
		return bwe.Demand{Wanted: 50_000_000}
	}
}

// update asks the estimator and obeys.
func (s *sender) update() {
	s.estimate = s.est.Update(s.at(), s.demand())
	if s.redundant {
		s.repeat()
	}
	if p := s.estimate.Probe; p.ID != 0 {
		s.probe, s.probeUntil, s.probeBytes, s.probeCount = p, s.clock.Now()+p.Duration, 0, 0
	}
	if s.pictures() {
		s.choose()
	}
}

// repeat is what the sound of a receiver that takes redundancy does.
func (s *sender) repeat() {
	now := s.clock.Now()
	if n := s.est.Stats().Decreases; n != s.decreases {
		s.decreases, s.downAt = n, now
	}
	if s.estimate.Loss >= 0.04 && (s.greedy || now-s.downAt > 3*time.Second) {
		s.lossyTill = now + 30*time.Second
	}
	s.repeats = 1
	if now < s.lossyTill {
		s.repeats = 2
	}
	if !s.greedy {
		s.repeats = min(s.repeats, allocate.Repeats(int(s.estimate.Target), soundRate, 2, s.pictures()))
	}
}

// sound is the bit/s that it takes.
func (s *sender) sound() float64 { return soundRate * float64(1+s.repeats) }

func (s *sender) pictures() bool { return s.src == Layered || s.src == Single }

// choose picks the rung that fits: down at once, up when it fits with 5 % to spare.
func (s *sender) choose() {
	now, fits := s.clock.Now(), float64(s.estimate.Target)-s.sound()
	was := s.rung
	if s.open && now < openFor {
		fits = 1e9
	}
	for s.rung >= 0 && s.rungs[s.rung].rate > fits && (s.rung > 0 || !s.estimate.Calm) {
		s.rung--
	}
	for s.rung+1 < len(s.rungs) && s.rungs[s.rung+1].rate*1.05 <= fits {
		s.rung++
	}
	if s.rung > was && was >= 0 && now-s.upAt < 300*time.Millisecond {
		s.rung = was
		return
	}
	if s.rung < was {
		s.queue, s.queued = s.queue[:0], 0 // as a switch of layers does
	}
	if s.rung >= 0 && (was < 0 || s.rungs[s.rung].spatial != s.rungs[was].spatial) {
		s.key = true
	}
	if s.rung > was {
		s.upAt = now
	}
}

// frame queues the next frame of the video.
func (s *sender) frame() {
	s.frames++
	if s.paused() || s.rung < 0 || s.frames%s.rungs[s.rung].every != 0 {
		return
	}
	size := s.rungs[s.rung].rate / 30 * float64(s.rungs[s.rung].every) / 8 * (0.7 + 0.6*s.rand.Float64())
	if s.key {
		size, s.key = size*keyframe/float64(s.rungs[s.rung].every), false
	}
	for left := int(size); left > 0; left -= packetSize {
		s.queue = append(s.queue, min(left, packetSize))
		s.queued += min(left, packetSize)
	}
	if limit := s.estimate.Target * 3 / 80; int64(s.queued) > limit+3*packetSize { // 300 ms
		s.queue, s.queued = s.queue[:0], 0
	}
	s.flush()
}

// pace adds to the budget what the time since the last call allows.
func (s *sender) pace() {
	s.update()
	if s.probing() {
		s.pushProbe()
		return
	}
	rate := float64(s.estimate.Target)
	if s.pictures() {
		rate *= paceAhead
		if s.estimate.Calm && s.rung >= 0 {
			rate = max(rate, (s.rungs[s.rung].rate+s.sound())*paceAhead)
		}
	}
	if s.whole && s.pictures() {
		rate = max(rate, paceFree)
	}
	s.budget = min(s.budget+rate*paceEvery.Seconds()/8, max(rate*frameEvery.Seconds()/8, packetSize))
	s.flush()
}

func (s *sender) flush() {
	for s.budget > 0 {
		size := packetSize
		switch {
		case s.src == Sound:
			return
		case s.pictures() && len(s.queue) == 0:
			return
		case s.pictures():
			size = s.queue[0]
			s.queue = s.queue[1:]
			s.queued -= size
		case s.estimate.Target < 1_000_000: // a small picture has small packets
			size = 500
		}
		s.budget -= float64(size)
		s.send(size, false, true)
	}
}

func (s *sender) probing() bool {
	return s.probe.ID != 0 && (s.probeBytes < s.probe.Bytes || s.probeCount < s.probe.Packets)
}

// pushProbe sends the run of a probe that is due: what is queued first, padding after it.
func (s *sender) pushProbe() {
	begun := s.probeUntil - s.probe.Duration
	due := float64(s.probe.Rate) / 8 * (s.clock.Now() - begun + paceEvery).Seconds()
	for s.probing() && float64(s.probeBytes) < due {
		size, media := s.probe.Size, false
		switch {
		case s.pictures() && len(s.queue) > 0:
			size, media = s.queue[0], true
			s.queue = s.queue[1:]
			s.queued -= size
		case s.src == Elastic:
			media = true
		}
		s.send(size, true, media)
	}
}

func (s *sender) send(size int, probe, media bool) {
	p := bwe.Packet{Seq: s.seq, Size: size}
	if probe || s.probing() {
		p.Probe = s.probe.ID
		s.probeBytes += size
		s.probeCount++
	}
	s.seq++
	s.sentBytes += size
	if !media {
		s.paddingBytes += size
	}
	s.est.Sent(s.at(), p)
	leave := func() {
		sent := s.clock.Now()
		s.link.Send(size, func() { s.recv(p.Seq, size, sent) })
	}
	if s.stopped {
		s.held = append(s.held, leave)
		return
	}
	leave()
}
