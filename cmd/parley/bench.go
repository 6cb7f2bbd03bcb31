package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/parley/parley/internal/loadgen"
	"github.com/parley/parley/signaling/token"
	"github.com/parley/parley/signaling/ws"
)

// benchFlags are what parley bench is told.
type benchFlags struct {
	cfg           loadgen.Config
	search        loadgen.Capacity
	url, admin    string
	token         string
	tile          string
	pid           int
	growing, mute bool
	twcc          bool
}

func (b *benchFlags) declare(f *flagSet) {
	c := &b.cfg
	f.StringVar(&b.url, "url", "http://127.0.0.1:8080", "Where the server is, as https://meet.example.org.")
	f.StringVar(&b.admin, "admin", "http://127.0.0.1:8081", "Its admin address, for CPU and memory; off: do not ask.")
	f.IntVar(&b.pid, "pid", 0, "Process id of a server on this machine: CPU time to the nanosecond instead of to 10 ms, and who else used the CPU.")
	f.StringVar(&b.token, "token", "", "Access token for all rooms (parley token --room '*'). With --secret they are made here.")
	f.IntVar(&c.Rooms, "rooms", 1, "Rooms.")
	f.IntVar(&c.Publishers, "publishers", 1, "Participants of a room who send sound and picture.")
	f.IntVar(&c.Viewers, "viewers", 10, "Participants of a room who only watch, up to 25 publishers.")
	f.IntVar(&c.Early, "early", 0, "Viewers of a room who join before those whose joins are timed.")
	f.BoolVar(&c.Meeting, "meeting", false, "Publishers watch each other.")
	f.DurationVar(&c.Duration, "seconds", 10*time.Second, "How long to measure; a bare number is seconds.")
	f.DurationVar(&c.Ramp, "ramp", 2*time.Second, "Time over which the viewers join; 0: all at once.")
	f.DurationVar(&c.Settle, "settle", time.Second, "Between the last join and the measurement.")
	f.DurationVar(&c.Apart, "apart", 0, "Let the viewers join one after the other, this long apart, instead of over a time; 0: not.")
	f.StringVar(&c.Codec, "codec", "vp8", "Codec of the pictures: "+strings.Join(loadgen.CodecNames(), ", ")+".")
	f.BoolVar(&c.Simulcast, "simulcast", false, "Send three layers, of VP8 and VP9 each with three temporal ones.")
	f.StringVar(&b.tile, "tile", "1280x720", "Size at which viewers show a picture; it chooses the layer.")
	f.IntVar(&c.PacketBytes, "packet-bytes", 1200, "Bytes of a video packet, RTP header included.")
	f.IntVar(&c.Burst, "burst", 6, "Packets of a picture: 30 times a second.")
	f.BoolVar(&b.twcc, "twcc", true, "Full receivers send transport-wide feedback as browsers do; --twcc=false: nobody does.")
	f.DurationVar(&c.Every, "every", 0, "Also report each interval of this length, and whether all counters add up; 0: not.")
	f.BoolVar(&c.Data, "data", false, "Open data channels, as the web app does.")
	f.IntVar(&c.Full, "full", 1, "Receivers in all that take and decrypt every packet; -1: all.")
	f.IntVar(&c.Sample, "sample", 0, "The others take every SAMPLEth packet, and the kernel counts the rest; 0: about 4000 a second in all; 1: all.")
	f.StringVar(&c.Prefix, "prefix", "load-", "What room names begin with.")
	f.BoolVar(&b.growing, "capacity", false, "Raise the viewers, from --viewers on, until latency or loss is out of bounds.")
	f.Float64Var(&b.search.Growth, "growth", 1.25, "With --capacity: factor from step to step.")
	f.DurationVar(&b.search.P99, "p99", 50*time.Millisecond, "With --capacity: the latency that ends it.")
	f.Float64Var(&b.search.Loss, "loss", 0.5, "With --capacity: the loss, in percent, that ends it.")
	f.IntVar(&b.search.Most, "most", 3000, "With --capacity: viewers a room that end it.")
	f.BoolVar(&b.mute, "quiet", false, "No table while it runs.")
	f.own = []string{
		"url", "token", "rooms", "publishers", "viewers", "early", "meeting", "seconds", "ramp", "apart", "settle", "codec", "simulcast",
		"tile", "packet-bytes", "burst", "twcc", "every", "data", "full", "sample", "prefix", "capacity", "growth", "p99", "loss", "most", "quiet",
		"admin", "pid",
	}
}

// runBench puts load on a server.
func runBench(ctx context.Context, c console, args []string) error {
	flags := newFlagSet("bench", "parley bench [flags]",
		"Puts load on a running server and measures what it does: packets, loss, latency, joins, CPU and memory. A table of\n"+
			"how it goes is on standard error, the report (JSON) on standard output.")
	var b benchFlags
	b.declare(flags)
	flags.config(func(f field) bool { return f.key == "secret" || f.key == "secret_file" })
	if err := flags.parse(bareSeconds(args), c.stdout); err != nil {
		return err
	}
	l, err := load(c.environ, flags.file, flags.settings)
	if err != nil {
		return err
	}
	if err := b.resolve(l, c.stderr); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	report, err := loadgen.Run(ctx, b.cfg)
	if err != nil {
		return err
	}
	out := json.NewEncoder(c.stdout)
	out.SetIndent("", "  ")
	return out.Encode(report)
}

