package ring

import (
	"time"

	"github.com/parley/parley/sfu/internal/codec"
)

const (
	chunkLen = 32
	headroom = 2
	// MaxPayload is the largest payload in bytes: what fits a slot, and more than an Ethernet frame carries.
	MaxPayload = 1502
)

// Slot is one packet. Its owner may rewrite the payload in place, not its length.
type Slot struct {
	Serial    uint64 // 1, 2, … in order of insertion; 0: empty
	Num       uint64 // extended sequence number, padding left out
	At        int64  // arrival, Unix nanoseconds
	Timestamp uint32
	codec.Frame
	size      uint16
	described uint8 // length of the descriptor, which follows the payload in buf
	padding   uint8 // bytes, which follow the payload in buf
	Marker    bool
	buf       [headroom + MaxPayload]byte
}

// Payload returns the RTP payload.
func (s *Slot) Payload() []byte { return s.buf[headroom : headroom+int(s.size)] }

// Retransmission returns the payload with the original sequence number before it (RFC 4588, section 4).
func (s *Slot) Retransmission(seq uint16) []byte {
	s.buf[0], s.buf[1] = byte(seq>>8), byte(seq)
	return s.buf[:headroom+int(s.size)]
}

// SetDescriptor keeps a dependency descriptor with the packet. One that does not fit beside the payload is left out: no packet
// that came in one datagram has such.
func (s *Slot) SetDescriptor(d []byte) {
	at := headroom + int(s.size)
	if len(d) <= codec.MaxDescriptor && at+len(d) <= len(s.buf) {
		s.described = uint8(copy(s.buf[at:], d))
	}
}

// Descriptor returns the packet's dependency descriptor, empty where it has none.
func (s *Slot) Descriptor() []byte {
	at := headroom + int(s.size)
	return s.buf[at : at+int(s.described)]
}

// SetPadding adds n bytes of RTP padding (RFC 3550, section 5.1) behind the payload, where they fit and no descriptor is.
func (s *Slot) SetPadding(n int) {
	at := headroom + int(s.size)
	if n <= 0 || n > 255 || s.described > 0 || at+n > len(s.buf) {
		return
	}
	clear(s.buf[at : at+n-1])
	s.buf[at+n-1] = byte(n)
	s.padding = uint8(n)
}

// Padding returns the length of the padding. It lies behind Payload, within its capacity.
func (s *Slot) Padding() uint8 { return s.padding }

// Ring holds up to a maximum of packets.
type Ring struct {
	chunks []*[chunkLen]Slot
	max    int
	keep   time.Duration
	next   int
	serial uint64
	byNum  []uint16 // number modulo length to index; checked against the slot
	key    uint64   // number where the last keyframe starts, 0: none
}

// New returns an empty ring of at most max packets (rounded up to 32, at most 65536). It grows only while its oldest packet is
// younger than keep.
func New(max int, keep time.Duration) *Ring {
	max = (max + chunkLen - 1) / chunkLen * chunkLen
	n := chunkLen
	for n < max {
		n *= 2
	}
	return &Ring{max: max, keep: keep, byNum: make([]uint16, n)}
}

// Insert stores a packet under num and returns its slot, whose other fields the caller fills, and its index. The payload
// must not be longer than MaxPayload.
func (r *Ring) Insert(num uint64, payload []byte, now time.Time) (*Slot, uint16) {
	if r.next == r.Cap() {
		r.wrap(now)
	}
	i := r.next
	r.next++
	r.serial++
	s := r.Slot(uint16(i))
	s.Serial, s.Num, s.At = r.serial, num, now.UnixNano()
	s.size = uint16(copy(s.buf[headroom:], payload))
	s.Marker, s.described, s.padding, s.Frame, s.Timestamp = false, 0, 0, codec.Frame{}, 0
	r.byNum[num%uint64(len(r.byNum))] = uint16(i)
	return s, uint16(i)
}

// wrap grows the ring, or starts over with its oldest packet, which is the first.
func (r *Ring) wrap(now time.Time) {
	full := r.Cap() >= r.max
	if !full && (r.Cap() == 0 || now.UnixNano()-r.chunks[0][0].At < int64(r.keep)) {
		r.chunks = append(r.chunks, new([chunkLen]Slot))
		return
	}
	r.next = 0
}

// Slot returns the slot at index, which must be one that Insert returned.
func (r *Ring) Slot(index uint16) *Slot { return &r.chunks[index/chunkLen][index%chunkLen] }

// At returns the packet that was stored with these, or nil when it is no more there.
func (r *Ring) At(index uint16, serial uint64) *Slot {
	if int(index) >= r.Cap() {
		return nil
	}
	if s := r.Slot(index); s.Serial == serial {
		return s
	}
	return nil
}

// Find returns the packet numbered num and its index, or nil.
func (r *Ring) Find(num uint64) (*Slot, uint16) {
	i := r.byNum[num%uint64(len(r.byNum))]
	if int(i) >= r.Cap() {
		return nil, 0
	}
	if s := r.Slot(i); s.Serial != 0 && s.Num == num {
		return s, i
	}
	return nil, 0
}

// Cap returns how many packets the ring holds now, at most. What is further behind the newest number is gone.
func (r *Ring) Cap() int { return len(r.chunks) * chunkLen }

// MarkStart remembers s as the start of the last keyframe, unless a later frame's is known, or an earlier packet of the same
// frame.
func (r *Ring) MarkStart(s *Slot) {
	if old := r.Keyframe(); old != nil {
		same := old.Timestamp == s.Timestamp
		if same == (s.Num > old.Num) {
			return
		}
	}
	r.key = s.Num
}

// Keyframe returns the packet where the last keyframe starts, or nil.
func (r *Ring) Keyframe() *Slot {
	if r.key == 0 {
		return nil
	}
	s, _ := r.Find(r.key)
	return s
}

// ForgetKeyframe is for a stream that starts anew: what was stored stays for who refers to it.
func (r *Ring) ForgetKeyframe() { r.key = 0 }
