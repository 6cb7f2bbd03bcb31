package presence

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/parley/parley/internal/audit"
	"github.com/parley/parley/signaling/token"
)

// Config describes a server. Only Rooms is required.
type Config struct {
	Rooms       Rooms
	Tokens      *token.Verifier // nil: no token is needed
	Origins     []string        // pages of these origins may read ("https://example.org", "https://*.example.org", "*")
	MaxWatchers int             // streams and waiting long-polls at one time; default 20,000
	PerToken    int             // of these, with one token; default 5000
	PerAddress  int             // of these, from one address (IPv6: one /64), this machine excepted; default 500
	Timing      Timing
	Log         *slog.Logger // default slog.Default()
	Audit       *audit.Trail // of refusals; default: to Log, with addresses
}

// Timing is how long the server waits for what. Where many clients would do the same at the same time, each gets a
// random part of it.
type Timing struct {
	Retry     time.Duration // told to streams: wait this long before reconnecting; each 1/2 to 3/2 of it; default 2 s
	Busy      time.Duration // the same, over MaxWatchers; default 20 s
	Heartbeat time.Duration // between comments on a silent stream; each 3/4 to 5/4 of it; default 20 s
	Stream    time.Duration // life of a stream before it ends cleanly; each 3/4 to 5/4 of it; default 30 min
	Write     time.Duration // for a watcher to take what it is sent; each 1/4 to all of it; default 16 s
	Wait      time.Duration // of a long-poll that names no wait; default 25 s
	MaxWait   time.Duration // longer waits are cut to it; default 60 s
	Drain     time.Duration // over which streams end at shutdown; default 2 s
}

func (t Timing) withDefaults() Timing {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.Retry, 2 * time.Second},
		{&t.Busy, 20 * time.Second},
		{&t.Heartbeat, 20 * time.Second},
		{&t.Stream, 30 * time.Minute},
		{&t.Write, 16 * time.Second},
		{&t.Wait, 25 * time.Second},
		{&t.MaxWait, time.Minute},
		{&t.Drain, 2 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return t
}

func (c Config) withDefaults() Config {
	c.Timing = c.Timing.withDefaults()
	if c.MaxWatchers == 0 {
		c.MaxWatchers = 20_000
	}
	if c.PerToken == 0 {
		c.PerToken = 5000
	}
	if c.PerAddress == 0 {
		c.PerAddress = 500
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Audit == nil {
		c.Audit = audit.New(c.Log, true)
	}
	return c
}

// Validate reports the first thing in c that makes no sense. Zero values mean their defaults.
func (c Config) Validate() error {
	if c.Rooms == nil {
		return errors.New("presence: no Rooms")
	}
	if least := min(c.MaxWatchers, c.PerToken, c.PerAddress); least < 0 {
		return fmt.Errorf("presence: %d watchers at most", least)
	}
	t := c.Timing.withDefaults()
	for _, d := range []time.Duration{t.Retry, t.Busy, t.Heartbeat, t.Stream, t.Write, t.Wait, t.MaxWait, t.Drain} {
		if d < time.Millisecond || d > 24*time.Hour {
			return fmt.Errorf("presence: a time of %v is not from 1 ms to 24 h", d)
		}
	}
	if t.Wait > t.MaxWait {
		return fmt.Errorf("presence: waits of %v by default, but %v at most", t.Wait, t.MaxWait)
	}
	for _, o := range c.Origins {
		if err := checkOrigin(o); err != nil {
			return err
		}
	}
	return nil
}

// checkOrigin takes what a browser may put into the Origin header, with at most one * in the host, or * alone.
func checkOrigin(o string) error {
	if o == "*" {
		return nil
	}
	u, err := url.Parse(strings.Replace(o, "*", "x", 1))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		u.Path != "" || u.RawQuery != "" || u.Fragment != "" || strings.Count(o, "*") > 1 {
		return fmt.Errorf("presence: %q is not an origin like https://example.org", o)
	}
	return nil
}
