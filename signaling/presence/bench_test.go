//go:build unix

package presence_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parley/parley/internal/foreign"
	"github.com/parley/parley/signaling/presence"
)

// BenchmarkStreams tells what a stream costs the server: memory while it waits, and CPU (user and system) for each event
// that is written to it, one event at a time and in bursts of ten.
//
//	go test -run xxx -bench Streams -benchtime 200x ./signaling/presence
func BenchmarkStreams(b *testing.B) {
	for _, burst := range []int{1, 10} {
		b.Run(fmt.Sprintf("1000 watchers, bursts of %d", burst), func(b *testing.B) { benchmarkStreams(b, 1000, burst) })
	}
}

func benchmarkStreams(b *testing.B, watchers, burst int) {
	g := newRig(b, presence.Config{}, 0)
	room := g.rooms.Room("r")
	before := memory()
	cmd := foreign.Command(context.Background(), os.Args[0])
	cmd.Env = append(os.Environ(), crowdAddr+"="+strings.TrimPrefix(g.http.URL, "http://"), crowdSize+"="+strconv.Itoa(watchers))
	cmd.Stderr = os.Stderr
	hold, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		hold.Close()
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	}()
	waitFor(b, "the watchers", func() bool { return g.server.Stats().Snapshots == uint64(watchers) })
	kib := float64(memory()-before) / 1024 / float64(watchers)

	start, sent, present := g.server.Stats().Events, uint64(0), false
	cpu := cpuTime(b)
	for b.Loop() {
		for range burst {
			if present {
				room.Leave("ann")
			} else {
				room.Join("ann")
			}
			present = !present
			sent += uint64(watchers)
		}
		waitFor(b, "delivery", func() bool { return g.server.Stats().Events-start >= sent })
	}
	cpu = cpuTime(b) - cpu
	b.ReportMetric(float64(cpu.Nanoseconds())/float64(sent), "cpu-ns/event")
	b.ReportMetric(kib, "KiB/watcher")
	b.ReportMetric(0, "ns/op")
}

// memory is what the process holds for connections: heap in use and stacks, after a collection.
func memory() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
