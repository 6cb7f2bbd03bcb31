package pace

import "time"

const (
	burst     = 50 * time.Millisecond // of the rate may leave at once…
	burstMin  = 6000                  // …and at least so many bytes: a frame of a slow link
	spacing   = 5 * time.Millisecond  // between two runs
	maxDelay  = 300 * time.Millisecond
	maxBehind = 2 * time.Second // the same for what has come behind a keyframe, until that is made up for
	maxQueued = 384             // packets: fewer than lines and rings remember

	lateFrom = 75 * time.Millisecond // without a packet, sound included
	lateMost = 300 * time.Millisecond
	lateFor  = 2 * time.Second

	repairShare = 3                      // one third of the rate
	repairBurst = 150 * time.Millisecond // of that third
	repairMin   = 4000                   // bytes
	maxRepairs  = 64                     // packets that wait
)

// Packet refers to a packet that waits. L names its line.
type Packet[L comparable] struct {
	Line   L
	Seq    uint16 // of the line
	Size   int    // bytes on the wire
	Key    bool   // part of a keyframe
	Repair bool   // to be sent as a retransmission
}

// Pacer is one receiver's. The zero value lets everything through. It is for one goroutine at a time.
type Pacer[L comparable] struct {
	rate         int       // bit/s, 0: no limit
	waiting      int       // packets
	at           time.Time // of credit
	credit       float64   // bytes that may leave now; below zero: owed
	repairCredit float64
	next         time.Time // no run before this

	repairs, media queue[L]
	bytes          int  // that wait
	keyBytes       int  // part of them: keyframes
	behind         bool // a keyframe waits, or has waited and what came behind it still does

	late      time.Duration // for so long nothing left: what comes then has come late, and all at once
	lateUntil time.Time
}

// SetRate tells how much may leave, in bit/s; 0: everything at once. What waits then is due.
func (p *Pacer[L]) SetRate(now time.Time, rate int) {
	if p.rate == 0 && rate > 0 {
		p.rate, p.at = rate, now
		p.credit, p.repairCredit = p.most(), p.mostRepair()
		return
	}
	p.refill(now)
	p.rate = rate
	p.credit = min(p.credit, p.most())
}

// Rate returns the rate, in bit/s.
func (p *Pacer[L]) Rate() int { return p.rate }

func (p *Pacer[L]) bytesIn(d time.Duration) float64 { return float64(p.rate) / 8 * d.Seconds() }

func (p *Pacer[L]) most() float64 { return max(p.bytesIn(burst), burstMin) }

func (p *Pacer[L]) mostRepair() float64 { return max(p.bytesIn(repairBurst)/repairShare, repairMin) }

func (p *Pacer[L]) refill(now time.Time) {
	d := now.Sub(p.at)
	if d <= 0 {
		return
	}
	p.at = now
	got, most := p.bytesIn(min(d, time.Second)), p.most()
	if d > lateFrom {
		p.late, p.lateUntil = min(d, lateMost), now.Add(lateFor)
		if p.waiting > 0 { // nobody was there to send it
			most = max(most, p.bytesIn(p.late))
		}
	}
	p.credit = min(p.credit+got, most)
	p.repairCredit = min(p.repairCredit+got/repairShare, p.mostRepair())
}

// Exhaust takes what may leave at once: the queue on the way is full, and the first burst would be lost in it.
func (p *Pacer[L]) Exhaust(now time.Time) {
	p.refill(now)
	p.credit = min(p.credit, 0)
}

// Sound pays for a packet that leaves whatever happens.
func (p *Pacer[L]) Sound(now time.Time, size int) {
	if p.rate == 0 {
		return
	}
	p.refill(now)
	p.pay(size)
}

// pay takes credit, but runs into debt by half a second at most: a rate that falls must not stop all video for long.
func (p *Pacer[L]) pay(size int) {
	p.credit = max(p.credit-float64(size), -p.bytesIn(time.Second/2)-burstMin)
}

