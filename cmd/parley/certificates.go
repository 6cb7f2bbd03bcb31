package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// certificateCheck is how often the files are looked at. A renewed certificate is not urgent, and a stat costs nothing.
const certificateCheck = 10 * time.Second

// certificates serves the pair of files that may be replaced while the server runs.
type certificates struct {
	// Static after construction.
	cert, key string
	log       *slog.Logger

	current atomic.Pointer[tls.Certificate]
	seen    stamp // owned by the goroutine that calls watch
}

// stamp tells whether one of the files was replaced.
type stamp struct {
	cert, key         time.Time
	certSize, keySize int64
}

func newCertificates(cert, key string, log *slog.Logger) (*certificates, error) {
	c := &certificates{cert: cert, key: key, log: log}
	c.seen = c.stamp()
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

// config is the TLS configuration of the HTTP server.
func (c *certificates) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current.Load(), nil
		},
	}
}

func (c *certificates) load() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.cert, c.key, err)
	}
	c.current.Store(&pair)
	return nil
}

// stamp looks at the files. A missing one has a zero stamp: perhaps it is being replaced this moment.
func (c *certificates) stamp() stamp {
	var s stamp
	if info, err := os.Stat(c.cert); err == nil {
		s.cert, s.certSize = info.ModTime(), info.Size()
	}
	if info, err := os.Stat(c.key); err == nil {
		s.key, s.keySize = info.ModTime(), info.Size()
	}
	return s
}

// watch reloads when a file changed, or when told to, until ctx ends. A pair that does not load leaves the last one in
// use and is tried again, because the other file may follow.
func (c *certificates) watch(ctx context.Context, reload <-chan struct{}) {
	tick := time.NewTicker(certificateCheck)
	defer tick.Stop()
	for {
		told := false
		select {
		case <-ctx.Done():
			return
		case <-reload:
			told = true
		case <-tick.C:
		}
		now := c.stamp()
		if now == c.seen && !told {
			continue
		}
		if err := c.load(); err != nil {
			c.log.Warn("the certificate on disk cannot be used; the last one stays", "err", err)
			continue
		}
		c.seen = now
		c.log.Info("certificate loaded", "file", c.cert, "until", c.current.Load().Leaf.NotAfter)
	}
}
