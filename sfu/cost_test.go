//go:build linux

package sfu

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/parley/parley/internal/foreign"
	"github.com/parley/parley/internal/mux"
)

// The cost of forwarding, in two processes on one core each: this one has the clients, the other the node. Viewers drop RTP in
// the kernel (a socket filter), so that they cost next to nothing. go test ./sfu -run TestCost -v -args -cost

var (
	costFlag    = flag.Bool("cost", false, "run TestCost")
	costServer  = flag.String("cost.server", "", "internal: serve stdin with this plane")
	costRooms   = flag.Int("cost.rooms", 1, "rooms")
	costViewers = flag.String("cost.viewers", "1,10,50", "viewers of a room, a list")
	costPlanes  = flag.String("cost.planes", "pion,batched", "planes to measure, a list")
	costSeconds = flag.Int("cost.seconds", 4, "seconds of one measurement")
	costBurst   = flag.Int("cost.burst", 6, "packets of a video frame")
	costFPS     = flag.Int("cost.fps", 30, "frames a second")
	costData    = flag.Bool("cost.data", true, "clients have data channels")
	costProfile = flag.String("cost.profile", "", "file for the node's CPU profile, the plane's name is appended")
)

type costRequest struct {
	Offer  *Offer
	Room   int
	Show   bool // the peer is a viewer
	Stats  bool
	Memory bool // collect garbage first
}

type costReply struct {
	Answer     string
	CPU        time.Duration // user and sys since the start
	RSS        int           // KiB
	Goroutines int
	Heap       uint64
	Stacks     uint64
	Allocated  uint64 // bytes since the start
	Objects    uint64 // allocated since the start
	Stats      Stats
	Error      string
}

// servedCost is the other process's main function. It returns false in a process that is none.
func servedCost() bool {
	if *costServer == "" {
		return false
	}
	if err := serveCost(Plane(*costServer), *costProfile); err != nil {
		panic(err)
	}
	return true
}

