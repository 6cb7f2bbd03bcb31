package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/parley/parley/internal/foreign"
	"github.com/parley/parley/internal/loadgen"
)

// options are what the command is told.
type options struct {
	binary     string
	stock      string
	planes     []string
	rounds     int
	seconds    int
	growth     float64
	only       *regexp.Regexp
	out        string
	keep       string
	soak       time.Duration
	viewers    int
	port       int
	realtime   bool
	serverCore string
	loadCore   string
}

// scenario is one kind of load.
type scenario struct {
	name string
	args []string
}

func (o options) scenarios() []scenario {
	all := []scenario{
		{"1 to 1", []string{"--viewers", "1"}},
		{"1 to 20", []string{"--viewers", "20"}},
		{"1 to 50", []string{"--viewers", "50"}},
		{"1 to 200", []string{"--viewers", "200"}},
		{"meeting of 6", []string{"--publishers", "6", "--viewers", "0", "--meeting"}},
		{"meeting of 12", []string{"--publishers", "12", "--viewers", "0", "--meeting"}},
		{"10 rooms of 1 to 3", []string{"--rooms", "10", "--viewers", "3"}},
		{"20 join one by one", []string{"--early", "10", "--viewers", "20", "--apart", apart.String(), "--seconds", "1"}},
		{"30 join at once", []string{"--early", "10", "--viewers", "30", "--ramp", "0s"}},
		{"50 join at once", []string{"--early", "10", "--viewers", "50", "--ramp", "0s"}},
		{capacity, []string{"--viewers", "150", "--capacity", "--seconds", "3", "--growth", fmt.Sprint(o.growth)}},
	}
	var out []scenario
	for _, s := range all {
		if o.only.MatchString(s.name) {
			s.args = append([]string{"--seconds", strconv.Itoa(o.seconds)}, s.args...)
			out = append(out, s)
		}
	}
	return out
}

// apart is the distance of joins one by one: more than 1.3 s, so that each needs a keyframe of its own; and of 20 such joins each
// meets the publisher's clock in another phase, evenly over the 20 ms of its sounds and the 33.3 ms of its pictures. A multiple of
// both, as 1.3 s is, would have all of them meet one phase, whichever it is in a run.
const apart = 1307 * time.Millisecond

// capacity is the name of the scenario with a table of its own; stock the comparator's among the planes.
const (
	capacity = "capacity"
	stock    = "stock"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "scenarios:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o.planes, err = o.known(ctx)
	if err != nil {
		return err
	}
	if o.soak > 0 {
		return o.endure(ctx, stdout, stderr)
	}
	results, err := o.kept()
	if err != nil {
		return err
	}
	began := time.Now()
	for round := range o.rounds {
		for _, s := range o.scenarios() {
			for i := range o.planes {
				plane := o.planes[(i+round)%len(o.planes)]
				report, err := o.once(ctx, s, plane, stderr)
				if err != nil {
					return fmt.Errorf("%s, plane %s: %w", s.name, plane, err)
				}
				k := key{s.name, plane}
				results[k] = append(results[k], report)
				fmt.Fprintf(stderr, "%5.0fs  round %d  %-19s %-8s %s\n", time.Since(began).Seconds(), round+1, s.name, plane, oneLine(report))
			}
		}
	}
	if err := o.save(results); err != nil {
		return err
	}
	text := o.render(ctx, results)
	fmt.Fprint(stdout, text)
	if o.out == "" {
		return nil
	}
	return splice(o.out, benchMarks, text)
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("scenarios", flag.ContinueOnError)
	f.StringVar(&o.binary, "parley", "./parley", "The binary.")
	f.StringVar(&o.stock, "stock", "", "The comparator (internal/loadgen/cmd/stock); empty: none.")
	planes := f.String("planes", "auto", "Media planes to compare, separated by commas: batched, pion, stock; auto: all that there are.")
	f.IntVar(&o.rounds, "rounds", 3, "How often each scenario is run.")
	f.IntVar(&o.seconds, "seconds", 5, "Length of a measurement.")
	f.Float64Var(&o.growth, "growth", 1.25, "Factor between the steps of the search for capacity.")
	only := f.String("only", "", "Run the scenarios whose name matches this regular expression.")
	f.StringVar(&o.out, "out", "", "Document whose table to write; empty: print it only.")
	f.StringVar(&o.keep, "keep", "", "File to which runs are added, and from which earlier ones are read: for a long run in pieces; empty: none.")
	f.DurationVar(&o.soak, "soak", 0, "Instead of the scenarios: one steady load for this long, minute by minute.")
	f.IntVar(&o.viewers, "soak-viewers", 450, "Viewers of one publisher in that load.")
	f.IntVar(&o.port, "port", 18480, "First of three loopback ports for the server.")
	f.BoolVar(&o.realtime, "realtime", false, "Run server and load before everything else on the machine (chrt, needs root): where it is busy.")
	f.StringVar(&o.serverCore, "server-core", "0", "CPU for the server.")
	f.StringVar(&o.loadCore, "load-core", "1", "CPU for the load.")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, fmt.Errorf("-only: %w", err)
	}
	o.planes = strings.Split(*planes, ",")
	return o, nil
}

