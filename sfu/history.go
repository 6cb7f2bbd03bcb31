package sfu

import "github.com/parley/parley/sfu/internal/codec"

// sent is what a line remembers of a packet, to send it again exactly as it was. 24 bytes: a video line keeps 128 to 512.
type sent struct {
	serial    uint64 // with index: the packet in the ring of layer. 0: empty
	timestamp uint32
	resentAt  uint32 // Unix milliseconds, cut to 32 bits
	seq       uint16
	index     uint16
	pictureID uint16
	tl0       uint8 // of VP8 and VP9; with a dependency descriptor: the layers shown, spatial (15: all) and temporal, 4 bits each
	layer     uint8 // low 2 bits: layer; 4 more: how often it was resent; 1: the marker bit
}

const (
	videoHistory = 128 // packets, powers of two: half a second at 2.5 Mb/s, for a beginning
	audioHistory = 64  // 1.3 s
	mostHistory  = 512
	lookAhead    = 16

	sentResend = 1 << 2
	sentMarker = 1 << 6
)

// history finds a sent packet by its sequence number. The zero value remembers nothing.
type history struct {
	packets []sent // by number, modulo the length
	looked  uint16 // up to this number nothing is forgotten too early
}

func newHistory(n int, last uint16) history { return history{packets: make([]sent, n), looked: last} }

// put remembers a packet. While what it would forget is not a second old, which is for how long rings hold packets, the history
// grows. That is looked at for some packets at once: it is the only thing here that has to wait for memory. rate is the timestamps'.
func (h *history) put(e sent, rate int) {
	if int16(e.seq-h.looked) > 0 {
		h.look(&e, rate)
	}
	*h.at(e.seq) = e
}

// look makes room for e and those that follow.
func (h *history) look(e *sent, rate int) {
	h.looked = e.seq + lookAhead - 1
	for seq := e.seq; len(h.packets) < mostHistory && seq != e.seq+lookAhead; seq++ {
		if old := h.at(seq); old.serial != 0 && old.seq != seq && int32(e.timestamp-old.timestamp) < int32(rate) {
			h.grow()
			return
		}
	}
}

func (h *history) at(seq uint16) *sent { return &h.packets[int(seq)&(len(h.packets)-1)] }

func (h *history) grow() {
	wider := history{packets: make([]sent, 2*len(h.packets)), looked: h.looked}
	for _, e := range h.packets {
		*wider.at(e.seq) = e
	}
	*h = wider
}

func (h *history) clear() { clear(h.packets) }

// find returns the entry for seq, or nil.
func (h *history) find(seq uint16) *sent {
	if len(h.packets) == 0 {
		return nil
	}
	if e := h.at(seq); e.serial != 0 && e.seq == seq {
		return e
	}
	return nil
}

func (e *sent) layerIndex() int { return int(e.layer & 3) }
func (e *sent) resends() int    { return int(e.layer >> 2 & 15) }
func (e *sent) marker() bool    { return e.layer&sentMarker != 0 }

// showing notes which layers the line showed, spatial -1: all.
func (e *sent) showing(spatial int, temporal uint8) { e.tl0 = uint8(spatial)<<4 | temporal }

func (e *sent) shown() (spatial, temporal int) {
	if spatial = int(e.tl0 >> 4); spatial >= codec.MaxSpatial {
		spatial = -1
	}
	return spatial, int(e.tl0 & 15)
}
