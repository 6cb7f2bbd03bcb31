package loadgen

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Config describes a run. Dial and Local are required.
type Config struct {
	Rooms      int           // default 1
	Publishers int           // a room; default 1
	Viewers    int           // a room, who only watch
	Early      int           // a room, viewers who are there before those whose joins are timed
	Meeting    bool          // publishers watch each other
	Duration   time.Duration // of the measurement; default 10 s
	Ramp       time.Duration // over which viewers join; 0: all at once
	Settle     time.Duration // between the last join and the measurement; default 1 s
	Apart      time.Duration // viewers join one after the other, this long apart, instead; 0: they do not
	Every      time.Duration // of the measurement, after which Report.Series has an entry; 0: it has none
	Codec      string        // of the pictures, see CodecNames; default "vp8"
	Simulcast  bool          // three layers instead of one, each with three temporal ones where browsers do that
	TileWidth  int           // at which viewers show pictures, in device pixels; default 1280
	TileHeight int           // default 720

	PacketBytes int  // of a video packet as RTP, header included; default 1200
	Burst       int  // packets of a full picture; default 6
	NoFeedback  bool // full viewers send no transport-wide feedback; light ones never do
	Full        int  // viewers in all who take every packet; default 1, negative: all
	Sample      int  // light viewers take every Sampleth packet; default 0: about 4000 packets a second in all
	Data        bool // open data channels, as the web app does

	Prefix   string        // of room names; default "load-"
	Patience time.Duration // for one join; default 20 s

	Capacity *Capacity // raise the viewers step by step; nil: one measurement

	Local  netip.Addr                                           // address from which the server is reached
	Dial   func(ctx context.Context, room string) (Conn, error) // opens a signaling connection
	Token  func(room, identity string) (string, error)          // access tokens; default: none
	Server func(context.Context) (ServerSample, error)          // what the server says of itself; nil: unknown
	Live   func(Live)                                           // told how it goes, once a second; nil: nobody is

	every uint16     // resolved Sample
	local netip.Addr // Local, unmapped
	codec *Codec     // resolved Codec; nil: unknown
}

// Capacity is a search for the largest number of viewers that a server holds.
type Capacity struct {
	Growth float64       // of the viewers from step to step; default 1.25
	P99    time.Duration // latency that ends the search; default 50 ms
	Loss   float64       // percent that ends it; default 0.5
	Most   int           // viewers a room that end it; default 3000
}

func (c Capacity) withDefaults() Capacity {
	if c.Growth == 0 {
		c.Growth = 1.25
	}
	if c.P99 == 0 {
		c.P99 = 50 * time.Millisecond
	}
	if c.Loss == 0 {
		c.Loss = 0.5
	}
	if c.Most == 0 {
		c.Most = 3000
	}
	return c
}

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&c.Rooms, 1}, {&c.Publishers, 1}, {&c.PacketBytes, 1200}, {&c.Burst, burst}, {&c.Full, 1}, {&c.TileWidth, 1280}, {&c.TileHeight, 720},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if c.Duration == 0 {
		c.Duration = 10 * time.Second
	}
	if c.Settle == 0 {
		c.Settle = time.Second
	}
	if c.Patience == 0 {
		c.Patience = 20 * time.Second
	}
	if c.Codec == "" {
		c.Codec = CodecNames()[0]
	}
	c.codec = codecOf(c.Codec)
	if c.Prefix == "" {
		c.Prefix = "load-"
	}
	if c.Token == nil {
		c.Token = func(string, string) (string, error) { return "", nil }
	}
	if c.Capacity != nil {
		search := c.Capacity.withDefaults()
		c.Capacity = &search
	}
	c.local = c.Local.Unmap()
	c.every = c.sampling()
	return c
}

// maxSlots is how many streams one client watches at most, as many as a server grants by default.
const maxSlots = 25

// watched is how many publishers one viewer sees.
func (c Config) watched() int { return min(c.Publishers, maxSlots) }

// rate is how many packets a second viewers get in all.
func (c Config) rate(viewers int) int {
	perPublisher := int(time.Second/audioEvery) + c.Burst*int(time.Second/frameEvery)
	sinks := viewers * c.watched()
	if c.Meeting {
		sinks += c.Publishers * min(c.Publishers-1, maxSlots)
	}
	return c.Rooms * sinks * perPublisher
}

// sampling is which packets light viewers take: so many that all of them together are about 4000 a second. Primes, so that
// each place in a burst is met as often as the others.
func (c Config) sampling() uint16 {
	const perSecond = 4000
	if c.Sample != 0 {
		return uint16(c.Sample)
	}
	viewers := c.Viewers + c.Early
	if c.Capacity != nil {
		viewers = max(viewers, 500)
	}
	for _, prime := range []uint16{1, 5, 7, 11, 17, 23, 31, 43, 61} {
		if c.rate(viewers)/int(prime) <= perSecond {
			return prime
		}
	}
	return 97
}

// Validate reports the first thing that makes no sense.
func (c Config) Validate() error {
	c = c.withDefaults()
	switch {
	case c.Dial == nil || !c.Local.IsValid():
		return errors.New("loadgen: no server to connect to")
	case c.Rooms < 1 || c.Publishers < 1 || c.Viewers < 0 || c.Early < 0:
		return errors.New("loadgen: a run has at least one room and one publisher in it, and no fewer than 0 viewers")
	case c.Viewers == 0 && !c.Meeting:
		return errors.New("loadgen: nobody watches: it takes viewers, or a meeting")
	case c.Meeting && c.Publishers < 2 && c.Viewers == 0:
		return errors.New("loadgen: a meeting has at least two publishers")
	case c.Duration < time.Second:
		return errors.New("loadgen: a measurement takes at least a second")
	case c.codec == nil:
		return fmt.Errorf("loadgen: the codec is one of %s", strings.Join(CodecNames(), ", "))
	case c.Burst < 1 || c.Burst > 1000:
		return errors.New("loadgen: a picture has 1 to 1000 packets")
	case c.Ramp < 0 || c.Settle < 0 || c.Apart < 0 || c.Every < 0:
		return errors.New("loadgen: a time below zero")
	case c.PacketBytes < minPayload+headerBytes || c.PacketBytes > 1400:
		return fmt.Errorf("loadgen: packets have %d to 1400 bytes", minPayload+headerBytes)
	case c.Sample < 0 || c.Sample > 1<<10:
		return errors.New("loadgen: the sample is every 1st to 1024th packet")
	case c.Capacity != nil && (c.Capacity.Growth <= 1 || c.Viewers == 0):
		return errors.New("loadgen: a search begins with at least one viewer and grows by a factor above 1")
	}
	return nil
}
