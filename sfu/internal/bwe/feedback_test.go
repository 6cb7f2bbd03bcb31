package bwe

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
)

type status struct {
	Seq      uint16
	Arrival  int64 // µs, of those received
	Received bool
}

func read(t *testing.T, b []byte) []status {
	t.Helper()
	f, err := parseFeedback(b)
	if err != nil {
		t.Fatal(err)
	}
	var out []status
	for {
		seq, arrival, received, ok := f.next()
		if !ok {
			return out
		}
		if !received {
			arrival = 0
		}
		out = append(out, status{seq, arrival, received})
	}
}

// TestFeedbackOfAReceiver reads what a receiver's implementation of the format writes.
func TestFeedbackOfAReceiver(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rec := twcc.NewRecorder(5)
		want := map[uint16]int64{}
		seq, at := uint16(rng.Uint32()), int64(rng.Uint32N(1e6))
		for range 300 {
			seq++
			at += int64(rng.ExpFloat64() * 3_000)
			if rng.Uint32N(100) < 10 {
				continue
			}
			rec.Record(9, seq, at)
			want[seq] = at
		}
		got := map[uint16]int64{}
		for _, p := range rec.BuildFeedbackPacket() {
			b, err := p.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range read(t, b) {
				if s.Received {
					got[s.Seq] = s.Arrival
				}
			}
		}
		if len(got) != len(want) {
			t.Fatalf("seed %d: %d packets, want %d", seed, len(got), len(want))
		}
		for s, at := range want {
			if d := got[s] - at; d > deltaUnit || d < -deltaUnit {
				t.Fatalf("seed %d: packet %d arrived at %d, want %d", seed, s, got[s], at)
			}
		}
	}
}

func TestFeedbackChunks(t *testing.T) {
	t.Parallel()
	got := read(t, []byte{
		0xaf, 205, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2,
		0xff, 0xfe, 0, 12, // base 65534, 12 packets
		0, 0, 2, 7, // reference 128 ms
		0x20, 2, // a run of 2 with small deltas
		0x00, 1, // a run of 1 not received
		0b11_10_01_10, 0, // 7 of 2 bits: large, small, large, none, none, none, none
		0b10_10_0000, 0, // 14 of 1 bit, two of them ours: small, none
		4, 8, // 1 ms, 2 ms
		0xff, 0xfc, 4, 0x01, 0x00, // -1 ms, 1 ms, 64 ms
		4,          // 1 ms
		0, 0, 0, 4, // padding
	})
	want := []status{
		{65534, 129_000, true},
		{65535, 131_000, true},
		{0, 0, false},
		{1, 130_000, true},
		{2, 131_000, true},
		{3, 195_000, true},
		{4, 0, false},
		{5, 0, false},
		{6, 0, false},
		{7, 0, false},
		{8, 196_000, true},
		{9, 0, false},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestMalformedFeedback(t *testing.T) {
	t.Parallel()
	good, err := (&rtcp.TransportLayerCC{
		Header:             rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: 5},
		BaseSequenceNumber: 1, PacketStatusCount: 3,
		PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{
			Type: rtcp.TypeTCCRunLengthChunk, PacketStatusSymbol: rtcp.TypeTCCPacketReceivedSmallDelta, RunLength: 3,
		}},
		RecvDeltas: []*rtcp.RecvDelta{
			{Type: rtcp.TypeTCCPacketReceivedSmallDelta, Delta: 250},
			{Type: rtcp.TypeTCCPacketReceivedSmallDelta, Delta: 250},
			{Type: rtcp.TypeTCCPacketReceivedSmallDelta, Delta: 250},
		},
	}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint16(good[2:], uint16(len(good)/4-1))
	if _, err := parseFeedback(good); err != nil {
		t.Fatalf("good: %v", err)
	}
	for name, change := range map[string]func(b []byte) []byte{
		"cut":            func(b []byte) []byte { return b[:len(b)-4] },
		"empty":          func([]byte) []byte { return nil },
		"another type":   func(b []byte) []byte { b[1] = 206; return b },
		"another format": func(b []byte) []byte { b[0] = 0x81; return b },
		"version":        func(b []byte) []byte { b[0] = 0x4f; return b },
		"count":          func(b []byte) []byte { b[14], b[15] = 255, 255; return b },
		"reserved":       func(b []byte) []byte { b[20] |= 0x60; return b },
		"padding":        func(b []byte) []byte { b[0] |= 0x20; b[len(b)-1] = 200; return b },
		"length":         func(b []byte) []byte { b[3] = 2; return b },
		"deltas":         func(b []byte) []byte { b[21] = 100; b[15] = 100; return b },
	} {
		if _, err := parseFeedback(change(append([]byte(nil), good...))); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzFeedback(f *testing.F) {
	rec := twcc.NewRecorder(5)
	for i := range uint16(40) {
		if i%7 != 0 {
			rec.Record(9, i, int64(i)*int64(i)*500)
		}
	}
	for _, p := range rec.BuildFeedbackPacket() {
		if b, err := p.Marshal(); err == nil {
			f.Add(b)
		}
	}
	f.Add([]byte{0x8f, 205, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		fb, err := parseFeedback(b)
		if err != nil {
			return
		}
		n := 0
		for {
			if _, _, _, ok := fb.next(); !ok {
				break
			}
			n++
		}
		if n != fb.count {
			t.Fatalf("%d packets, message says %d", n, fb.count)
		}
		// An estimator that sent something must stand it, and stay within its bounds.
		e := New(Config{})
		now := start
		for seq := range uint16(300) {
			e.Sent(now, Packet{Seq: seq, Size: 1000})
			now = now.Add(1e6)
		}
		for range 3 {
			if err := e.TransportFeedback(now, b); err != nil {
				t.Fatal(err)
			}
			got := e.Update(now, Demand{Wanted: 1e9})
			if got.Target < e.cfg.Min || got.Target > e.cfg.Max || got.RTT < 0 || got.Queue < 0 || got.Loss < 0 || got.Loss > 1 {
				t.Fatalf("%+v", got)
			}
		}
	})
}
