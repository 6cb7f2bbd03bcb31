package loadgen

import (
	"encoding/binary"
	"time"
)

// What follows a video packet's descriptor is filling, but for the frame header of the first packet (RFC 6386, section
// 9.1), which an SFU reads to find keyframes and sizes. Every payload, sound included, ends with a stamp.
const (
	descriptorBytes = 6
	keyHeaderBytes  = 10
	stampBytes      = 16
	stampMagic      = 0x70617243 // tells our packets from others'
	minPayload      = descriptorBytes + keyHeaderBytes + stampBytes
)

// putStamp writes at the end of a payload when it was sent.
func putStamp(payload []byte, source uint32, at time.Time) {
	b := payload[len(payload)-stampBytes:]
	binary.BigEndian.PutUint32(b, stampMagic)
	binary.BigEndian.PutUint32(b[4:], source)
	binary.BigEndian.PutUint64(b[8:], uint64(at.UnixNano()))
}

// stampOf reads what putStamp wrote.
func stampOf(payload []byte) (source uint32, at time.Time, ok bool) {
	if len(payload) < stampBytes {
		return 0, time.Time{}, false
	}
	b := payload[len(payload)-stampBytes:]
	if binary.BigEndian.Uint32(b) != stampMagic {
		return 0, time.Time{}, false
	}
	return binary.BigEndian.Uint32(b[4:]), time.Unix(0, int64(binary.BigEndian.Uint64(b[8:]))), true
}

// vp8Packet says what one packet of a frame is.
type vp8Packet struct {
	pictureID     uint16 // 15 bits
	tl0           uint8
	first         bool // of its frame
	key           bool
	width, height int
}

// fill writes descriptor (RFC 7741, section 4.2: picture id, TL0PICIDX, TID) and frame header over payload's start.
func (p vp8Packet) fill(payload []byte) {
	payload[0] = 0x80
	if p.first {
		payload[0] |= 0x10
	}
	payload[1] = 0xe0
	payload[2] = 0x80 | byte(p.pictureID>>8)
	payload[3] = byte(p.pictureID)
	payload[4] = p.tl0
	payload[5] = 0x20 // temporal layer 0, layer sync
	frame := payload[descriptorBytes : descriptorBytes+keyHeaderBytes]
	clear(frame)
	if !p.first {
		return
	}
	frame[0] = 0x11 // an interframe that is shown
	if p.key {
		frame[0] = 0x10
		copy(frame[3:], []byte{0x9d, 0x01, 0x2a, byte(p.width), byte(p.width >> 8), byte(p.height), byte(p.height >> 8)})
	}
}

// vp8KeyframeStart reports whether a payload begins a keyframe.
func vp8KeyframeStart(payload []byte) bool {
	if len(payload) < 1 || payload[0]&0x17 != 0x10 { // S set, partition 0
		return false
	}
	n := 1
	if payload[0]&0x80 != 0 {
		if len(payload) < 2 {
			return false
		}
		x := payload[1]
		n++
		if x&0x80 != 0 {
			if len(payload) <= n {
				return false
			}
			n += 1 + int(payload[n]>>7)
		}
		if x&0x40 != 0 {
			n++
		}
		if x&0x30 != 0 {
			n++
		}
	}
	return len(payload) > n && payload[n]&1 == 0
}
