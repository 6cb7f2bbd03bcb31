package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parley/parley/internal/foreign"
)

// update has the generated parts of docs/operations.md rewritten: make docs.
var update = flag.Bool("update", false, "rewrite the generated parts of docs/operations.md")

// binary is the program under test, built by TestMain.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "parley-test")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "parley")
	build := foreign.Command(context.Background(), "go", "build", "-ldflags", "-X main.version=v0.0.0-test", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// testSecret is long enough.
const testSecret = "0123456789abcdef0123456789abcdef"

// result is how a program ended.
type result struct {
	code           int
	stdout, stderr string
}

// parley runs the binary to its end, with nothing in its environment but env.
func parley(t *testing.T, env []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := foreign.Command(ctx, binary, args...)
	cmd.Env = append([]string{"HOME=" + t.TempDir()}, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("parley %v: %v", args, err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// process is a running server.
type process struct {
	cmd    *exec.Cmd
	output *transcript
	url    string
	admin  string
}

// transcript collects what a process prints, while others look.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *transcript) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

var _ io.Writer = (*transcript)(nil)

// serve starts a server on ports of its own and waits until it is ready. It is killed when the test ends. A port that somebody
// took since it was found to be free is no reason to fail: it is tried again with others.
func serve(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	return serveBy(t, func(args ...string) *exec.Cmd { return foreign.Command(context.Background(), binary, args...) }, env, args...)
}

// serveBy does so with a command of the test's own.
func serveBy(t *testing.T, command func(args ...string) *exec.Cmd, env []string, args ...string) *process {
	t.Helper()
	for range 5 {
		p := launch(t, command, env, args)
		until(t, "the server to be ready, or to give up", func() bool {
			said := p.output.String()
			return strings.Contains(said, "Parley is ready") || strings.Contains(said, "is in use")
		})
		if strings.Contains(p.output.String(), "Parley is ready") {
			return p
		}
	}
	t.Fatal("five times a free port was not free any more")
	return nil
}

// launch starts a server and has it killed when the test ends.
func launch(t *testing.T, command func(args ...string) *exec.Cmd, env, args []string) *process {
	t.Helper()
	p := &process{output: &transcript{}}
	listen, admin := freePort(t), freePort(t)
	p.url, p.admin = "http://"+listen, "http://"+admin
	args = append([]string{"serve", "--listen", listen, "--udp", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--admin", admin}, args...)
	p.cmd = command(args...)
	p.cmd.Env = append([]string{"HOME=" + t.TempDir()}, env...)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill() // it may have ended
			_ = p.cmd.Wait()
		}
	})
	return p
}

// wait returns the exit code.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// freePort is a loopback address that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(15 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatal("waited too long for " + what)
		case <-tick.C:
		}
	}
}
