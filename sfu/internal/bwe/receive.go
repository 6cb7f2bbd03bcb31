package bwe

import "time"

const (
	referenceWrap = int64(1<<24) * referenceUnit
	arrivalOrigin = 32 * referenceWrap // µs: so that arrival times stay above 0
	clockJump     = 400_000            // µs of delay that the round trip does not show
)

// TransportFeedback implements Estimator.
func (e *SendSide) TransportFeedback(now time.Time, b []byte) error {
	at := e.at(now)
	f, err := parseFeedback(b)
	if err != nil {
		e.stats.Malformed++
		return err
	}
	e.wake(at)
	e.unwrap(&f)
	e.queue.perByte = 8e6 / max(e.capacity.rate, e.target, e.arrivals.burst)
	e.queue.spare = e.arrivals.burst > leapSpare*e.sending.over(at, 500_000)
	var packets, lost, runs int
	gone := false                    // the packet before was lost
	fresh, newest := false, int64(0) // anything about packets not heard of before; send time of the newest that arrived
	for {
		seq, arrivedAt, received, ok := f.next()
		if !ok {
			break
		}
		p, num := e.log.find(seq)
		if p == nil {
			e.stats.Unknown++
			continue
		}
		if num >= e.log.report {
			e.pass(num)
			fresh = true
			packets++
		}
		switch {
		case received && p.is() == arrived:
			e.stats.Repeated++
		case received:
			if p.is() == missing {
				lost--
				e.stats.Lost--
			}
			p.set(arrived)
			e.stats.Acked++
			newest = max(newest, e.packet(at, p, arrivedAt))
		case p.is() == inFlight:
			p.set(missing)
			lost++
			e.stats.Lost++
			e.arrivals.missed(int(p.size))
			if !gone {
				runs++
			}
		}
		gone = !received
	}
	e.stats.Feedbacks++
	if !fresh && newest == 0 {
		return nil
	}
	e.queue.finish()
	silent := e.known && at-e.fedAt > silence+3*e.rtt
	e.known, e.fedAt = true, at
	if newest > 0 {
		e.newRTT(at - newest)
		e.jumped(at)
	}
	if l := &e.queue.leap; l.on {
		l.packets += packets
		l.lost += lost
	}
	sampled := e.losses.report(at, packets, lost, runs)
	if silent {
		e.fed(at)
		sampled = false
	}
	e.decide(at, sampled)
	return nil
}

// unwrap puts the message's reference time on the one scale that does not wrap.
func (e *SendSide) unwrap(f *feedback) {
	if !e.wrapped {
		e.wrapped, e.reference = true, arrivalOrigin
		f.reference, e.previous = arrivalOrigin+f.reference%referenceWrap, 0
		e.reference = f.reference
		return
	}
	d := (f.reference - e.reference) % referenceWrap
	switch {
	case d >= referenceWrap/2:
		d -= referenceWrap
	case d < -referenceWrap/2:
		d += referenceWrap
	}
	f.reference = e.reference + d
	if f.reference < arrivalOrigin/2 { // a clock that only goes back
		e.wrapped = false
		e.restart()
		e.unwrap(f)
		return
	}
	e.reference = f.reference
}

// pass notes that feedback has come to packet num. Packets before it that no message was about are taken as arrived evenly
// since the last one, at the rate that the measurements would otherwise miss.
func (e *SendSide) pass(num int64) {
	for n := e.log.report; n < num; n++ {
		p := e.log.at(n)
		e.log.flight -= int64(p.size)
		if p.is() == inFlight {
			e.stats.Unreported++
			if p.probe != 0 && p.probe == e.probe.id {
				e.probe.cluster.unknown++
			}
			if e.previous != 0 {
				e.arrivals.packet(e.previous, int(p.size), false)
			}
		}
	}
	e.log.flight -= int64(e.log.at(num).size)
	e.log.report = num + 1
}

// packet takes one that arrived and returns when it was sent, 0: not known.
func (e *SendSide) packet(at int64, p *sent, arrivedAt int64) (sentAt int64) {
	if p.state&vague != 0 {
		e.arrivals.packet(arrivedAt, int(p.size), false)
		e.previous = arrivedAt
		return 0
	}
	sentAt = at - int64(uint32(at)-p.at)
	busy := false
	if e.queue.started && e.previous != 0 {
		busy = e.previous-sentAt > e.queue.floor+2_000+2*int64(e.queue.jitter)
	}
	e.arrivals.packet(arrivedAt, int(p.size), busy)
	e.arrivals.together(sentAt, arrivedAt, int(p.size))
	e.queue.packet(sentAt, arrivedAt, int(p.size))
	if p.probe != 0 && e.probe.active && p.probe == e.probe.id {
		e.probe.arrived(arrivedAt, int(p.size))
	}
	e.previous = arrivedAt
	return sentAt
}

// jumped starts the delay measurement anew when it shows a queue that the round trip, by our own clock, does not.
func (e *SendSide) jumped(int64) {
	if e.queue.now > e.rttFresh-e.rtt+clockJump {
		e.stats.ClockJumps++
		e.restart()
	}
}

func (e *SendSide) restart() {
	e.queue.restart()
	e.arrivals.restart()
	e.previous = 0
	e.probe.active = false
}
