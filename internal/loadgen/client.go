package loadgen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtcp"
)

// Conn is one client's signaling connection. Write may be called by several goroutines at once; Close ends a Read.
type Conn interface {
	Read(ctx context.Context) ([]byte, error)
	Write(ctx context.Context, msg []byte) error
	Close() error
}

// role says what a client is in the room.
type role struct {
	room     string
	identity string
	slots    int  // 0: it watches nobody
	full     bool // it takes every packet
}

// client is one participant.
type client struct {
	// Static after construction.
	cfg       *Config
	role      role
	link      *link
	receiver  *receiver
	publisher *publisher // nil: a viewer
	offer     wireOffer

	conn    Conn          // set by join
	ended   chan struct{} // set by join: closed when nothing more is read from conn; nil: nobody reads it
	stop    context.CancelFunc
	tasks   sync.WaitGroup
	reports uint32 // SSRC of its RTCP where it sends nothing

	lightened uint32 // drops of the socket when the filter came; written once, in the socket's goroutine, before light
	mu        sync.Mutex
	light     bool     // Guarded by mu: the filter is there.
	own       string   // Guarded by mu: participant id.
	seen      []string // Guarded by mu: participants who publish.
	lastID    int      // Guarded by mu: of requests.
	failure   error    // Guarded by mu: why it ended before close.
}

// newClient prepares a client up to its offer. A publisher has a number of its own.
func newClient(cfg *Config, id *identity, m *meter, r role, publisher int) (*client, error) {
	c := &client{cfg: cfg, role: r, reports: rand.Uint32() | 1, stop: func() {}}
	c.receiver = &receiver{
		every: cfg.every, full: r.full, meter: m, codec: cfg.codec, keyframe: func(uint32) {}, streams: map[uint32]*inbound{},
		scratch: make([]byte, 0, 2048), seen: make(chan struct{}),
	}
	if !r.full && cfg.every > 1 {
		c.receiver.lighten = c.lighten
	}
	if !cfg.NoFeedback && c.receiver.lighten == nil && r.slots > 0 {
		c.receiver.feedback = newFeedback(c.reports)
	}
	sock, err := listen(cfg.local, c.receiver.receive)
	if err != nil {
		return nil, err
	}
	if c.link, err = newLink(id, sock); err != nil {
		return nil, errors.Join(err, sock.Close())
	}
	ufrag, password, err := c.link.agent.GetLocalUserCredentials()
	if err != nil {
		return nil, errors.Join(err, c.link.close())
	}
	o := offer{ufrag: ufrag, password: password, fingerprint: id.fingerprint, slots: r.slots, codec: cfg.codec, feedback: c.receiver.feedback != nil, data: cfg.Data}
	if publisher >= 0 {
		p := newPublisher(publisher, cfg, c.link.write)
		c.publisher, c.reports = p, p.audio.ssrc
		c.receiver.keyframe = p.keyframe
		o.send, o.audioSSRC, o.videoSSRC, o.rids = true, p.audio.ssrc, p.video[0].ssrc, p.rids()
	}
	c.offer = o.wire()
	return c, nil
}

