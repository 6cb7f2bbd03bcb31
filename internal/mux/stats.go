package mux

// Stats is a snapshot of a UDP's counters since it was opened.
type Stats struct {
	Received map[string]uint64 // packets by class: ice_stun, dtls, rtp, turn_stun, turn_channel
	Dropped  map[string]uint64 // packets by reason
}

// udpDrop is a reason to drop a packet after it was classified; the names are metric labels.
type udpDrop uint8

const (
	dropTURNFull udpDrop = iota
	dropTURNTooLong
	dropTURNClosed
	dropMediaClosed
	dropMediaFull // media's reader is too slow: of STUN and DTLS
	dropStrayFull // the same, and RTP that the tap did not want: it has half of the queue
	dropReadError // the system reported an error instead of a packet
	dropNotHere   // from an address that the socket is not for
	dropPanic     // batches in which a mistake of ours was met
	numUDPDrops
)

var udpDropNames = [numUDPDrops]string{
	"turn_queue_full", "turn_too_long", "turn_closed", "media_closed", "media_queue_full", "stray_queue_full", "read_error", "not_here",
	"panic",
}

func (d udpDrop) String() string { return udpDropNames[d] }

// Stats counts packets by class and drops by reason. Every class and reason is present, also at zero.
func (u *UDP) Stats() Stats {
	s := Stats{Received: map[string]uint64{}, Dropped: map[string]uint64{}}
	for c := range numClasses {
		if n := u.count[c].Load(); c.media() || c.turn() {
			s.Received[c.String()] = n
		} else {
			s.Dropped[c.String()] = n
		}
	}
	for d := range numUDPDrops {
		s.Dropped[d.String()] = u.dropped[d].Load()
	}
	return s
}

// TCPStats is a snapshot of a TCP's counters since it was made.
type TCPStats struct {
	Open     int               // connections that are open now, undecided ones included
	Accepted map[string]uint64 // connections by kind: ice, turn
	Dropped  map[string]uint64 // connections by reason
}

// tcpDrop is a reason to close a connection; the names are metric labels.
type tcpDrop uint8

const (
	dropUnknownStream tcpDrop = iota
	dropPeekTimeout
	dropNoBytes // closed by the peer before it said enough
	dropPeekError
	dropBacklog // nobody accepts connections of its kind, or not fast enough
	dropTooManyUndecided
	dropTooManyOfIP
	dropTooManyOpen
	dropTCPNotHere // from an address that the port is not for
	dropClosing
	dropAcceptError
	dropTCPPanic // a mistake of ours
	numTCPDrops
)

var tcpDropNames = [numTCPDrops]string{
	"unknown", "peek_timeout", "no_bytes", "peek_error", "backlog",
	"too_many_undecided", "too_many_of_ip", "too_many_open", "not_here", "closing", "accept_error", "panic",
}

func (d tcpDrop) String() string { return tcpDropNames[d] }

// Stats counts connections by kind and drops by reason. Every kind and reason is present, also at zero.
func (t *TCP) Stats() TCPStats {
	t.mu.Lock()
	open := t.open
	t.mu.Unlock()
	s := TCPStats{
		Open:     open,
		Accepted: map[string]uint64{"ice": t.accepted[0].Load(), "turn": t.accepted[1].Load()},
		Dropped:  map[string]uint64{},
	}
	for d := range numTCPDrops {
		s.Dropped[d.String()] = t.dropped[d].Load()
	}
	return s
}
