//go:build unix

package ws

import (
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/parley/parley/signaling"
)

// BenchmarkJoinsToACrowd is 100 joins a second into a room of many, over real connections. It reports processor time for each join and
// participant, the clients' share included.
func BenchmarkJoinsToACrowd(b *testing.B) {
	for _, crowd := range []int{20, 200, 800} {
		b.Run(fmt.Sprint(crowd), func(b *testing.B) {
			s := newSite(b, func(c *signaling.Config) { c.Limits.Participants = 5000 })
			for range crowd {
				s.enter("crowd")
			}
			usage := func() time.Duration {
				var ru syscall.Rusage
				_ = syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
				return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
			}
			next := time.NewTicker(10 * time.Millisecond)
			defer next.Stop()
			before := usage()
			for b.Loop() {
				s.enter("crowd")
				<-next.C
			}
			<-time.After(200 * time.Millisecond) // what is still on its way
			b.ReportMetric(float64((usage()-before).Nanoseconds())/float64(b.N)/float64(crowd), "cpu-ns/participant")
		})
	}
}

// enter joins, and reads whatever comes from then on.
func (s *site) enter(room string) {
	w := s.open(room)
	w.join()
	if err := w.conn.SetDeadline(time.Time{}); err != nil {
		s.t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, w.r) }() // ends with the connection
}
