package sfu

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"
)

// microphone sends 20 ms packets with an RFC 6464 level.
type microphone struct {
	src *Source
	seq uint16
}

func newMicrophone() *microphone {
	return &microphone{src: NewSource(SourceConfig{
		Kind: Microphone, AudioLevelID: 1, Codecs: []Codec{{MimeType: "audio/opus", PayloadType: testOpus}},
	})}
}

func (m *microphone) send(now time.Time, level uint8) {
	m.seq++
	h := rtp.Header{
		Version: 2, PayloadType: testOpus, SequenceNumber: m.seq, Timestamp: uint32(now.Sub(epoch).Milliseconds()) * 48, SSRC: 3,
	}
	if err := h.SetExtension(1, []byte{0x80 | level}); err != nil {
		panic(err)
	}
	m.src.Receive(now, 0, marshal(h, []byte{byte(m.seq >> 8), byte(m.seq)}))
}

func TestSpeakers(t *testing.T) {
	t.Parallel()
	s, now := NewSpeakers(), epoch
	mics := map[string]*microphone{"ann": newMicrophone(), "bob": newMicrophone(), "eve": newMicrophone()}
	for id, m := range mics {
		s.Add(id, m.src)
	}
	speak := func(d time.Duration, levels map[string]uint8) (changes int, list []string) {
		for range d / (20 * time.Millisecond) {
			now = now.Add(20 * time.Millisecond)
			for id, level := range levels {
				mics[id].send(now, level)
			}
			if now.UnixMilli()%200 == 0 {
				var changed bool
				if list, changed = s.Update(now); changed {
					changes++
				}
			}
		}
		return changes, list
	}
	steps := []struct {
		what    string
		d       time.Duration
		levels  map[string]uint8
		want    []string
		changes int
	}{
		{"silence", time.Second, map[string]uint8{"ann": 127, "bob": 60, "eve": 50}, []string{}, 0},
		{"one speaks", time.Second, map[string]uint8{"ann": 20, "bob": 60, "eve": 50}, []string{"ann"}, 1},
		{"a cough", 60 * time.Millisecond, map[string]uint8{"ann": 20, "bob": 10, "eve": 50}, []string{"ann"}, 0},
		{"on", time.Second, map[string]uint8{"ann": 20, "bob": 60, "eve": 50}, []string{"ann"}, 0},
		{"a little louder", 2 * time.Second, map[string]uint8{"ann": 20, "bob": 18, "eve": 50}, []string{"ann", "bob"}, 1},
		{"louder, but no longer", 2 * time.Second, map[string]uint8{"ann": 20, "bob": 8, "eve": 50}, []string{"ann", "bob"}, 0},
		{"takes over", 2 * time.Second, map[string]uint8{"ann": 60, "bob": 20, "eve": 50}, []string{"bob"}, 2},
		{"packets end", 3 * time.Second, nil, []string{}, 1},
	}
	for _, st := range steps {
		changes, list := speak(st.d, st.levels)
		if st.d >= 200*time.Millisecond && !cmp.Equal(st.want, list) || changes > st.changes {
			t.Errorf("%s: %v after %d changes, want %v after %d", st.what, list, changes, st.want, st.changes)
		}
	}
	speak(time.Second, map[string]uint8{"eve": 5})
	s.Remove("eve")
	if list, changed := s.Update(now); !changed || len(list) != 0 {
		t.Errorf("removed: %v %v", list, changed)
	}
}

func TestMutedSourceIsSilent(t *testing.T) {
	t.Parallel()
	m, now := newMicrophone(), epoch
	for range 50 {
		now = now.Add(20 * time.Millisecond)
		m.send(now, 10)
	}
	if m.src.loudness(now) < 0.1 {
		t.Fatal("not heard")
	}
	m.src.SetMuted(true)
	if m.src.loudness(now) != 0 {
		t.Error("heard while muted")
	}
}

// An audio line that moves between talkers keeps its clock, and needs no keyframe.
func TestAudioLineMovesBetweenSources(t *testing.T) {
	t.Parallel()
	a, b, v, now := newMicrophone(), newMicrophone(), &viewer{}, epoch
	b.seq = 60000
	line := NewLine(LineConfig{SSRC: lineSSRC, Egress: v, Codecs: []Codec{{MimeType: "audio/opus", PayloadType: 99}}})
	for i := range 20 {
		src := []*Source{a.src, b.src}[i%2]
		k := src.Attach(now, line, 0, 0)
		for range 3 {
			now = now.Add(20 * time.Millisecond)
			a.send(now, 20)
			b.send(now.Add(time.Millisecond), 20)
		}
		k.Detach()
	}
	out := v.take()
	if len(out) != 60+19 { // three of each turn, and a silent one between turns
		t.Fatalf("%d packets", len(out))
	}
	for i := 3; i < len(out); i += 4 {
		if !bytes.Equal(out[i].Payload, opusSilence) || out[i].PayloadType != 99 {
			t.Errorf("packet %d: % x, type %d", i, out[i].Payload, out[i].PayloadType)
		}
	}
	for i := 1; i < len(out); i++ {
		if d := out[i].Timestamp - out[i-1].Timestamp; out[i].SequenceNumber != out[i-1].SequenceNumber+1 || d < 960 || d > 960+48*2 {
			t.Errorf("packet %d: timestamp %+d", i, d)
		}
	}
}
