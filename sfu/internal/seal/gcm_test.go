package seal

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// TestSealIsWhatPionOpens goes over two wraps, with packets out of order around each.
func TestSealIsWhatPionOpens(t *testing.T) {
	t.Parallel()
	key := Key{Key: []byte("0123456789abcdef"), Salt: []byte("salt of 12 b")}
	g, err := NewGCM(key)
	if err != nil {
		t.Fatal(err)
	}
	in, err := srtp.CreateContext(key.Key, key.Salt, srtp.ProtectionProfileAeadAes128Gcm, srtp.SRTPReplayProtection(64))
	if err != nil {
		t.Fatal(err)
	}
	var r Rollover
	payload := bytes.Repeat([]byte("payload "), 100)
	send := func(seq uint16) {
		t.Helper()
		raw, err := (&rtp.Header{Version: 2, SSRC: 77, SequenceNumber: seq, Timestamp: uint32(seq), PayloadType: 96}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		roc, ok := r.Next(seq)
		if !ok {
			t.Fatalf("no rollover counter for %d", seq)
		}
		sealed := g.Seal(append(make([]byte, 0, 1500), raw...), payload, 77, roc, seq)
		plain, err := in.DecryptRTP(nil, sealed, nil)
		if err != nil {
			t.Fatalf("packet %d, roc %d: %v", seq, roc, err)
		}
		if !bytes.Equal(plain[12:], payload) || len(sealed) != 12+len(payload)+TagLen {
			t.Fatal("another payload")
		}
	}
	for i := range 3 << 16 {
		seq := uint16(30000 + i)
		switch seq % 7 {
		case 0: // a pair swapped
			send(seq + 1)
			send(seq)
		case 1:
		default:
			send(seq)
		}
	}
}

func TestRolloverRefusesWhatWasBeforeTheFirst(t *testing.T) {
	t.Parallel()
	var r Rollover
	if roc, ok := r.Next(1); roc != 0 || !ok {
		t.Fatal(roc, ok)
	}
	if _, ok := r.Next(65535); ok {
		t.Error("a packet before the first got a counter: its nonce would be anybody's guess")
	}
}

// TestRolloverNeverRepeats compares with a list of all that was given, over wraps, jumps, late packets and repeats.
func TestRolloverNeverRepeats(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	var r Rollover
	given := make(map[uint64]bool)
	newest := uint64(65000)
	refused := 0
	for range 400_000 {
		n := newest
		switch rnd.IntN(10) {
		case 0:
			n -= uint64(rnd.IntN(2 * reach)) // late, or a repeat
		case 1:
			n += uint64(rnd.IntN(40)) // some are skipped
		case 2:
			if rnd.IntN(50) == 0 {
				n += uint64(rnd.IntN(30_000))
			}
		default:
			n++
		}
		roc, ok := r.Next(uint16(n))
		if !ok {
			if refused++; n > newest || !given[n] && newest-n < reach && n >= 65000 {
				t.Fatalf("%d was refused after %d", n, newest)
			}
			continue
		}
		if len(given) == 0 {
			newest = n
		}
		index := uint64(roc)<<16 | n&0xFFFF
		if given[index] || index != n {
			t.Fatalf("index %d for packet %d, newest %d, repeated %v", index, n, newest, given[index])
		}
		given[index] = true
		newest = max(newest, n)
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}

func TestSealAllocatesNothing(t *testing.T) {
	g, err := NewGCM(Key{Key: make([]byte, 16), Salt: make([]byte, 12)})
	if err != nil {
		t.Fatal(err)
	}
	dst, payload := make([]byte, 1500), make([]byte, 1200)
	seq := uint16(0)
	if n := testing.AllocsPerRun(1000, func() { seq++; g.Seal(dst[:12], payload, 1, 0, seq) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
