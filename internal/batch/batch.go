package batch

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
)

// Length of a receive batch, and the longest datagram that is taken whole.
const (
	receiveLen  = 32
	receiveSlot = 2048 // bytes; longer datagrams are no media over any usual MTU, and are cut
)

// Mode is the way in which datagrams are sent.
type Mode uint32

// The modes, the best last.
const (
	Plain    Mode = iota // one system call for each
	Multiple             // sendmmsg
	Segments             // sendmmsg with UDP GSO
)

var modeNames = [...]string{"plain", "sendmmsg", "gso"}

// String returns the metric label of m.
func (m Mode) String() string { return modeNames[m] }

// Tap is shown what a socket received, before its reader sees or copies it.
type Tap interface {
	// Packet is given one datagram, and at which address it arrived, where that is known: on a socket of all addresses, of all that is
	// not RTP. True: it was taken, and may be changed and kept until Done.
	Packet(b []byte, from netip.AddrPort, at netip.Addr) bool
	// Done ends a batch. It follows one or more Packets.
	Done()
}

// Conn is a UDP socket that sends and receives in batches. It does not own the socket.
type Conn struct {
	// Static after construction.
	udp *net.UDPConn
	log *slog.Logger
	os  system

	singles singles

	mode  atomic.Uint32 // Mode; only ever lowered
	count counters
}

type counters struct {
	readCalls, readPackets           atomic.Uint64
	calls, messages, packets         atomic.Uint64
	full, fullUrgent, failed, broken atomic.Uint64
}

// Stats is a snapshot of a Conn's counters. Packets are datagrams on the wire.
type Stats struct {
	Mode                   Mode
	ReadCalls, ReadPackets uint64
	SendCalls, Messages    uint64 // system calls, and what was given to them: a GSO run is one message
	SentPackets            uint64
	DroppedFull            uint64 // the socket's buffer was full
	DroppedUrgent          uint64 // part of these that was marked urgent
	DroppedError           uint64 // the system refused them: no route, too long
	SegmentationRefused    uint64 // GSO messages that had to be sent one by one
	Joins                  bool   // the kernel could join received datagrams of one sender (UDP_GRO); it is not asked to
}

// NewConn prepares udp, which the caller goes on owning.
func NewConn(udp *net.UDPConn, log *slog.Logger) (*Conn, error) {
	c := &Conn{udp: udp, log: log}
	mode, err := c.os.init(udp)
	if err != nil {
		return nil, fmt.Errorf("batched socket: %w", err)
	}
	c.mode.Store(uint32(mode))
	return c, nil
}

// Mode returns how datagrams are sent now.
func (c *Conn) Mode() Mode { return Mode(c.mode.Load()) }

// Limit lowers the mode, for good.
func (c *Conn) Limit(m Mode) {
	for {
		old := c.mode.Load()
		if old <= uint32(m) || c.mode.CompareAndSwap(old, uint32(m)) {
			return
		}
	}
}

// stepDown is for a mode that turned out not to work.
func (c *Conn) stepDown(to Mode, err error) {
	if c.Mode() <= to {
		return
	}
	c.Limit(to)
	if c.log != nil {
		c.log.Warn("UDP sends fall back", "to", to.String(), "err", err)
	}
}

// Add adds the counters of another socket. The mode becomes the lower one.
func (s *Stats) Add(o Stats) {
	s.Mode = min(s.Mode, o.Mode)
	s.Joins = s.Joins && o.Joins
	s.ReadCalls += o.ReadCalls
	s.ReadPackets += o.ReadPackets
	s.SendCalls += o.SendCalls
	s.Messages += o.Messages
	s.SentPackets += o.SentPackets
	s.DroppedFull += o.DroppedFull
	s.DroppedUrgent += o.DroppedUrgent
	s.DroppedError += o.DroppedError
	s.SegmentationRefused += o.SegmentationRefused
}

// Stats returns a snapshot.
func (c *Conn) Stats() Stats {
	n := &c.count
	return Stats{
		Mode: c.Mode(), ReadCalls: n.readCalls.Load(), ReadPackets: n.readPackets.Load(),
		SendCalls: n.calls.Load(), Messages: n.messages.Load(), SentPackets: n.packets.Load(),
		DroppedFull: n.full.Load(), DroppedUrgent: n.fullUrgent.Load(), DroppedError: n.failed.Load(),
		SegmentationRefused: n.broken.Load(), Joins: c.os.gro,
	}
}