// Media reports whether a packet of video may leave now, and takes it as sent if so. Otherwise it goes to Queue.
func (p *Pacer[L]) Media(now time.Time, size int) bool {
	if p.rate == 0 {
		return true
	}
	if p.media.len() > 0 || p.repairs.len() > 0 {
		return false
	}
	p.refill(now)
	if p.credit <= 0 {
		return false
	}
	p.pay(size)
	return true
}

// Verdict says what is to become of a retransmission.
type Verdict uint8

// The verdicts.
const (
	Send   Verdict = iota
	Wait           // it goes to Queue
	Refuse         // it is not to be sent
)

// Repair asks for a retransmission.
func (p *Pacer[L]) Repair(now time.Time, size int) Verdict {
	if p.rate == 0 {
		return Send
	}
	p.refill(now)
	switch {
	case p.repairCredit < float64(size) || p.repairs.len() >= maxRepairs:
		return Refuse
	case p.repairs.len() > 0 || p.credit <= 0:
		p.repairCredit -= float64(size)
		return Wait
	}
	p.repairCredit -= float64(size)
	p.pay(size)
	return Send
}

// Queue takes a packet that must wait.
func (p *Pacer[L]) Queue(k Packet[L]) {
	p.waiting++
	p.bytes += k.Size
	if k.Repair {
		p.repairs.push(k)
		return
	}
	if k.Key {
		p.keyBytes += k.Size
		p.behind = true
	}
	p.media.push(k)
}

// Full reports whether a line must drop what waits: more than 300 ms wait, keyframes aside; or 2 s, of what has come behind a
// keyframe. To drop a keyframe for what it holds up would mean to ask for the next one, again and again.
func (p *Pacer[L]) Full() bool {
	waits := p.delay(p.bytes - p.keyBytes)
	if p.keyBytes == 0 && waits <= maxDelay {
		p.behind = false
	}
	most := maxDelay
	if p.at.Before(p.lateUntil) {
		most += p.late
	}
	if p.behind {
		most = maxBehind
	}
	return p.media.len() >= maxQueued || waits > most
}

// Delay returns how long what waits will take to leave.
func (p *Pacer[L]) Delay() time.Duration { return p.delay(p.bytes) }

func (p *Pacer[L]) delay(bytes int) time.Duration {
	if p.rate == 0 || bytes == 0 {
		return 0
	}
	return time.Duration((float64(bytes) - p.credit) * 8 / float64(p.rate) * float64(time.Second))
}

// Waiting returns how many packets wait.
func (p *Pacer[L]) Waiting() int { return p.waiting }

// Drop forgets what waits of a line. It returns how many packets of video that were.
func (p *Pacer[L]) Drop(line L) (n int) {
	if p.Waiting() == 0 {
		return 0
	}
	forget := func(k Packet[L]) bool {
		if k.Line != line {
			return false
		}
		p.waiting--
		p.bytes -= k.Size
		if !k.Repair {
			n++
			if k.Key {
				p.keyBytes -= k.Size
			}
		}
		return true
	}
	p.repairs.remove(forget)
	p.media.remove(forget)
	return n
}

// Next returns the next packet that is due, and takes it as sent.
func (p *Pacer[L]) Next(now time.Time) (Packet[L], bool) {
	q := &p.repairs
	if q.len() == 0 {
		q = &p.media
	}
	if q.len() == 0 {
		return Packet[L]{}, false
	}
	if p.rate > 0 {
		p.refill(now)
		if p.credit <= 0 {
			p.next = now.Add(spacing)
			return Packet[L]{}, false
		}
	}
	k := q.pop()
	p.waiting--
	p.bytes -= k.Size
	if k.Key && !k.Repair {
		p.keyBytes -= k.Size
	}
	p.pay(k.Size)
	return k, true
}

// Wait returns how long to wait for the next run; false: nothing waits.
func (p *Pacer[L]) Wait(now time.Time) (time.Duration, bool) {
	if p.Waiting() == 0 {
		return 0, false
	}
	if p.rate == 0 {
		return 0, true
	}
	p.refill(now)
	wait := max(p.next.Sub(now), 0)
	if p.credit <= 0 {
		need := time.Duration((1 - p.credit) * 8 / float64(p.rate) * float64(time.Second))
		wait = max(wait, need, spacing)
	}
	return wait, true
}
