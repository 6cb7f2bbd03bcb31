package signaling

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/parley/parley/internal/audit"
	"github.com/parley/parley/signaling/token"
)

// Config describes a server. Media and Tokens are required.
type Config struct {
	Media  Media
	ICE    ICE // nil: none
	Tokens *token.Verifier
	Limits Limits
	Timing Timing
	Log    *slog.Logger // default slog.Default()
	Audit  *audit.Trail // default: to Log, with addresses

	Invitations Invitations // nil: there are none
	Bans        BanStore    // nil: they are forgotten with the process
}

// Timing is how long the server waits for what.
type Timing struct {
	Join      time.Duration // for the first join or resume of a connection; default 10 s
	Ping      time.Duration // between a client's pings; told in welcome; default 4 s
	Silence   time.Duration // from a client before its connection is closed; default 10 s
	Away      time.Duration // of silence, of messages and media, before the room is told that a participant is not reachable; default 5.5 s
	Resume    time.Duration // after a session was last heard before it leaves; default 30 s
	Write     time.Duration // for one message to be taken by the transport; default 5 s
	Negotiate time.Duration // for an answer from the media node; default 10 s
	Grace     time.Duration // before an empty room and its log are forgotten; default 60 s
	Speaking  time.Duration // between looks at who speaks; default 250 ms
	Waiting   time.Duration // at a room's door, at most; default 1 h
	Drain     time.Duration // over which clients spread their return at shutdown, at most; default 20 s
}

func (t Timing) withDefaults() Timing {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.Join, 10 * time.Second},
		{&t.Ping, 4 * time.Second},
		{&t.Silence, 10 * time.Second},
		{&t.Away, 5500 * time.Millisecond},
		{&t.Resume, 30 * time.Second},
		{&t.Write, 5 * time.Second},
		{&t.Negotiate, 10 * time.Second},
		{&t.Grace, 60 * time.Second},
		{&t.Speaking, 250 * time.Millisecond},
		{&t.Waiting, time.Hour},
		{&t.Drain, 20 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return t
}

// Validate reports the first thing in c that makes no sense. Zero values mean their defaults.
func (c Config) Validate() error {
	if c.Media == nil {
		return errors.New("signaling: no Media")
	}
	if c.Tokens == nil {
		return errors.New("signaling: no Tokens")
	}
	if err := c.Limits.Validate(); err != nil {
		return fmt.Errorf("signaling: %w", err)
	}
	t := c.Timing.withDefaults()
	for _, d := range []time.Duration{
		t.Join, t.Ping, t.Silence, t.Away, t.Resume, t.Write, t.Negotiate, t.Grace, t.Speaking, t.Waiting, t.Drain,
	} {
		if d < time.Millisecond || d > 24*time.Hour {
			return fmt.Errorf("signaling: a time of %v is not from 1 ms to 24 h", d)
		}
	}
	if t.Silence <= t.Ping {
		return errors.New("signaling: silence must be allowed for longer than a ping takes to come")
	}
	if t.Away <= t.Ping {
		return errors.New("signaling: a client is away only when it is silent for longer than a ping takes to come")
	}
	if t.Resume <= t.Silence {
		return errors.New("signaling: a session must outlive the silence that ends its connection")
	}
	return nil
}

func (c Config) withDefaults() Config {
	c.Limits = c.Limits.withDefaults()
	c.Timing = c.Timing.withDefaults()
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Audit == nil {
		c.Audit = audit.New(c.Log, true)
	}
	if c.ICE == nil {
		c.ICE = noICE{}
	}
	if c.Invitations == nil {
		c.Invitations = noInvitations{}
	}
	if c.Bans == nil {
		c.Bans = noBans{}
	}
	return c
}
