package batch

import "net/netip"

const (
	// MaxPacket is the longest datagram that a Sender takes, in bytes.
	MaxPacket = 1600

	slabLen     = 256 << 10 // bytes: 200 packets of 1200, well inside of what a core's cache holds
	maxMessages = 64        // of one system call; the kernel takes 1024, the gain ends well before
	maxSegments = 64        // of one message, the kernel's limit
	maxMessage  = 65000     // bytes of one message: an IP packet's, headers left out
)

// Owner is told what was lost.
type Owner interface {
	// Dropped says that the last n datagrams committed for this owner were not sent.
	Dropped(n int)
}

// Dest is a destination in the form that the socket wants.
type Dest struct {
	addr netip.AddrPort
	from netip.Addr // ours; zero: the system's choice
	raw  sockaddr
	info source
}

// Addr returns the address.
func (d *Dest) Addr() netip.AddrPort { return d.addr }

// From returns which of our addresses datagrams leave from; zero: the system chooses.
func (d *Dest) From() netip.Addr { return d.from }

// Dest prepares an address.
func (c *Conn) Dest(addr netip.AddrPort) *Dest { return c.DestFrom(addr, netip.Addr{}) }

// DestFrom prepares an address to which datagrams leave from one of ours; zero: the system chooses which. The answer to what came to an
// address must leave from it: nobody knows the others.
func (c *Conn) DestFrom(addr netip.AddrPort, from netip.Addr) *Dest {
	d := &Dest{addr: addr, from: from}
	c.os.fill(&d.raw, addr)
	c.os.leave(&d.info, from)
	return d
}

// message is what one entry of a system call sends: datagrams that lie one behind the other in the slab.
type message struct {
	to         *Dest
	owner      Owner
	start, end int // in the slab
	size       int // of each datagram but the last, bytes
	packets    int
	urgent     bool
	open       bool // another datagram of that size may follow
}

// Sender collects datagrams and sends them at Flush.
type Sender struct {
	conn *Conn
	slab []byte
	used int
	msgs []message
	out  transmitter
}

// NewSender returns an empty sender on c's socket. Several may be used on one socket.
func (c *Conn) NewSender() *Sender {
	s := &Sender{conn: c, slab: make([]byte, slabLen), msgs: make([]message, 0, maxMessages)}
	s.out.init()
	return s
}

// Conn returns the socket that is sent on.
func (s *Sender) Conn() *Conn { return s.conn }

// Use sends on another socket from now on, of the same address as the one before. There must be nothing to flush.
func (s *Sender) Use(c *Conn) { s.conn = c }

// Next returns the place for the next datagram, empty, with a capacity of MaxPacket. What is written there is sent only after
// Commit. It may flush.
func (s *Sender) Next() []byte {
	if len(s.slab)-s.used < MaxPacket {
		s.Flush()
	}
	return s.slab[s.used : s.used : s.used+MaxPacket]
}

// Commit takes the first n bytes written to Next's place. Urgent ones are dropped last when the socket's buffer is full.
func (s *Sender) Commit(n int, to *Dest, owner Owner, urgent bool) {
	if len(s.msgs) > 0 {
		m := &s.msgs[len(s.msgs)-1]
		if m.open && m.to == to && m.owner == owner && n <= m.size && m.end-m.start+n <= maxMessage {
			m.packets++
			m.end += n
			m.open = n == m.size && m.packets < maxSegments
			s.used += n
			return
		}
	}
	if len(s.msgs) == maxMessages {
		at := s.used
		s.Flush() // the datagram stays where it is: Flush does not touch the slab
		if at > 0 {
			copy(s.slab, s.slab[at:at+n])
		}
	}
	s.msgs = append(s.msgs, message{
		to: to, owner: owner, start: s.used, end: s.used + n, size: n, packets: 1, urgent: urgent,
		open: s.conn.Mode() == Segments,
	})
	s.used += n
}

// Pending reports whether there is something to flush.
func (s *Sender) Pending() bool { return len(s.msgs) > 0 }

// Flush sends what was committed. It never waits.
func (s *Sender) Flush() {
	msgs := s.msgs
	for len(msgs) > 0 {
		n := s.conn.transmit(s, msgs)
		msgs = msgs[n:]
	}
	clear(s.msgs) // owners and destinations are not to be held
	s.msgs, s.used = s.msgs[:0], 0
}

// sent counts messages that left, and returns how many datagrams they were.
func (c *Conn) sent(msgs []message) int {
	packets := 0
	for i := range msgs {
		packets += msgs[i].packets
	}
	c.count.messages.Add(uint64(len(msgs)))
	c.count.packets.Add(uint64(packets))
	return packets
}

// refused counts a message that the system did not take.
func (c *Conn) refused(m *message) {
	c.count.failed.Add(uint64(m.packets))
	m.owner.Dropped(m.packets)
}

// overflow drops the rest of a flush after the socket's buffer was found full: urgent messages are still tried, one by one.
func (s *Sender) overflow(msgs []message) {
	c := s.conn
	for i := range msgs {
		m := &msgs[i]
		if m.urgent && c.sendSingly(s, m) {
			continue
		}
		c.count.full.Add(uint64(m.packets))
		if m.urgent {
			c.count.fullUrgent.Add(uint64(m.packets))
		}
		m.owner.Dropped(m.packets)
	}
}
