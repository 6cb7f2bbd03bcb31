package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/parley/parley/internal/loadgen/stock"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "stock:", err)
		os.Exit(1)
	}
}

func run(args []string, stderr io.Writer) error {
	f := flag.NewFlagSet("stock", flag.ContinueOnError)
	listen := f.String("listen", "127.0.0.1:8080", "Address of signaling, TCP.")
	udp := f.String("udp", "127.0.0.1:7880", "Address of media.")
	admin := f.String("admin", "127.0.0.1:8081", "Address of /metrics, /readyz and /debug/pprof.")
	if err := f.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	signaling, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	media, err := net.ListenPacket("udp", *udp)
	if err != nil {
		return errors.Join(err, signaling.Close())
	}
	server, err := stock.New(signaling, media, log)
	if err != nil {
		return errors.Join(err, signaling.Close(), media.Close())
	}
	pages := &http.Server{Addr: *admin, Handler: routes(server), ReadHeaderTimeout: 5 * time.Second}
	var tasks sync.WaitGroup
	var failed error
	tasks.Go(func() {
		if err := pages.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			failed = err
			stop()
		}
	})
	<-ctx.Done()
	err = errors.Join(pages.Close(), server.Close())
	tasks.Wait()
	return errors.Join(err, failed)
}

func routes(s *stock.Server) http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	m.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) { writeMetrics(w, s.Stats()) })
	m.HandleFunc("GET /debug/pprof/", pprof.Index)
	m.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	return m
}

// writeMetrics writes what package loadgen reads of a server.
func writeMetrics(w io.Writer, s stock.Stats) {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	for _, m := range []struct {
		name  string
		value float64
	}{
		{"process_cpu_seconds_total", cpuSeconds()},
		{"process_resident_memory_bytes", residentBytes()},
		{"go_memstats_heap_inuse_bytes", float64(mem.HeapInuse)},
		{"go_memstats_stack_inuse_bytes", float64(mem.StackInuse)},
		{"go_goroutines", float64(runtime.NumGoroutine())},
		{"parley_media_received_packets_total", float64(s.PacketsIn)},
		{"parley_media_sent_packets_total", float64(s.PacketsOut)},
		{"parley_media_sent_bytes_total", float64(s.BytesOut)},
	} {
		fmt.Fprintf(w, "%s %s\n", m.name, strconv.FormatFloat(m.value, 'g', -1, 64))
	}
}

// cpuSeconds is the CPU time of this process (proc(5), /proc/self/stat), to 10 ms; 0 where there is none to read.
func cpuSeconds() float64 {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(fields[11], 64) // the kernel writes numbers
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}

// residentBytes is this process' resident memory; 0 where there is no /proc.
func residentBytes() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize())
}
