package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/parley/parley/sfu/internal/bwesim"
)

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bwe:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, args []string) error {
	fs := flag.NewFlagSet("bwe", flag.ContinueOnError)
	fs.SetOutput(w)
	seed := fs.Uint64("seed", 1, "of the randomness")
	only := fs.String("only", "", "scenarios whose name contains this")
	trace := fs.Int("trace", 0, "instead of the table, the course of those scenarios: a line every so many times 50 ms")
	if err := fs.Parse(args); err != nil {
		return err
	}
	match := func(name string) bool { return strings.Contains(name, *only) }
	if *trace <= 0 {
		return bwesim.Table(w, *seed, match)
	}
	for _, sc := range bwesim.Scenarios() {
		if match(sc.Name) {
			fmt.Fprintln(w, sc.Name)
			bwesim.Trace(w, sc, *seed, *trace)
		}
	}
	return nil
}
