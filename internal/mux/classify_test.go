package mux

import (
	"encoding/binary"
	"testing"
)

// stunPacket builds a STUN message of the given type with raw attributes (padded by the caller).
func stunPacket(kind uint16, attrs ...byte) []byte {
	b := make([]byte, stunHeader, stunHeader+len(attrs))
	binary.BigEndian.PutUint16(b, kind)
	binary.BigEndian.PutUint16(b[2:], uint16(len(attrs)))
	binary.BigEndian.PutUint32(b[4:], stunCookie)
	copy(b[8:], "transaction!")
	return append(b, attrs...)
}

var (
	software = []byte{0x80, 0x22, 0, 3, 'a', 'b', 'c', 0}
	username = []byte{0x00, 0x06, 0, 3, 'a', ':', 'b', 0}
)

func cat(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func TestClassify(t *testing.T) {
	t.Parallel()
	withSize := func(b []byte, size uint16) []byte {
		binary.BigEndian.PutUint16(b[2:], size)
		return b
	}
	tests := []struct {
		name string
		in   []byte
		want class
	}{
		{"nothing", nil, dropEmpty},
		{"binding request", stunPacket(0x0001), turnSTUN},
		{"binding request with software", stunPacket(0x0001, software...), turnSTUN},
		{"ICE check", stunPacket(0x0001, username...), iceSTUN},
		{"ICE check, username last", stunPacket(0x0001, cat(software, username)...), iceSTUN},
		{"binding success", stunPacket(0x0101), iceSTUN},
		{"binding error", stunPacket(0x0111), iceSTUN},
		{"binding indication", stunPacket(0x0011), iceSTUN},
		{"allocate", stunPacket(0x0003), turnSTUN},
		{"allocate with username", stunPacket(0x0003, username...), turnSTUN},
		{"refresh", stunPacket(0x0004), turnSTUN},
		{"create permission", stunPacket(0x0008), turnSTUN},
		{"channel bind", stunPacket(0x0009), turnSTUN},
		{"send indication", stunPacket(0x0016), turnSTUN},
		{"send request", stunPacket(0x0006), dropSTUNMethod},
		{"data indication to a server", stunPacket(0x0017), dropSTUNMethod},
		{"allocate success to a server", stunPacket(0x0103), dropSTUNMethod},
		{"refresh indication", stunPacket(0x0014), dropSTUNMethod},
		{"connect (RFC 6062)", stunPacket(0x000A), dropSTUNMethod},
		{"method 0x081, whose low bits are those of binding", stunPacket(0x0201), dropSTUNMethod},
		{"no cookie (RFC 3489)", append([]byte{0, 1, 0, 0}, make([]byte, 16)...), dropBadSTUN},
		{"short STUN", stunPacket(0x0001)[:19], dropBadSTUN},
		{"STUN longer than the datagram", withSize(stunPacket(0x0001), 4), dropBadSTUN},
		{"STUN shorter than the datagram", append(stunPacket(0x0001), 0, 0, 0, 0), dropBadSTUN},
		{"STUN length not a multiple of 4", stunPacket(0x0001, 1, 2), dropBadSTUN},
		{"request for TURN, length not a multiple of 4", stunPacket(0x0003, 1, 2), dropBadSTUN},
		{"attribute over the end", stunPacket(0x0001, 0x80, 0x22, 0, 9, 'a', 'b', 'c', 0), dropBadSTUN},
		{"DTLS client hello", []byte{22, 254, 253, 0}, dtls},
		{"lowest DTLS", []byte{20}, dtls},
		{"highest DTLS", []byte{63}, dtls},
		{"ZRTP", []byte{16, 0, 0, 0}, dropUnknown},
		{"TURN's reserved 4 to 19", []byte{4, 0, 0, 0}, dropUnknown},
		{"channel data", []byte{0x40, 0, 0, 1, 'x'}, turnChannel},
		{"channel data, padded", []byte{0x4F, 0xFF, 0, 1, 'x', 0, 0, 0}, turnChannel},
		{"channel of RFC 5766", []byte{0x7F, 0xFE, 0, 0}, turnChannel},
		{"channel data too long", []byte{0x40, 0, 0, 2, 'x'}, dropBadChannel},
		{"channel header cut", []byte{0x40, 0, 0}, dropBadChannel},
		{"RTP", []byte{0x80, 96}, rtp},
		{"RTCP", []byte{0x81, 200}, rtp},
		{"highest RTP", []byte{191}, rtp},
		{"QUIC long header", []byte{0xC3, 0, 0, 1}, dropUnknown},
	}
	for _, tt := range tests {
		if got := classify(tt.in); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestClassifyAllocatesNothing(t *testing.T) {
	check := stunPacket(0x0001, cat(software, username)...)
	if n := testing.AllocsPerRun(100, func() { classify(check) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzClassify(f *testing.F) {
	f.Add([]byte{})
	f.Add(stunPacket(0x0001, cat(software, username)...))
	f.Add(stunPacket(0x0003))
	f.Add([]byte{0x40, 0, 0, 1, 'x'})
	f.Add([]byte{0x80, 96, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := classify(b)
		if c >= numClasses {
			t.Fatalf("no such class: %d", c)
		}
		if (c == iceSTUN || c == turnSTUN) && (len(b) < stunHeader || binary.BigEndian.Uint32(b[4:]) != stunCookie) {
			t.Fatalf("%v without a cookie", c)
		}
		if c == turnChannel && len(b) < 4 {
			t.Fatal("channel data without a header")
		}
	})
}

func TestClassifyStream(t *testing.T) {
	t.Parallel()
	check := stunPacket(0x0001, username...)
	framed := cat([]byte{0, byte(len(check))}, check)
	tests := []struct {
		name string
		in   []byte
		want streamKind
	}{
		{"ICE-TCP", framed, iceStream},
		{"allocate", stunPacket(0x0003), turnStream},
		{"binding", stunPacket(0x0001), turnStream},
		{"TLS", []byte{22, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3}, unknownStream},
		{"HTTP", []byte("GET / HTTP"), unknownStream},
		{"SSH", []byte("SSH-2.0-Op"), unknownStream},
		{"a frame too short for STUN", []byte{0, 19, 0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42}, unknownStream},
		{"a frame of RTP", []byte{0, 40, 128, 96, 0, 1, 0, 0, 0, 0}, unknownStream},
		{"zeroes", make([]byte, 10), unknownStream},
		{"channel data first", []byte{0x40, 0, 0, 8, 1, 2, 3, 4, 5, 6}, unknownStream},
	}
	for _, tt := range tests {
		if got := classifyStream(tt.in); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	for n := range 8 {
		if got := classifyStream(stunPacket(0x0003)[:n]); got != undecided {
			t.Errorf("TURN after %d bytes: %v", n, got)
		}
	}
	for n := range 10 {
		if got := classifyStream(framed[:n]); got != undecided {
			t.Errorf("ICE-TCP after %d bytes: %v", n, got)
		}
	}
}

// FuzzClassifyStream holds what peek relies on: a verdict after streamPeek bytes at the latest, and never a different one
// with more bytes.
func FuzzClassifyStream(f *testing.F) {
	f.Add(stunPacket(0x0003))
	f.Add(cat([]byte{0, 20}, stunPacket(0x0001)))
	f.Add([]byte("GET / HTTP/1.1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= streamPeek && classifyStream(b) == undecided {
			t.Fatalf("undecided after %d bytes", len(b))
		}
		verdict := undecided
		for n := range len(b) + 1 {
			got := classifyStream(b[:n])
			if verdict != undecided && got != verdict {
				t.Fatalf("%v after %d bytes, %v before", got, n, verdict)
			}
			verdict = got
		}
	})
}
