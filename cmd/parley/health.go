package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// runHealth asks the admin address of a running server whether it is ready: for container health checks, whose image has
// no other client.
func runHealth(ctx context.Context, c console, args []string) error {
	flags := newFlagSet("health", "parley health [--admin ADDRESS]",
		"Asks a running server whether it is ready. Exit code 0: yes; 1: no, or not there.")
	flags.config(func(f field) bool { return f.key == "admin" })
	if err := flags.parse(args, c.stdout); err != nil {
		return err
	}
	l, err := load(c.environ, flags.file, flags.settings)
	if err != nil {
		return err
	}
	if l.Admin == off {
		return l.problem("admin", "the admin address is off, so there is nobody to ask")
	}
	host, port, err := net.SplitHostPort(l.Admin)
	if err != nil {
		return l.problem("admin", "%v", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("not reachable: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", strings.TrimSpace(string(body)))
	}
	_, err = fmt.Fprintln(c.stdout, "ready")
	return err
}
