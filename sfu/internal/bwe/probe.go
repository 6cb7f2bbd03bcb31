package bwe

import "time"

const (
	probeSpan     = 20 * time.Millisecond  // least time to spread a probe over
	probeLongest  = 120 * time.Millisecond // with jitter
	probePackets  = 6
	probeFirst    = 1_500_000  // µs between probes, after the first
	probeOften    = 3_000_000  // µs at most between probes that keep failing, in the minute after a drop
	probeDrained  = 500_000    // µs after a queue has gone
	probeEager    = 400_000    // µs between those of the first seconds
	probeStart    = 5_000_000  // µs that these last
	probeSeldom   = 12_000_000 // and later
	probeMinute   = 60_000_000 // µs
	probeRepeats  = 3
	probePaused   = 3_000     // bytes
	probeTail     = 300_000   // µs that a probe may be seen in a queue…
	probeQueue    = 80_000    // …which is not longer
	probeSpare    = 0.95      // of Target at most is sent besides
	probeAgain    = 50_000    // µs after one that jitter drowned
	probePatience = 1_000_000 // µs to wait for a probe's feedback, besides three round trips
)

// prober asks for probes and judges them.
type prober struct {
	id      uint8
	active  bool
	asked   Probe
	askedAt int64
	cluster cluster

	due       int64 // the next may start
	interval  int64 // µs
	dropAt    int64 // the last big step down
	settledBy int64 // until then it is the start, and probes may follow each other fast
	repeated  int   // probes in a row that jitter drowned
	tail      int64 // bytes of the last probes, as long as they may wait in a queue
	tailAt    int64 // the last of them was sent
}

// cluster is what came of one probe.
type cluster struct {
	packets, received   int
	unknown             int   // packets that no feedback was about
	bytes, run          int64 // sent; of these, in the last run
	firstSent, lastSent int64
	lastNum             int64 // number of its last packet

	arrivedBytes, firstBytes  int64
	firstArrived, lastArrived int64
}

// ask starts a probe. One for what is paused is longer where it would be a few small packets, which measure badly, and a no is worse.
func (p *prober) ask(now int64, rate, jitter float64, paused bool) Probe {
	p.id++
	if p.id == 0 {
		p.id = 1
	}
	span := min(probeSpan+time.Duration(3*jitter)*time.Microsecond*time.Duration(1+p.repeated), probeLongest)
	if paused && rate*span.Seconds()/8 < probePaused {
		span = min(time.Duration(probePaused*8/rate*1e9), probeLongest)
	}
	size := min(max(int(rate*span.Seconds()/8/probePackets), 200), 1200)
	bytes := max(int(rate*span.Seconds()/8), probePackets*size)
	p.active, p.askedAt, p.cluster = true, now, cluster{}
	p.asked = Probe{
		ID: p.id, Rate: int64(rate), Bytes: bytes, Packets: probePackets, Size: size,
		Duration: max(span, time.Duration(float64(bytes)*8/rate*1e9)),
	}
	return p.asked
}

func (p *prober) sent(at, num int64, size int) {
	c := &p.cluster
	if at-p.tailAt > probeTail {
		p.tail = 0
	}
	p.tail, p.tailAt = p.tail+int64(size), at
	if c.packets == 0 {
		c.firstSent = at
	}
	if at-c.lastSent > 500 {
		c.run = 0
	}
	c.packets++
	c.bytes += int64(size)
	c.run += int64(size)
	c.lastSent, c.lastNum = at, num
}

// probed returns the µs of queue that the probes of the last moment account for, where less than Target is sent otherwise: they are
// no congestion, and the queue goes by itself.
func (e *SendSide) probed(at int64) int64 {
	p := &e.probe
	if p.tail == 0 || at-p.tailAt > probeTail+e.rtt {
		return 0
	}
	if !e.spareSent(at) {
		return 0
	}
	return min(int64(float64(p.tail)*8e6/e.target), probeQueue)
}

