package loadgen

// instruction is one of a classic BPF program (Linux, Documentation/networking/filter.rst).
type instruction struct {
	op     uint16
	jt, jf uint8
	k      uint32
}

// The operations that the filter uses.
const (
	bpfLoadByte = 0x30 // ldb [k]
	bpfLoadHalf = 0x28 // ldh [k]
	bpfAnd      = 0x54
	bpfMod      = 0x94
	bpfEqual    = 0x15 // jeq
	bpfAtLeast  = 0x35 // jge
	bpfReturn   = 0x06
)

// samplingFilter lets everything through but RTP; and of RTP every packet whose sequence number is a multiple of every. The
// program sees the datagram from its UDP header on. RTCP is told from RTP by its type, 192 to 223 (RFC 5761, section 4).
func samplingFilter(every uint16) []instruction {
	const udp, all = 8, 0xffff
	return []instruction{
		{op: bpfLoadByte, k: udp},
		{op: bpfAnd, k: 0xc0},
		{op: bpfEqual, k: 0x80, jf: 6}, // not RTP or RTCP: keep
		{op: bpfLoadByte, k: udp + 1},
		{op: bpfAtLeast, k: 192, jf: 1},
		{op: bpfAtLeast, k: 224, jf: 3}, // RTCP: keep
		{op: bpfLoadHalf, k: udp + 2},
		{op: bpfMod, k: uint32(every)},
		{op: bpfEqual, k: 0, jf: 1},
		{op: bpfReturn, k: all}, // keep
		{op: bpfReturn, k: 0},   // drop
	}
}
