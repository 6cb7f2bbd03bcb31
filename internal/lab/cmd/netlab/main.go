//go:build linux

// Netlab builds and changes the network lab from a shell or from another language's tests. See ../../README.md.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/parley/parley/internal/lab"
)

const usage = `usage: netlab [-p PREFIX] COMMAND     (PREFIX: default pl_, or $LAB_PREFIX; needs root)

  up                build the lab, all NATs "restricted"
  down              remove it
  nat A|B|C KIND    full, restricted, symmetric, udpblock or only443
  exec NODE CMD...  run CMD in a node: sfu, turn, inet, natA, cliA and so on; the exit status is CMD's
  wire A|B|C [SEED] replace a side's cable by a wire until standard input ends; lines on it change the wire:
                    "up|down|both delay=50ms jitter=5ms rate=1e6 queue=300ms loss=2 burst=4 duplicate=1 reorder=1",
                    "both clean"; each line, also an empty one, is answered with the counters, or "error: ..."
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() > 0: // CMD's own, which has said why
		os.Exit(exit.ExitCode())
	case errors.Is(err, errUsage):
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "netlab:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage")

func run(ctx context.Context, args []string) error {
	prefix := "pl_"
	if p := os.Getenv("LAB_PREFIX"); p != "" {
		prefix = p
	}
	if len(args) >= 2 && args[0] == "-p" {
		prefix, args = args[1], args[2:]
	}
	if len(args) == 0 {
		return errUsage
	}
	l, err := lab.New(prefix)
	if err != nil {
		return err
	}
	switch name, rest := args[0], args[1:]; {
	case name == "up" && len(rest) == 0:
		return l.Up(ctx)
	case name == "down" && len(rest) == 0:
		return l.Down(ctx)
	case name == "nat" && len(rest) == 2:
		return l.SetNAT(ctx, lab.Side(rest[0]), lab.NAT(rest[1]))
	case name == "exec" && len(rest) >= 2:
		cmd := l.Command(ctx, lab.Node(rest[0]), "/usr/bin/env", rest[1:]...) // a person may run anything
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) } // a browser has children to end
		cmd.WaitDelay = 5 * time.Second
		return cmd.Run()
	case name == "wire" && (len(rest) == 1 || len(rest) == 2):
		return wire(ctx, l, rest)
	}
	return errUsage
}

// wire holds a wire until standard input ends or a signal comes.
func wire(ctx context.Context, l *lab.Lab, args []string) error {
	seed := uint64(1)
	if len(args) == 2 {
		n, err := strconv.ParseUint(args[1], 10, 64)
		if err != nil {
			return errUsage
		}
		seed = n
	}
	w, err := l.Wire(ctx, lab.Side(args[0]), seed)
	if err != nil {
		return err
	}
	in, err := newInterruptible(ctx, os.Stdin)
	if err != nil {
		return errors.Join(err, w.Close())
	}
	fmt.Println("wired")
	return errors.Join(control(in, os.Stdout, w.Control), in.Close(), w.Close())
}

// control answers lines until in ends.
func control(in io.Reader, out io.Writer, do func(string) (string, error)) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		answer, err := do(lines.Text())
		if err != nil {
			answer = "error: " + err.Error()
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return err
		}
	}
	return lines.Err()
}
