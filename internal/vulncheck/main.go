package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/parley/parley/internal/foreign"
)

var errHoles = errors.New("holes that have a fix are called: take the versions named above")

func main() {
	if err := run(context.Background(), os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "vulncheck:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: vulncheck GOVULNCHECK PACKAGE [PACKAGE ...]")
	}
	source, version, err := download(ctx)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "vulndb-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	count, err := writeDatabase(source, folder)
	if err != nil {
		return err
	}
	// With JSON, govulncheck ends with 0 whatever it found.
	check := foreign.Command(ctx, args[0], append([]string{"-format", "json", "-db", "file://" + filepath.ToSlash(folder)}, args[1:]...)...)
	check.Stderr = os.Stderr
	said, err := check.Output()
	if err != nil {
		return fmt.Errorf("govulncheck: %w", err)
	}
	holes, err := parse(bytes.NewReader(said))
	if err != nil {
		return err
	}
	failed := false
	for _, h := range holes {
		fmt.Fprintln(out, h)
		failed = failed || h.fails()
	}
	fmt.Fprintf(out, "%d known holes in the database (%s), %d in what is built here\n", count, version, len(holes))
	if failed {
		return errHoles
	}
	return nil
}

// download fetches the newest database and returns the folder of its entries, and its version.
func download(ctx context.Context) (folder, version string, err error) {
	cmd := foreign.Command(ctx, "go", "mod", "download", "-json", "golang.org/x/vulndb@latest")
	said, err := cmd.Output()
	var module struct{ Dir, Version, Error string }
	if json.Unmarshal(said, &module) == nil && module.Error != "" {
		return "", "", fmt.Errorf("fetch the database: %s", module.Error)
	}
	if err != nil {
		return "", "", fmt.Errorf("fetch the database: %w", err)
	}
	return filepath.Join(module.Dir, "data", "osv"), module.Version, nil
}
