package red

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// RFC 2198, section 7: a primary of DVI (PT 5) with one redundant block of LPC (PT 7), here of 3 bytes and 640 ticks before.
func TestParse(t *testing.T) {
	t.Parallel()
	var into [MaxBlocks]Block
	payload := []byte{0x80 | 7, 640 >> 6, 640<<2&0xff | 3>>8, 3, 5, 'l', 'p', 'c', 'd', 'v', 'i', '!'}
	got, err := Parse(payload, &into)
	want := []Block{{7, 640, []byte("lpc")}, {5, 0, []byte("dvi!")}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
	if got, err := Parse([]byte{111, 1, 2}, &into); err != nil || len(got) != 1 || !bytes.Equal(got[0].Payload, []byte{1, 2}) {
		t.Errorf("primary alone: %v %v", got, err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte{0x80 | 111, 1, 0, 0}, MaxBlocks)
	for _, c := range []struct {
		name    string
		payload []byte
		want    error
	}{
		{"nothing", nil, ErrShort},
		{"half a header", []byte{0x80 | 111, 1, 2}, ErrShort},
		{"no primary", []byte{0x80 | 111, 1, 0, 0}, ErrShort},
		{"a block that is not there", []byte{0x80 | 111, 1, 0, 5, 111, 1, 2, 3, 4}, ErrShort},
		{"more blocks than anybody sends", append(long, 111), ErrBlocks},
	} {
		var into [MaxBlocks]Block
		if got, err := Parse(c.payload, &into); !errors.Is(err, c.want) {
			t.Errorf("%s: %v %v", c.name, got, err)
		}
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	var into [MaxBlocks]Block
	redundant := []Block{
		{Offset: maxOffset + 1, Payload: []byte("too old")},
		{Offset: 1920, Payload: []byte("one")},
		{Offset: 1440},
		{Offset: 1200, Payload: make([]byte, maxLength+1)},
		{Offset: 960, Payload: bytes.Repeat([]byte{9}, maxLength)},
	}
	payload := Append([]byte("kept"), 111, redundant, []byte("primary"))
	got, err := Parse(payload[4:], &into)
	want := []Block{{111, 1920, []byte("one")}, {111, 960, redundant[4].Payload}, {111, 0, []byte("primary")}}
	if d := cmp.Diff(want, got); d != "" || err != nil || string(payload[:4]) != "kept" {
		t.Errorf("%v %s", err, d)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{0x80 | 7, 10, 0, 3, 5, 'l', 'p', 'c', 'd', 'v', 'i'})
	f.Add([]byte{111})
	f.Fuzz(func(t *testing.T, payload []byte) {
		var into, again [MaxBlocks]Block
		blocks, err := Parse(payload, &into)
		if err != nil {
			return
		}
		n := len(blocks)
		for _, b := range blocks[:n-1] {
			if !fits(b) || b.PayloadType != blocks[n-1].PayloadType {
				return // Append would leave it out
			}
		}
		back, err := Parse(Append(nil, blocks[n-1].PayloadType, blocks[:n-1], blocks[n-1].Payload), &again)
		if d := cmp.Diff(blocks, back); d != "" || err != nil {
			t.Errorf("%v %s", err, d)
		}
	})
}
