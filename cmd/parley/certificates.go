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
	name      string // that the certificate should have; empty: not known
	log       *slog.Logger

	current atomic.Pointer[pair]
	refused atomic.Uint64

	// Owned by the goroutine that calls watch.
	seen    stamp
	said    string // about the pair on disk that is not in use
	ending  reminder
	pending bool // the pair on disk is not the one in use
}

// stamp tells whether one of the files was replaced.
type stamp struct {
	cert, key         time.Time
	certSize, keySize int64
}

func newCertificates(cert, key, name string, log *slog.Logger) (*certificates, error) {
	c := &certificates{cert: cert, key: key, name: name, log: log}
	c.seen = c.stamp()
	p, err := c.load()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	c.current.Store(p)
	c.describe(p, now)
	c.remind(now)
	return c, nil
}

// config is the TLS configuration of the HTTP server.
func (c *certificates) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &c.current.Load().Certificate, nil
		},
	}
}

func (c *certificates) load() (*pair, error) {
	loaded, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err == nil {
		return newPair(loaded)
	}
	return nil, fmt.Errorf("certificate %s with key %s: %w", c.cert, c.key, err)
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

// watch reloads when a file changed, or when told to, until ctx ends. It also says when the one in use nears its end.
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
		c.look(told, time.Now())
	}
}

// look takes the pair on disk into use, unless it does not load or is worse than the one that is; then it is tried again each time, because
// the other file may follow, or its day come.
func (c *certificates) look(told bool, now time.Time) {
	defer c.remind(now)
	if s := c.stamp(); s != c.seen || told {
		c.seen, c.pending, c.said = s, true, ""
	}
	if !c.pending {
		return
	}
	next, err := c.load()
	if err != nil {
		c.refuse("err", err.Error())
		return
	}
	if used := c.current.Load(); next.faults(c.name, now).worse(used.faults(c.name, now)) {
		c.refuse("because", next.faults(c.name, now).String())
		return
	}
	c.current.Store(next)
	c.pending, c.ending = false, reminder{}
	c.log.Info("certificate loaded", "file", c.cert, "until", next.until)
	c.describe(next, now)
}

// refuse says once of each pair why it is not used.
func (c *certificates) refuse(key, why string) {
	if c.said == why {
		return
	}
	c.said = why
	c.refused.Add(1)
	c.log.Warn("the certificate on disk cannot be used; the last one stays", key, why, "file", c.cert)
}

// describe says what browsers will not like about a pair that is in use, its end aside.
func (c *certificates) describe(p *pair, now time.Time) {
	f := p.faults(c.name, now)
	if f.early {
		c.log.Warn("the certificate is not valid yet: browsers refuse it", "file", c.cert, "from", p.from)
	}
	if f.misnamed {
		c.log.Warn("the certificate is not for the host of public_url: browsers refuse it", "file", c.cert, "host", c.name, "names", p.Leaf.DNSNames)
	}
}

// remind warns of the end of the pair in use.
func (c *certificates) remind(now time.Time) {
	p := c.current.Load()
	switch c.ending.due(p.until, now) {
	case ended:
		c.log.Warn("the certificate has expired: browsers refuse it", "file", c.cert, "since", p.until)
	case near:
		c.log.Warn("the certificate expires soon", "file", c.cert, "until", p.until)
	case far:
	}
}
