package bwe

import (
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
)

// bottleneck lets packets through one after another.
type bottleneck struct {
	rate float64 // bit/s
	free time.Duration
	rec  *twcc.Recorder
}

func (b *bottleneck) send(at time.Duration, seq uint16, size int) {
	b.free = max(b.free, at) + time.Duration(float64(size)*8/b.rate*float64(time.Second))
	b.rec.Record(2, seq, (time.Hour + b.free).Microseconds())
}

// Less is sent than the link takes, and more is wanted than it does: its probes, which fail, lengthen its queue by as much as
// congestion would. Target must not go down for them.
func TestFailedProbesAreNoCongestion(t *testing.T) {
	t.Parallel()
	const capacity = 470_000
	e, link := New(Config{}), bottleneck{rate: capacity, rec: twcc.NewRecorder(1)}
	at, seq, est := time.Duration(0), uint16(0), Estimate{}
	send := func(size int, probe uint8) {
		e.Sent(start.Add(at), Packet{Seq: seq, Size: size, Probe: probe})
		link.send(at, seq, size)
		seq++
	}
	worst := int64(capacity)
	for ; at < 40*time.Second; at += 5 * time.Millisecond {
		if at%(20*time.Millisecond) == 0 {
			send(160, 0) // 64 kb/s of sound
		}
		if at%(35*time.Millisecond) == 0 {
			send(600, 0) // 274 kb/s of video
			send(600, 0)
		}
		if at%(100*time.Millisecond) == 0 {
			for _, p := range link.rec.BuildFeedbackPacket() {
				b, err := p.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				if err := e.TransportFeedback(start.Add(at), b); err != nil {
					t.Fatal(err)
				}
			}
		}
		est = e.Update(start.Add(at), Demand{Wanted: 2_400_000, Next: 2_000_000})
		if at > 5*time.Second {
			worst = min(worst, est.Target)
		}
		for n := 0; est.Probe.ID != 0 && n < max(est.Probe.Packets, est.Probe.Bytes/est.Probe.Size); n++ {
			send(est.Probe.Size, est.Probe.ID)
		}
	}
	if s := e.Stats(); s.Probes < 8 || s.Decreases > 2 || worst < 360_000 || est.Target > 1.1*capacity {
		t.Errorf("target %d, %d at the least; %+v", est.Target, worst, s)
	}
}
