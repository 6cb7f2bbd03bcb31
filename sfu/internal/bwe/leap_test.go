package bwe

import (
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
)

// course sends 6 packets of 1200 bytes each 33 ms (1.7 Mb/s), which arrive after delay, which may be told the time since the start and
// says false for a packet that is lost.
func course(t *testing.T, e *SendSide, from, to time.Duration, delay func(at time.Duration, packet int) (time.Duration, bool)) {
	t.Helper()
	const frame, packets = 33 * time.Millisecond, 6
	type message struct {
		at time.Duration
		b  []byte
	}
	var pending []message
	for n := from / frame; n < to/frame; n++ {
		at := n * frame
		for len(pending) > 0 && pending[0].at <= at {
			now := start.Add(pending[0].at)
			if err := e.TransportFeedback(now, pending[0].b); err != nil {
				t.Fatal(err)
			}
			e.Update(now, Demand{})
			pending = pending[1:]
		}
		rec := twcc.NewRecorder(1)
		heard := at
		for i := range packets {
			seq := uint16(int(n)*packets + i)
			e.Sent(start.Add(at), Packet{Seq: seq, Size: 1200})
			if d, ok := delay(at, i); ok {
				heard = max(heard, at+d)
				rec.Record(2, seq, (time.Hour + at + d).Microseconds())
			}
		}
		for _, p := range rec.BuildFeedbackPacket() {
			b, err := p.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			pending = append(pending, message{heard, b})
		}
	}
}

func TestLongerWayIsNoQueue(t *testing.T) {
	t.Parallel()
	e := New(Config{Start: 3_000_000})
	const turn, end = 5 * time.Second, 8 * time.Second
	course(t, e, 0, end, func(at time.Duration, packet int) (time.Duration, bool) {
		d := 10*time.Millisecond + time.Duration(packet)*200*time.Microsecond // 48 Mb/s
		if at > turn {
			d += 100 * time.Millisecond
		}
		return d, true
	})
	if s := e.Stats(); s.Decreases != 0 || s.Leaps != 1 {
		t.Errorf("%d decreases, %d leaps", s.Decreases, s.Leaps)
	}
	if est := e.Update(start.Add(end), Demand{}); est.Queue > 5*time.Millisecond || est.Target < 1_900_000 {
		t.Errorf("%+v", est)
	}
}

func TestQueueThatLeapsIsAnswered(t *testing.T) {
	t.Parallel()
	e := New(Config{Start: 3_000_000})
	const turn, end = 5 * time.Second, 5500 * time.Millisecond
	busy := time.Duration(0)
	course(t, e, 0, end, func(at time.Duration, packet int) (time.Duration, bool) {
		if at < turn {
			return 10*time.Millisecond + time.Duration(packet)*200*time.Microsecond, true
		}
		if busy = max(busy, at); busy-at > 300*time.Millisecond {
			return 0, false
		}
		busy += 9600 * time.Microsecond * 2 // 500 kb/s
		return busy - at + 10*time.Millisecond, true
	})
	if est := e.Update(start.Add(end), Demand{}); e.Stats().Leaps != 0 || est.Target > 500_000 {
		t.Errorf("%+v, %+v", est, e.Stats())
	}
}

func TestLossOfThePathIsBorne(t *testing.T) {
	t.Parallel()
	e := New(Config{Start: 3_000_000})
	n := 0
	course(t, e, 0, 10*time.Second, func(at time.Duration, packet int) (time.Duration, bool) {
		n++
		return 10*time.Millisecond + time.Duration(packet)*200*time.Microsecond, at < 3*time.Second || n%10 != 0
	})
	if est := e.Update(start.Add(10*time.Second), Demand{}); est.Target < 1_900_000 || e.Stats().Decreases != 0 {
		t.Errorf("%+v, %+v", est, e.Stats())
	}
}
