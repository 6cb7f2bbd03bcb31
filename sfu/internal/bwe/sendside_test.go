package bwe

import (
	"testing"
	"time"
	"unsafe"

	"github.com/pion/interceptor/pkg/twcc"
)

var start = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// report is the feedback about numbers from, and of count, all of which arrived ms apart after base.
func report(t testing.TB, from uint16, count int, base, each time.Duration) []byte {
	t.Helper()
	rec := twcc.NewRecorder(1)
	for i := range count {
		rec.Record(2, from+uint16(i), (base + time.Duration(i)*each).Microseconds())
	}
	pkts := rec.BuildFeedbackPacket()
	if len(pkts) != 1 {
		t.Fatalf("%d messages", len(pkts))
	}
	b, err := pkts[0].Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestForgedReportsMoveNothing(t *testing.T) {
	t.Parallel()
	e := New(Config{})
	for i := range uint16(50) {
		e.Sent(start.Add(time.Duration(i)*time.Millisecond), Packet{Seq: i, Size: 1200})
	}
	now := start.Add(time.Second)
	before := e.Update(now, Demand{Wanted: 1e7})
	for range 100 {
		if err := e.TransportFeedback(now, report(t, 1000, 100, time.Second, time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	after := e.Update(now, Demand{Wanted: 1e7})
	if after.Known || after.Target > before.Target || after.Acked != 0 {
		t.Errorf("moved: %+v to %+v", before, after)
	}
	if s := e.Stats(); s.Unknown != 10_000 || s.Acked != 0 {
		t.Errorf("stats %+v", s)
	}
	b := report(t, 0, 50, time.Second, time.Millisecond)
	for range 3 {
		if err := e.TransportFeedback(now, b); err != nil {
			t.Fatal(err)
		}
	}
	if s := e.Stats(); s.Acked != 50 || s.Repeated != 100 {
		t.Errorf("repeated reports: %+v", s)
	}
}

func TestLogFollowsJumpingNumbers(t *testing.T) {
	t.Parallel()
	var l sentLog
	at := int64(1e9)
	for _, seq := range []uint16{65530, 65531, 65534, 65535, 0, 3, 3, 2, 40000, 40001} {
		l.add(at, seq, 100, 0)
		at += 1000
		p, num := l.find(seq)
		if p == nil || uint16(num) != seq || p.state != inFlight {
			t.Fatalf("%d: %v %d", seq, p, num)
		}
	}
	for _, seq := range []uint16{65530, 39999, 40002, 0} {
		if p, _ := l.find(seq); p != nil {
			t.Errorf("%d is found", seq)
		}
	}
}

func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	var l sentLog
	for i := range 100_000 {
		l.add(int64(i)*10, uint16(i), 1000, 0)
	}
	if len(l.ring) != maxLog {
		t.Errorf("%d slots", len(l.ring))
	}
	if l.flight != maxLog*1000 {
		t.Errorf("%d bytes in flight", l.flight)
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	e := New(Config{})
	e.Sent(start, Packet{Size: 1200})
	if n := int(unsafe.Sizeof(*e)) + cap(e.log.ring)*int(unsafe.Sizeof(sent{})); n > 6<<10 {
		t.Errorf("an estimator takes %d bytes", n)
	} else {
		t.Logf("%d bytes", n)
	}
}

func TestPacketsDoNotAllocate(t *testing.T) {
	e := New(Config{})
	now, seq := start, uint16(0)
	fb := make([][]byte, 60)
	for i := range fb {
		fb[i] = report(t, uint16(i*10), 10, time.Duration(i)*40*time.Millisecond, 4*time.Millisecond)
	}
	i := 0
	if n := testing.AllocsPerRun(50, func() {
		for range 10 {
			e.Sent(now, Packet{Seq: seq, Size: 1200})
			seq++
			now = now.Add(4 * time.Millisecond)
		}
		if err := e.TransportFeedback(now, fb[i]); err != nil {
			t.Fatal(err)
		}
		i++
		e.Update(now, Demand{Wanted: 5e6})
	}); n > 1 { // the log's first slots
		t.Errorf("%v allocations for 10 packets and a message", n)
	}
}

func BenchmarkPacket(b *testing.B) {
	e := New(Config{})
	const n = 32
	var fb [65536 / n][]byte
	for i := range fb {
		fb[i] = report(b, uint16(i*n), n, time.Duration(i)*128*time.Millisecond, 4*time.Millisecond)
	}
	now := start
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		e.Sent(now, Packet{Seq: uint16(i), Size: 1200})
		now = now.Add(4 * time.Millisecond)
		if i%n == n-1 {
			if err := e.TransportFeedback(now, fb[uint16(i)/n]); err != nil {
				b.Fatal(err)
			}
			e.Update(now, Demand{Wanted: 5e6})
		}
	}
}
