package bwe

const (
	minLog = 256  // packets: a second of a small picture
	maxLog = 8192 // 64 KiB: 2 s at 40 Mb/s
)

// What is known of a packet that was sent.
const (
	unsent = iota // the slot is empty, or the number was skipped
	inFlight
	missing // reported lost; it may yet come
	arrived

	vague = 0x80 // when it left is not known
)

// sent is what is remembered of a packet.
type sent struct {
	at    uint32 // µs, the low bits
	size  uint16
	probe uint8
	state uint8 // with vague as its highest bit
}

func (p *sent) is() uint8 { return p.state &^ vague }

func (p *sent) set(state uint8) { p.state = p.state&vague | state }

// sentLog remembers the last packets by their transport-wide number.
type sentLog struct {
	ring   []sent // a power of two, or nil
	next   int64  // extended number of the next packet
	first  int64  // the oldest that is remembered
	report int64  // the next that feedback has not passed
	flight int64  // bytes sent and not passed by feedback
}

// add notes a packet sent at µs. A number that is not the next leaves a gap; far from it, all is forgotten.
func (l *sentLog) add(at int64, seq uint16, size int, probe uint8) {
	if l.ring == nil {
		l.ring = make([]sent, minLog)
		l.restart(int64(seq) + 1<<16)
	}
	num := l.next + int64(int16(seq-uint16(l.next)))
	switch {
	case num < l.next || num-l.next >= minLog:
		l.restart(max(num, l.next)&^0xffff + 1<<16 | int64(seq))
	default:
		for l.next < num {
			l.put(at, sent{at: uint32(at)})
		}
	}
	size = min(size, 1<<16-1)
	l.flight += int64(size)
	l.put(at, sent{at: uint32(at), size: uint16(size), probe: probe, state: inFlight})
}

func (l *sentLog) restart(num int64) {
	l.next, l.first, l.report, l.flight = num, num, num, 0
	clear(l.ring)
}

// put appends p. A log that is full of packets still to be reported grows, up to its bound; then the oldest are forgotten.
func (l *sentLog) put(at int64, p sent) {
	if l.next-l.first == int64(len(l.ring)) {
		oldest := l.at(l.first)
		if oldest.is() == inFlight && l.first >= l.report && len(l.ring) < maxLog && uint32(at)-oldest.at < 4e6 {
			l.grow()
		} else {
			if l.first >= l.report {
				l.flight -= int64(oldest.size)
				l.report = l.first + 1
			}
			l.first++
		}
	}
	*l.at(l.next) = p
	l.next++
}

func (l *sentLog) grow() {
	old := *l
	l.ring = make([]sent, 2*len(old.ring))
	for n := old.first; n < old.next; n++ {
		*l.at(n) = *old.at(n)
	}
}

func (l *sentLog) at(num int64) *sent { return &l.ring[num&int64(len(l.ring)-1)] }

// find returns the packet with that number and its extended number, or nil.
func (l *sentLog) find(seq uint16) (*sent, int64) {
	num := l.next - 1 + int64(int16(seq-uint16(l.next-1)))
	if num < l.first || num >= l.next || l.at(num).state == unsent {
		return nil, 0
	}
	return l.at(num), num
}