func serveCost(plane Plane, profile string) error {
	if profile != "" {
		runtime.MemProfileRate = 4096
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	shared, err := mux.ListenUDP("127.0.0.1:0", 1)
	if err != nil {
		return err
	}
	n, err := New(Config{Conn: shared.Media(), Lite: true, Plane: plane, Log: log})
	if err != nil {
		return err
	}
	sources := map[int][]*Source{}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	if profile != "" {
		f, err := os.Create(profile + "." + string(plane))
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	for {
		var q costRequest
		if err := in.Decode(&q); err != nil {
			return nil
		}
		var r costReply
		if q.Offer != nil {
			r.Answer, err = answerCost(n, &q, sources)
			if err != nil {
				r.Error = err.Error()
			}
		}
		if q.Stats {
			measureSelf(&r, q.Memory)
			r.Stats = n.Stats()
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
}

func answerCost(n *Node, q *costRequest, sources map[int][]*Source) (string, error) {
	p, err := n.NewPeer("p", fmt.Sprint(q.Room), &events{})
	if err != nil {
		return "", err
	}
	answer, err := p.Negotiate(p.ctx, *q.Offer)
	if err != nil {
		return "", err
	}
	if q.Show {
		s := sources[q.Room]
		return answer, p.Show([]SlotView{{Audio: s[0], Video: s[1], Width: 640, Height: 360}})
	}
	for _, k := range []Kind{Microphone, Camera} {
		s, err := p.Publish(k, false)
		if err != nil {
			return "", err
		}
		sources[q.Room] = append(sources[q.Room], s)
	}
	return answer, nil
}

func measureSelf(r *costReply, memory bool) {
	var ru syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
	r.CPU = time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	if memory {
		runtime.GC()
		debug.FreeOSMemory()
		if *costProfile != "" {
			f, err := os.Create(*costProfile + ".heap")
			if err == nil {
				_ = pprof.Lookup("heap").WriteTo(f, 0)
				_ = f.Close()
			}
		}
	}
	r.Goroutines = runtime.NumGoroutine()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.Heap, r.Stacks, r.Allocated, r.Objects = m.HeapInuse, m.StackInuse, m.TotalAlloc, m.Mallocs
	status, _ := os.ReadFile("/proc/self/status")
	for l := range strings.SplitSeq(string(status), "\n") {
		if after, ok := strings.CutPrefix(l, "VmRSS:"); ok {
			_, _ = fmt.Sscan(after, &r.RSS)
		}
	}
}

// remoteNode is the other process, from here.
type remoteNode struct {
	t   *testing.T
	in  io.WriteCloser
	out *json.Decoder
	cmd *exec.Cmd
}

func startCost(t *testing.T, plane Plane) *remoteNode {
	self, err := os.Executable()
	must(t, err)
	args := []string{"-c", "0", self, "-cost.server=" + string(plane), "-cost.profile=" + *costProfile}
	cmd := foreign.Command(context.Background(), "taskset", args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	return &remoteNode{t: t, in: in, out: json.NewDecoder(bufio.NewReader(out)), cmd: cmd}
}

func (r *remoteNode) do(q costRequest) costReply {
	r.t.Helper()
	must(r.t, json.NewEncoder(r.in).Encode(q))
	var a costReply
	must(r.t, r.out.Decode(&a))
	if a.Error != "" {
		r.t.Fatal(a.Error)
	}
	return a
}

func (r *remoteNode) close() {
	must(r.t, r.in.Close())
	_ = r.cmd.Wait()
}

func TestCost(t *testing.T) {
	if !*costFlag {
		t.Skip("only with -args -cost")
	}
	for v := range strings.SplitSeq(*costViewers, ",") {
		var viewers int
		_, err := fmt.Sscan(v, &viewers)
		must(t, err)
		per := map[Plane]float64{}
		for name := range strings.SplitSeq(*costPlanes, ",") {
			plane := Plane(name)
			per[plane] = measureCost(t, plane, viewers)
		}
		t.Logf("1 to %d: batched/pion %.2f", viewers, per[PlaneBatched]/per[PlanePion])
	}
}

// measureCost returns microseconds of CPU per forwarded packet.
func measureCost(t *testing.T, plane Plane, viewers int) float64 {
	r := startCost(t, plane)
	defer r.close()
	var pubs []*costClient
	var wg sync.WaitGroup
	stop := make(chan struct{})
	var one costReply
	for room := range *costRooms {
		p := newCostClient(t, r, room, false)
		pubs = append(pubs, p)
		wg.Go(func() { p.publish(stop) })
		<-time.After(50 * time.Millisecond)
		for i := range viewers {
			v := newCostClient(t, r, room, true)
			pubs = append(pubs, v)
			if i == 0 {
				<-time.After(time.Second)
				one = r.do(costRequest{Stats: true, Memory: true})
			}
		}
	}
	<-time.After(time.Second)
	a := r.do(costRequest{Stats: true})
	<-time.After(time.Duration(*costSeconds) * time.Second)
	b := r.do(costRequest{Stats: true})
	held := r.do(costRequest{Stats: true, Memory: true})
	close(stop)
	wg.Wait()
	for _, p := range pubs {
		p.close()
	}
	packets := b.Stats.PacketsOut - a.Stats.PacketsOut
	us := float64((b.CPU - a.CPU).Nanoseconds()) / 1000 / float64(packets)
	s, s0 := b.Stats.Socket, a.Stats.Socket
	t.Logf("%-8s %d rooms 1 to %d: %.2f µs/packet, %d packets/s, core %.0f %%, %d messages %d calls, %.1f packets/read; "+
		"%d KiB/viewer RSS (heap %d, stacks %d), %d goroutines (%.1f a viewer), dropped %v",
		plane, *costRooms, viewers, us, packets/uint64(*costSeconds),
		100*float64((b.CPU-a.CPU))/float64(time.Duration(*costSeconds)*time.Second),
		s.Messages-s0.Messages, s.SendCalls-s0.SendCalls, float64(s.ReadPackets-s0.ReadPackets)/float64(max(s.ReadCalls-s0.ReadCalls, 1)),
		(held.RSS-one.RSS)/max(viewers-1, 1), (int(held.Heap)-int(one.Heap))>>10/max(viewers-1, 1),
		(int(held.Stacks)-int(one.Stacks))>>10/max(viewers-1, 1),
		b.Goroutines, float64(b.Goroutines-one.Goroutines)/float64(max(viewers-1, 1)), b.Stats.Dropped)
	if packets == 0 {
		t.Fatal("nothing was forwarded")
	}
	return us
}