// known returns the planes to run, and checks that the binary has them.
func (o options) known(ctx context.Context) ([]string, error) {
	text, err := foreign.Command(ctx, o.binary, "config").Output()
	if err != nil {
		return nil, fmt.Errorf("%s config: %w", o.binary, err)
	}
	var extra []string
	if o.stock != "" {
		extra = []string{stock}
	}
	chooses := regexp.MustCompile(`(?m)^ +plane: `).Match(text)
	switch auto := len(o.planes) == 1 && o.planes[0] == "auto"; {
	case auto && chooses:
		return append([]string{"batched", "pion"}, extra...), nil
	case auto:
		return append([]string{"pion"}, extra...), nil
	case slices.Contains(o.planes, stock) && o.stock == "":
		return nil, errors.New("the plane stock needs -stock")
	case !chooses && (len(o.planes) > 1 || o.planes[0] != "pion"):
		return nil, errors.New("this binary has the pion plane alone")
	}
	return o.planes, nil
}

// pinned is a command on one CPU.
func (o options) pinned(ctx context.Context, core, binary string, args ...string) *exec.Cmd {
	all := append([]string{"taskset", "-c", core, binary}, args...)
	if o.realtime {
		all = append([]string{"chrt", "--rr", "1"}, all...)
	}
	return foreign.Command(ctx, all[0], all[1:]...)
}

func (o options) address(n int) string { return fmt.Sprintf("127.0.0.1:%d", o.port+n) }

// serve is the command of a server, and the URL at which it will be.
func (o options) serve(ctx context.Context, plane string) (*exec.Cmd, string) {
	at := []string{"--listen", o.address(0), "--udp", o.address(1), "--admin", o.address(2)}
	if plane == stock {
		return o.pinned(ctx, o.serverCore, o.stock, at...), "tcp://" + o.address(0)
	}
	server := o.pinned(ctx, o.serverCore, o.binary,
		append([]string{"serve", "--tcp", "off", "--limits-participants", "5000", "--log-level", "warn"}, at...)...)
	server.Env = append(os.Environ(), "PARLEY_MEDIA_PLANE="+plane)
	return server, "http://" + o.address(0)
}

// once runs a scenario on a server of its own.
func (o options) once(ctx context.Context, s scenario, plane string, stderr io.Writer) (loadgen.Report, error) {
	var report loadgen.Report
	if o.answers(ctx) {
		return report, fmt.Errorf("another server is at %s: stop it, or choose another -port", o.address(2))
	}
	server, at := o.serve(ctx, plane)
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	server.Cancel = func() error { return server.Process.Signal(syscall.SIGTERM) }
	if err := server.Start(); err != nil {
		return report, err
	}
	err := o.ready(ctx)
	if err == nil {
		args := append([]string{
			"bench", "--quiet", "--url", at, "--admin", "http://" + o.address(2), "--pid", strconv.Itoa(server.Process.Pid),
		}, s.args...)
		bench := o.pinned(ctx, o.loadCore, o.binary, args...)
		bench.Stderr = stderr
		var out []byte
		if out, err = bench.Output(); err == nil {
			err = json.Unmarshal(out, &report)
		}
	}
	_ = server.Process.Signal(syscall.SIGTERM) // it may have ended: Wait says how
	if ended := server.Wait(); ended != nil {
		err = errors.Join(err, fmt.Errorf("the server: %w: %s", ended, log.String()))
	}
	return report, err
}

// ready waits until the server answers.
func (o options) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return errors.New("the server does not get ready")
		case <-tick.C:
		}
		if o.answers(ctx) {
			return nil
		}
	}
}

// answers reports whether a server is there, and well.
func (o options) answers(ctx context.Context) bool {
	return foreign.Command(ctx, o.binary, "health", "--admin", o.address(2)).Run() == nil
}
