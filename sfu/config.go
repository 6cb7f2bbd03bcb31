package sfu

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
)

// The errors of this package. All may come wrapped: test them with errors.Is.
var (
	ErrBadOffer = errors.New("bad offer")            // the client's offer cannot be used; the text says why
	ErrNoLine   = errors.New("no such send line")    // the offer had no media section for this kind
	ErrNoSlot   = errors.New("no such slot")         // the offer had no such slot, or the view is not well formed
	ErrNoData   = errors.New("no data channels")     // the offer had no data section
	ErrBadData  = errors.New("bad data message")     // sender or topic over 255 bytes, or the whole over the limit
	ErrSlow     = errors.New("receiver is too slow") // the peer's queue is full and the message was dropped
	ErrClosed   = errors.New("closed")               // the peer or the node was closed
)

const (
	defaultMaxDataBytes = 64 << 10  // bytes
	defaultStartBitrate = 2_500_000 // bit/s
	defaultMaxPublish   = 20_000_000

	minDataBytes = 1 << 10
	maxDataBytes = 256 << 10
)

// Config describes a node. Only Conn is needed.
type Config struct {
	Conn         net.PacketConn // the UDP media socket; the node closes it. An ice.AddrPortReaderWriter saves allocations
	TCP          net.Listener   // ICE-TCP connections, or nil; the node closes it
	PublicIPs    []netip.Addr   // addresses to announce instead of the local ones (1:1 NAT); empty: the local ones
	Lite         bool           // on the plane "pion": ICE-lite, for a node that clients reach at an address it knows (RFC 8445, section 2.5). Batched is always lite
	Loopback     bool           // announce loopback addresses beside the others, for clients on this machine
	MaxDataBytes int            // largest data message in bytes, 1 KiB to 256 KiB; 0: 64 KiB
	StartBitrate int            // bit/s that publishers' encoders start with (x-google-start-bitrate); 0: 2.5 Mb/s
	// MaxPublishBPS is how much video one peer may publish, in bit/s, all its layers and what is sent again included; 0: 20 Mb/s.
	// More is dropped as if its network had lost it. Sound has a bound of its own.
	MaxPublishBPS int
	Plane         Plane        // how packets are forwarded; "": batched where Conn can be
	Log           *slog.Logger // nil: slog.Default()
}

// Plane says how packets are forwarded.
type Plane string

// The planes.
const (
	PlaneBatched Plane = "batched" // our own: whole batches, one copy, GSO where the system has it
	PlanePion    Plane = "pion"    // pion's SRTP sessions and one system call for each packet
)

// Validate reports the first mistake in c.
func (c Config) Validate() error {
	switch {
	case c.Conn == nil:
		return errors.New("sfu: Conn is missing")
	case c.MaxDataBytes != 0 && (c.MaxDataBytes < minDataBytes || c.MaxDataBytes > maxDataBytes):
		return errors.New("sfu: MaxDataBytes must be between 1 KiB and 256 KiB")
	case c.StartBitrate < 0 || c.StartBitrate > 100_000_000:
		return errors.New("sfu: StartBitrate must be between 0 and 100 Mb/s")
	}
	if c.MaxPublishBPS < 0 {
		return errors.New("sfu: MaxPublishBPS is negative")
	}
	if c.Plane != "" && c.Plane != PlaneBatched && c.Plane != PlanePion {
		return errors.New("sfu: Plane must be batched or pion")
	}
	if _, ok := c.Conn.LocalAddr().(*net.UDPAddr); !ok {
		return errors.New("sfu: Conn is not a UDP socket")
	}
	for _, ip := range c.PublicIPs {
		if !ip.IsValid() || ip.IsUnspecified() {
			return errors.New("sfu: PublicIPs holds an address that cannot be announced")
		}
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.MaxDataBytes == 0 {
		c.MaxDataBytes = defaultMaxDataBytes
	}
	if c.StartBitrate == 0 {
		c.StartBitrate = defaultStartBitrate
	}
	if c.MaxPublishBPS == 0 {
		c.MaxPublishBPS = defaultMaxPublish
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}
