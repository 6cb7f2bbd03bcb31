package sfu

// sent is what a line remembers of a packet, to send it again exactly as it was. 24 bytes: a video line keeps 512.
type sent struct {
	serial    uint64 // with index: the packet in the ring of layer. 0: empty
	timestamp uint32
	resentAt  uint32 // Unix milliseconds, cut to 32 bits
	seq       uint16
	index     uint16
	pictureID uint16
	tl0       uint8
	layer     uint8 // low 2 bits: layer; the rest: how often it was resent
}

const (
	videoHistory = 512 // packets, powers of two: 2 s at 2.5 Mb/s
	audioHistory = 64  // 1.3 s
)

// history finds a sent packet by its sequence number.
type history []sent

func (h history) put(e sent) { h[int(e.seq)&(len(h)-1)] = e }

// find returns the entry for seq, or nil.
func (h history) find(seq uint16) *sent {
	if len(h) == 0 {
		return nil
	}
	if e := &h[int(seq)&(len(h)-1)]; e.serial != 0 && e.seq == seq {
		return e
	}
	return nil
}

func (e *sent) layerIndex() int { return int(e.layer & 3) }
func (e *sent) resends() int    { return int(e.layer >> 2) }
