//go:build linux

package sfu

import (
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/parley/parley/internal/batch"
	"github.com/parley/parley/sfu/internal/seal"
)

// nobody is an owner whose losses fail the benchmark.
type nobody struct{ lost int }

func (n *nobody) Dropped(k int) { n.lost += k }

// deafSocket listens on loopback, and its filter drops everything in the kernel.
func deafSocket(b *testing.B) *net.UDPConn {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(b, err)
	b.Cleanup(func() { must(b, c.Close()) })
	raw, err := c.SyscallConn()
	must(b, err)
	drop := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	must(b, raw.Control(func(fd uintptr) {
		must(b, unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop}))
	}))
	return c
}

// BenchmarkBound is what forwarding to 50 viewers cannot go below with this kernel and this cipher: a header, AES-GCM and GSO runs, and
// nothing else, in a tight loop. Run it pinned to the core of the server, beside parley bench --viewers 50 --burst 240 (docs/performance.md).
func BenchmarkBound(b *testing.B) {
	const viewers, size = 50, 1180
	for _, run := range []int{1, 3, 6, 12, 20, 50} {
		b.Run(fmt.Sprint("run=", run), func(b *testing.B) {
			udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			must(b, err)
			defer udp.Close()
			conn, err := batch.NewConn(udp, nil)
			must(b, err)
			if run > 1 && conn.Mode() != batch.Segments {
				b.Skip("no GSO here")
			}
			owner, payload, out := &nobody{}, make([]byte, size), conn.NewSender()
			var to []*batch.Dest
			var gcm []*seal.GCM
			for range viewers {
				to = append(to, conn.Dest(deafSocket(b).LocalAddr().(*net.UDPAddr).AddrPort()))
				g, err := seal.NewGCM(testKeys().Local)
				must(b, err)
				gcm = append(gcm, &g)
			}
			seq, before := uint16(0), cpuTime(b)
			for b.Loop() {
				for v := range viewers {
					for i := range uint16(run) {
						p := out.Next()[:12]
						p[0], p[1], p[2], p[3] = 0x80, 96, byte((seq+i)>>8), byte(seq+i)
						p = gcm[v].Seal(p, payload, 1, 0, seq+i)
						out.Commit(len(p), to[v], owner, false)
					}
				}
				out.Flush()
				seq += uint16(run)
			}
			took := cpuTime(b) - before
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N*viewers*run), "cpu-ns/packet")
			if owner.lost > 0 {
				b.Errorf("%d were not sent", owner.lost)
			}
		})
	}
}

func cpuTime(b *testing.B) time.Duration {
	var ru syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &ru))
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