// bareSeconds lets --seconds 10 stand for --seconds 10s.
func bareSeconds(args []string) []string {
	out := append([]string(nil), args...)
	for i, a := range out {
		name, value, joined := strings.Cut(strings.TrimPrefix(a, "-"), "=")
		if name != "-seconds" && name != "seconds" || !strings.HasPrefix(a, "-") {
			continue
		}
		if !joined && i+1 < len(out) {
			value = out[i+1]
		}
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			continue
		}
		if joined {
			out[i] = "--seconds=" + value + "s"
		} else {
			out[i+1] = value + "s"
		}
	}
	return out
}

// resolve turns the flags into a configuration.
func (b *benchFlags) resolve(l *loaded, stderr io.Writer) error {
	b.cfg.NoFeedback = !b.twcc
	if _, err := fmt.Sscanf(b.tile, "%dx%d", &b.cfg.TileWidth, &b.cfg.TileHeight); err != nil {
		return usagef("--tile: %q is not like 1280x720", b.tile)
	}
	if err := b.target(); err != nil {
		return err
	}
	b.cfg.Token = b.tokens(l)
	if b.admin != off {
		b.cfg.Server = b.ask
	}
	if b.growing {
		b.cfg.Capacity = &b.search
	}
	if !b.mute {
		b.cfg.Live = liveTable(stderr)
	}
	if err := b.cfg.Validate(); err != nil {
		return usageError{errors.New(strings.TrimPrefix(err.Error(), "loadgen: "))}
	}
	return nil
}

// target resolves --url. tcp:// is the comparator of make bench (internal/loadgen/cmd/stock).
func (b *benchFlags) target() error {
	base, err := url.Parse(strings.TrimSuffix(b.url, "/"))
	lines := err == nil && base.Scheme == "tcp" && base.Port() != ""
	if err != nil || !lines && !isOrigin(base) {
		return usagef("--url: %q is not like https://meet.example.org", b.url)
	}
	if b.cfg.Local, err = localAddress(base); err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	b.cfg.Dial = func(ctx context.Context, room string) (loadgen.Conn, error) {
		// Not a nil pointer in an interface where it fails.
		if lines {
			c, err := loadgen.DialLines(ctx, base.Host, room)
			if err != nil {
				return nil, err
			}
			return c, nil
		}
		c, err := ws.Dial(ctx, "ws"+strings.TrimPrefix(base.String(), "http")+"/v1/rooms/"+room+"/ws")
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	return nil
}

// tokens gives what --token or the secret says; without either no token is sent.
func (b *benchFlags) tokens(l *loaded) func(room, identity string) (string, error) {
	return func(room, identity string) (string, error) {
		if b.token != "" || !l.guarded() {
			return b.token, nil
		}
		return token.Sign(l.Secret.signing(), token.Claims{
			Room: room, Identity: identity, Can: []token.Permission{token.Publish, token.Subscribe},
			Expires: time.Now().Add(time.Hour),
		})
	}
}

// localAddress is the address from which this machine reaches the server.
func localAddress(server *url.URL) (netip.Addr, error) {
	port := server.Port()
	if port == "" {
		port = "443"
	}
	conn, err := net.Dial("udp", net.JoinHostPort(server.Hostname(), port)) // sends nothing
	if err != nil {
		return netip.Addr{}, err
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// ask reads the server's metrics.
func (b *benchFlags) ask(ctx context.Context) (loadgen.ServerSample, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	at := strings.TrimSuffix(b.admin, "/")
	if !strings.Contains(at, "://") {
		at = "http://" + at
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at+"/metrics", nil)
	if err != nil {
		return loadgen.ServerSample{}, usagef("--admin: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return loadgen.ServerSample{}, fmt.Errorf("%w (--admin off leaves the server's figures out)", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return loadgen.ServerSample{}, fmt.Errorf("%s/metrics answers %s", at, res.Status)
	}
	s, err := loadgen.ParseMetrics(res.Body, time.Now())
	if err == nil && b.pid != 0 {
		if s.CPU, err = processTime(b.pid); err == nil {
			s.Machine, err = machineTime()
		}
	}
	return s, err
}

// machineTime is how long the CPUs of this machine have been busy, in seconds to 10 ms (proc(5), /proc/stat).
func machineTime() (float64, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("--pid: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	var ticks float64
	for i, field := range strings.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 8 { // the name, idle, iowait, and guests, who are in user already
			continue
		}
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %w", err)
		}
		ticks += n
	}
	return ticks / 100, nil
}

// processTime is the CPU time of all threads of a process on this machine, in seconds (Linux, CONFIG_SCHEDSTATS or
// SCHED_INFO).
func processTime(pid int) (float64, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		return 0, fmt.Errorf("--pid: there is no /proc/%d/task/*/schedstat", pid)
	}
	var total float64
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if errors.Is(err, os.ErrNotExist) {
			continue // the thread has ended
		}
		if err != nil {
			return 0, err
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseFloat(first, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", task, err)
		}
		total += ns / 1e9
	}
	return total, nil
}

// liveTable prints a line a second.
func liveTable(w io.Writer) func(loadgen.Live) {
	line := 0
	return func(l loadgen.Live) {
		if line%20 == 0 {
			fmt.Fprintf(w, "%6s  %-10s %7s %6s %10s %9s %8s %8s %7s %6s\n", "time", "phase", "clients", "failed", "packets/s",
				"Mb/s", "p50 ms", "p99 ms", "loss %", "load %")
		}
		line++
		fmt.Fprintf(w, "%5.0fs  %-10s %7d %6d %10.0f %9.1f %8.2f %8.2f %7.2f %6.0f\n", l.Elapsed.Seconds(), l.Phase, l.Clients, l.Failed,
			l.PacketsPerSecond, l.BitsPerSecond/1e6, float64(l.P50)/1e6, float64(l.P99)/1e6, l.Loss, l.GeneratorCPU)
	}
}