// spareSent reports whether less than Target is sent, probes aside.
func (e *SendSide) spareSent(at int64) bool {
	return e.sending.over(at, 500_000)-float64(e.probe.tail)*8/0.5 < probeSpare*e.target
}

func (p *prober) arrived(at int64, size int) {
	c := &p.cluster
	if c.received == 0 {
		c.firstArrived, c.firstBytes = at, int64(size)
	}
	c.received++
	c.arrivedBytes += int64(size)
	c.lastArrived = max(c.lastArrived, at)
}

// complete reports whether all of the probe was sent.
func (p *prober) complete() bool {
	return p.cluster.packets >= p.asked.Packets && p.cluster.bytes >= int64(p.asked.Bytes)*9/10
}

// verdict is what a probe showed.
type verdict struct {
	rate    float64 // bit/s that go through
	limited bool    // the bottleneck held it back
	void    bool    // too little of it is known
}

// judge returns the verdict when feedback has passed the probe's end; done means that it is over. Own is
// the share of packets that the path loses anyhow.
func (p *prober) judge(now, passed, rtt int64, own float64) (v verdict, done bool) {
	c := &p.cluster
	if !p.complete() || passed <= c.lastNum {
		late := p.asked.Duration.Microseconds() + probePatience + 3*rtt
		if now-p.askedAt > late {
			p.active = false
			return verdict{void: true}, true
		}
		return verdict{}, false
	}
	p.active = false
	span := c.lastArrived - c.firstArrived
	if c.received < 4 || c.received*3 < c.packets*2 || span <= 0 {
		return verdict{void: c.unknown > 0 || own > 0.08, limited: true}, true
	}
	if c.unknown > 0 {
		return verdict{void: true}, true
	}
	// As if none was lost that the path loses anyhow; one may be such a one in any case.
	lost := min(float64(c.packets)/float64(c.received), max(1/(1-own), float64(c.packets)/float64(c.packets-1)))
	arrived := float64(c.arrivedBytes) * lost
	got := (arrived - float64(c.firstBytes)) * 8e6 / float64(span)
	offered := float64(p.asked.Rate)
	if sent := c.lastSent - c.firstSent; sent > 1_000 {
		offered = min(offered, float64(c.bytes-c.run)*8e6/float64(sent))
	}
	return verdict{rate: min(got, offered), limited: got < 0.93*offered}, true
}

// unclear reports whether the delay that a probe met is no more than jitter makes by itself.
func (p *prober) unclear(jitter float64) bool {
	c := &p.cluster
	longer := (c.lastArrived - c.firstArrived) - (c.lastSent - c.firstSent)
	return jitter > 2_000 && longer < 10_000+int64(3*jitter)
}

// repeat plans another probe, a longer one, instead of one that said nothing. After some it gives up.
func (p *prober) repeat(now int64) bool {
	if p.repeated == probeRepeats {
		return false
	}
	p.repeated++
	p.due = now + probeAgain
	return true
}

// settle plans the next probe after one that ended: up means that Target rose, through that the bottleneck did not show.
func (p *prober) settle(now int64, up, through bool) {
	p.repeated = 0
	if up {
		p.interval, p.due = 0, now
	}
	if up && through {
		return
	}
	longest := int64(probeSeldom)
	if now-p.dropAt < probeMinute {
		longest = probeOften
	}
	shortest := int64(probeFirst)
	if now < p.settledBy {
		shortest = probeEager
	}
	p.interval = min(max(p.interval*3/2, shortest), longest)
	p.due = now + p.interval
}

// drained brings the next probe forward after a queue has gone, unless probes have failed lately.
func (p *prober) drained(now int64) {
	if p.interval <= probeFirst {
		p.due = min(p.due, now+probeDrained)
	}
}

// soon forgets past failures: something has changed.
func (p *prober) soon(at int64) {
	p.interval, p.due = 0, min(p.due, at)
}
