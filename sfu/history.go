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

	sentResend = 1 << 2
	sentMarker = 1 << 6
)

// history finds a sent packet by its sequence number.
type history []sent

// put remembers a packet. While what it would forget is not a second old, which is for how long rings hold packets, the history
// grows. rate is the timestamps'.
func (h *history) put(e sent, rate int) {
	old := h.at(e.seq)
	if old.serial != 0 && old.seq != e.seq && len(*h) < mostHistory && int32(e.timestamp-old.timestamp) < int32(rate) {
		h.grow()
		old = h.at(e.seq)
	}
	*old = e
}

func (h history) at(seq uint16) *sent { return &h[int(seq)&(len(h)-1)] }

func (h *history) grow() {
	wider := make(history, 2*len(*h))
	for _, e := range *h {
		*wider.at(e.seq) = e
	}
	*h = wider
}

// find returns the entry for seq, or nil.
func (h history) find(seq uint16) *sent {
	if len(h) == 0 {
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