// lighten puts the filter on the socket. Where that fails the client goes on in full, and the report says so.
func (c *client) lighten() {
	if err := attach(c.link.sock.conn, samplingFilter(c.cfg.every)); err != nil {
		return
	}
	n, err := drops(c.link.sock.conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lightened, c.light = n, err == nil
}

// join takes the client into its room and returns once media flows both ways, as far as it wants any.
func (c *client) join(ctx context.Context) error {
	c.receiver.begin()
	conn, err := c.cfg.Dial(ctx, c.role.room)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	c.conn = conn
	a, err := c.enter(ctx)
	if err != nil {
		return err
	}
	if err := c.publish(ctx); err != nil {
		return err
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	c.ended = make(chan struct{})
	c.tasks.Go(func() {
		defer close(c.ended)
		c.follow(life)
	})
	decrypt, err := c.link.connect(ctx, a, c.cfg.Data)
	if err != nil {
		return err
	}
	c.receiver.start(decrypt)
	c.tasks.Go(func() { c.tick(life) })
	return nil
}

// enter sends the join and takes the welcome.
func (c *client) enter(ctx context.Context) (answer, error) {
	token, err := c.cfg.Token(c.role.room, c.role.identity)
	if err != nil {
		return answer{}, fmt.Errorf("token: %w", err)
	}
	m := joinMessage{Type: "join", ID: c.nextID(), Token: token, Name: c.role.identity, Media: c.offer}
	if token == "" {
		m.Identity = c.role.identity
	}
	if err := c.send(ctx, m); err != nil {
		return answer{}, err
	}
	for {
		msg, err := c.conn.Read(ctx)
		if err != nil {
			return answer{}, fmt.Errorf("join: %w", err)
		}
		e, err := parseEvent(msg)
		if err != nil {
			return answer{}, err
		}
		switch e.Type {
		case "error":
			return answer{}, fmt.Errorf("join: the server says %s: %s", e.Code, e.Message)
		case "welcome":
			c.mu.Lock()
			c.own = e.who()
			for _, p := range e.Room.Participants {
				if len(p.Sources) > 0 && p.ID != c.own {
					c.seen = append(c.seen, p.ID)
				}
			}
			c.mu.Unlock()
			a, err := parseAnswer(e.Media.SDP)
			if err != nil {
				return answer{}, err
			}
			return a, c.subscribe(ctx)
		}
	}
}

// publish opens the two sources of a publisher. What it sends before its transport is up goes nowhere.
func (c *client) publish(ctx context.Context) error {
	if c.publisher == nil {
		return nil
	}
	for _, kind := range []string{"microphone", "camera"} {
		if err := c.send(ctx, publishMessage{"publish", c.nextID(), kind}); err != nil {
			return err
		}
	}
	return nil
}

// subscribe asks for everybody who is known to publish, as far as there are slots.
func (c *client) subscribe(ctx context.Context) error {
	c.mu.Lock()
	var tiles []tile
	for _, id := range c.seen[:min(len(c.seen), c.role.slots)] {
		tiles = append(tiles, tile{id, "camera", c.cfg.TileWidth, c.cfg.TileHeight})
	}
	c.mu.Unlock()
	if len(tiles) == 0 {
		return nil
	}
	return c.send(ctx, subscribeMessage{"subscribe", c.nextID(), tiles})
}

// follow reads what the server says until the connection ends.
func (c *client) follow(ctx context.Context) {
	for {
		msg, err := c.conn.Read(ctx)
		if err == nil {
			err = c.hear(ctx, msg)
		}
		if err != nil {
			if ctx.Err() == nil {
				c.fail(err)
			}
			return
		}
	}
}

func (c *client) hear(ctx context.Context, msg []byte) error {
	e, err := parseEvent(msg)
	if err != nil {
		return err
	}
	who := e.who()
	c.mu.Lock()
	known, own := slices.Index(c.seen, who), who == c.own
	changed := false
	switch {
	case e.Type == "published" && known < 0 && !own:
		c.seen, changed = append(c.seen, who), true
	case e.Type == "left" && known >= 0:
		c.seen, changed = slices.Delete(c.seen, known, known+1), true
	}
	c.mu.Unlock()
	switch {
	case e.Type == "error":
		return fmt.Errorf("the server says %s: %s", e.Code, e.Message)
	case changed && c.role.slots > 0:
		return c.subscribe(ctx)
	}
	return nil
}

// Times of a client, as docs/protocol.md and RFC 3550 want them.
const (
	reportEvery = time.Second
	pingEvery   = 4 // reports
)

// tick sends feedback, reports and pings.
func (c *client) tick(ctx context.Context) {
	every, per := reportEvery, 1
	if c.receiver.feedback != nil {
		every, per = feedbackEvery, int(reportEvery/feedbackEvery)
	}
	t := time.NewTicker(every)
	defer t.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for _, pkt := range c.receiver.transport() { // each by itself: together they may not fit a datagram
			c.sendRTCP([]rtcp.Packet{pkt})
		}
		if n%per != 0 {
			continue
		}
		pkts := c.receiver.reports(c.reports)
		if c.publisher != nil {
			pkts = append(c.publisher.reports(), pkts...)
		}
		if len(pkts) > 0 {
			c.sendRTCP(pkts)
		}
		if n%(per*pingEvery) == 0 {
			if err := c.send(ctx, map[string]string{"type": "ping"}); err != nil && ctx.Err() == nil {
				c.fail(err)
				return
			}
		}
	}
}

func (c *client) sendRTCP(pkts []rtcp.Packet) {
	b, err := rtcp.Marshal(pkts)
	if err == nil {
		err = c.link.write(b, true)
	}
	if err != nil && !errors.Is(err, errNoKeys) && !errors.Is(err, net.ErrClosed) {
		c.fail(fmt.Errorf("rtcp: %w", err))
	}
}

func (c *client) nextID() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastID++
	return c.lastID
}

func (c *client) send(ctx context.Context, message any) error {
	b, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if err := c.conn.Write(ctx, b); err != nil {
		return fmt.Errorf("signaling: %w", err)
	}
	return nil
}

func (c *client) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure == nil {
		c.failure = err
	}
}

// err is why the client ended before it was closed, nil while it has not.
func (c *client) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// dropped is what the kernel dropped of the client's datagrams: RTP by the filter of a light client, since that was there;
// packets that a full one did not read in time.
func (c *client) dropped() (n uint64, light bool) {
	now, err := drops(c.link.sock.conn)
	if err != nil {
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return uint64(now - c.lightened), c.light
}

// goodbye is how long the server has to close a connection whose client has left.
const goodbye = 2 * time.Second

// farewell says that the client leaves, and waits until the server has closed the connection. Were it cut at once, with news unread in it, the server's
// next write would fail, and it would take the client for one that comes back: in its room for 30 s more, with its slots.
func (c *client) farewell(ctx context.Context) {
	if err := c.send(ctx, map[string]string{"type": "leave"}); err != nil || c.ended == nil {
		return // whoever failed cannot say goodbye
	}
	ctx, cancel := context.WithTimeout(ctx, goodbye)
	defer cancel()
	select {
	case <-c.ended:
	case <-ctx.Done():
	}
}

// close leaves the room and waits for all goroutines of the client.
func (c *client) close(ctx context.Context) error {
	if c.conn != nil {
		c.farewell(ctx)
	}
	c.stop()
	err := c.link.close()
	if c.conn != nil {
		err = errors.Join(err, c.conn.Close())
	}
	c.tasks.Wait()
	return err
}
