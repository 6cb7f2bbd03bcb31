package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/parley/parley/internal/oidcprovider"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "provider:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	var redirects []string
	f := flag.NewFlagSet("provider", flag.ContinueOnError)
	listen := f.String("listen", "127.0.0.1:9000", "Address to listen on.")
	issuer := f.String("issuer", "", "How it is reached; default http:// and the address.")
	f.Func("redirect", "Where people are sent back to; may be given more than once.", func(s string) error {
		redirects = append(redirects, s)
		return nil
	})
	if err := f.Parse(args); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	if *issuer == "" {
		*issuer = "http://" + ln.Addr().String()
	}
	server := &http.Server{
		Handler: oidcprovider.New(*issuer, oidcprovider.People(), redirects...), ReadHeaderTimeout: 5 * time.Second,
	}
	var tasks sync.WaitGroup
	failed := make(chan error, 1)
	tasks.Go(func() { failed <- server.Serve(ln) })
	fmt.Fprintln(stdout, "ready", *issuer)
	select {
	case <-ctx.Done():
		err = server.Close()
	case err = <-failed:
	}
	tasks.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
