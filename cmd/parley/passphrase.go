package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/parley/parley/signaling/access/hosts"
)

// runPassphrase prints the hash of a passphrase that hosts sign in with. It is read from the terminal, unseen, or from
// standard input, never from the arguments: other users of the machine can see those.
func runPassphrase(_ context.Context, c console, args []string) error {
	flags := newFlagSet("passphrase", "parley passphrase", "Asks for a passphrase and prints its hash, for hosts.passphrase in the configuration.")
	if err := flags.parse(args, c.stdout); err != nil {
		return err
	}
	passphrase, err := readPassphrase(os.Stdin, c.stderr)
	if err != nil {
		return err
	}
	hash, err := hosts.Hash(passphrase)
	if err != nil {
		return usageError{err}
	}
	fmt.Fprintln(c.stderr, "Set it as hosts.passphrase in the file, or as PARLEY_HOSTS_PASSPHRASE:")
	_, err = fmt.Fprintln(c.stdout, hash)
	return err
}

// readPassphrase reads one line. On a terminal it asks twice, and shows nothing of what is typed.
func readPassphrase(in *os.File, ask io.Writer) (string, error) {
	fd := int(in.Fd())
	if !term.IsTerminal(fd) {
		line, err := bufio.NewReader(io.LimitReader(in, 2*hosts.MaxPassphrase)).ReadString('\n')
		if err != nil && line == "" {
			return "", usagef("no passphrase came on standard input")
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var typed [2]string
	for i, prompt := range []string{"Passphrase for hosts: ", "Again: "} {
		fmt.Fprint(ask, prompt)
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(ask)
		if err != nil {
			return "", err
		}
		typed[i] = string(b)
	}
	if typed[0] != typed[1] {
		return "", usagef("the two differ: nothing was made")
	}
	return typed[0], nil
}
