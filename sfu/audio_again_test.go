package sfu

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// datagrams returns the RTP that has come, as it came.
func (v *socketViewer) datagrams(d time.Duration) (out [][]byte) {
	v.t.Helper()
	must(v.t, v.conn.SetReadDeadline(time.Now().Add(d)))
	for {
		b := make([]byte, 2000)
		n, err := v.conn.Read(b)
		if err != nil {
			return out
		}
		if isRTP(b[:n]) {
			out = append(out, b[:n])
		}
	}
}

// TestSoundIsSentTwice: where packets are lost and RED is not taken, each packet of sound comes twice, the same to the last bit;
// but not where nothing is lost, for longer than a while after, on a thin link, or of what is long.
func TestSoundIsSentTwice(t *testing.T) {
	t.Parallel()
	_, v := newViewedPlane(t)
	l := v.peer.slots[0].audio
	l.agreed.codecs = slices.DeleteFunc(slices.Clone(l.agreed.codecs), func(c Codec) bool { return c.MimeType == mimeRED })
	h := rtp.Header{Version: 2, PayloadType: 111, SSRC: l.ssrc, SequenceNumber: 100}
	send := func(n, size int) (all, twice int) {
		t.Helper()
		v.datagrams(20 * time.Millisecond)
		for range n {
			v.peer.loop.Lock()
			h.SequenceNumber++
			h.Timestamp += 960
			_, err := l.WriteRTP(&h, bytes.Repeat([]byte{byte(h.SequenceNumber)}, size))
			v.peer.loop.Unlock()
			must(t, err)
		}
		got := v.datagrams(50 * time.Millisecond)
		for i, b := range got {
			for _, o := range got[:i] {
				if bytes.Equal(b, o) {
					twice++
				} else if bytes.Equal(b[:12], o[:12]) {
					t.Errorf("two datagrams have one header: % x, % x", b, o)
				}
			}
		}
		return len(got), twice
	}
	expect := func(what string, n, size, want int) {
		t.Helper()
		if all, twice := send(n, size); all != n+want || twice != want {
			t.Errorf("%s: %d datagrams, %d of them twice, want %d", what, all, twice, want)
		}
	}
	lost := func(share float64) {
		v.peer.loop.Lock()
		l.lost(time.Now(), share)
		v.peer.loop.Unlock()
	}
	expect("nothing is lost", 5, 80, 0)
	lost(0.005)
	expect("hardly anything", 5, 80, 0)
	lost(0.1)
	expect("a tenth", 5, 80, 4)
	expect("long", 3, againMost, 0)
	v.estimate(5_000_000, 1)
	expect("a thin link", 3, 80, 0)
	v.estimate(5_000_000, 0)
	v.peer.loop.Lock()
	l.repeats, l.again.until = true, time.Now().Add(10*time.Second)
	v.peer.loop.Unlock()
	lost(0.004) // what is left
	expect("still", 3, 80, 2)
	if until := time.Until(l.again.until); until < redHold/2 {
		t.Errorf("for %v only", until)
	}
	v.peer.loop.Lock()
	l.repeats, l.again.until = true, time.Now().Add(-time.Second)
	v.peer.loop.Unlock()
	expect("later", 3, 80, 0)
	l.agreed.codecs = append(l.agreed.codecs, Codec{MimeType: mimeRED, PayloadType: 63})
	lost(0.1)
	expect("with RED", 3, 80, 0)
}
