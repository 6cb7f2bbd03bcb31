package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// console is what a command has of the world around it.
type console struct {
	stdout, stderr io.Writer
	environ        []string
}

// command is a subcommand.
type command struct {
	name, about string
	run         func(context.Context, console, []string) error
}

func commands() []command {
	return []command{
		{"serve", "run the server (what parley does without a command)", runServe},
		{"config", "print the configuration in effect, with comments, as YAML", runConfig},
		{"token", "print an access token for a room", runToken},
		{"passphrase", "print the hash of a passphrase that hosts sign in with", runPassphrase},
		{"bench", "put load on a running server and measure what it does", runBench},
		{"health", "ask a running server whether it is ready", runHealth},
		{"version", "print the version", runVersion},
		{"help", "print this", nil},
	}
}

func main() {
	os.Exit(run(context.Background(), console{os.Stdout, os.Stderr, os.Environ()}, os.Args[1:]))
}

// run runs the command that args name and returns the exit code.
func run(ctx context.Context, c console, args []string) int {
	name := "serve"
	if len(args) > 0 && (!strings.HasPrefix(args[0], "-") || slices.Contains([]string{"-h", "-help", "--help"}, args[0])) {
		name, args = args[0], args[1:]
	}
	var names []string
	for _, cmd := range commands() {
		if cmd.name == name && cmd.run != nil {
			return report(c.stderr, cmd.run(ctx, c, args))
		}
		names = append(names, cmd.name)
	}
	if slices.Contains([]string{"help", "-h", "-help", "--help"}, name) {
		help(c.stdout)
		return exitOK
	}
	hint := suggestion(name, names)
	if hint == "" {
		hint = "; see: parley help"
	}
	return report(c.stderr, usagef("unknown command %q%s", name, hint))
}

func help(w io.Writer) {
	fmt.Fprint(w, "Parley: rooms with presence, calls, messages and files, in one process.\n\n"+
		"Usage: parley [command] [flags]\n\n")
	for _, cmd := range commands() {
		fmt.Fprintf(w, "  %-12s%s\n", cmd.name, cmd.about)
	}
	fmt.Fprint(w, "\nparley COMMAND --help lists a command's flags. Without any, parley serves this machine alone.\n")
}

// runConfig prints the configuration in effect.
func runConfig(_ context.Context, c console, args []string) error {
	flags := newFlagSet("config", "parley config [flags]",
		"Prints the configuration in effect, with comments, as YAML. The output is a configuration file; the secret is left out.")
	flags.config(func(field) bool { return true })
	if err := flags.parse(args, c.stdout); err != nil {
		return err
	}
	l, err := load(c.environ, flags.file, flags.settings)
	if err != nil {
		return err
	}
	for _, w := range l.warnings {
		fmt.Fprintln(c.stderr, "parley:", w)
	}
	return printConfig(c.stdout, l.config)
}
