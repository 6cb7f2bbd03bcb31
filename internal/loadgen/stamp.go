package loadgen

import (
	"encoding/binary"
	"time"
)

// Every payload, sound included, ends with a stamp.
const (
	stampBytes = 16
	stampMagic = 0x70617243 // tells our packets from others'
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
