package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/sfu/quality"
	"github.com/parley/parley/signaling/token"
)

// fakeMedia is a media node in memory.
type fakeMedia struct {
	// negotiate, if set, answers offers in place of the default.
	negotiate func(ctx context.Context, id string, o sfu.Offer) (string, error)

	mu       sync.Mutex
	peers    map[string]*fakePeer
	loudness []*fakeSpeakers
}

func newFakeMedia() *fakeMedia { return &fakeMedia{peers: map[string]*fakePeer{}} }

func (m *fakeMedia) NewPeer(id, _ string, on sfu.PeerEvents) (Peer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &fakePeer{id: id, media: m, on: on, published: map[sfu.Kind]*sfu.Source{}, muted: map[sfu.Kind]bool{}, used: map[sfu.Kind][]string{}}
	m.peers[id] = p
	return p, nil
}

func (m *fakeMedia) NewSpeakers() Speakers {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &fakeSpeakers{heard: map[string]*sfu.Source{}}
	m.loudness = append(m.loudness, s)
	return s
}

// peer returns the peer with this id.
func (m *fakeMedia) peer(id string) *fakePeer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.peers[id]
}

// open counts the peers that are not closed.
func (m *fakeMedia) open() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, p := range m.peers {
		p.mu.Lock()
		if !p.closed {
			n++
		}
		p.mu.Unlock()
	}
	return n
}

// speak sets who is loud in every room.
func (m *fakeMedia) speak(ids ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.loudness {
		s.mu.Lock()
		s.loudest = ids
		s.mu.Unlock()
	}
}

type fakePeer struct {
	id    string
	media *fakeMedia
	on    sfu.PeerEvents

	mu        sync.Mutex
	offers    []sfu.Offer
	published map[sfu.Kind]*sfu.Source
	muted     map[sfu.Kind]bool
	used      map[sfu.Kind][]string
	view      []sfu.SlotView
	got       []sfu.Data
	slow      bool
	closed    bool
	refusal   error // of Show
	heard     uint64
}

var _ Peer = (*fakePeer)(nil)

func (p *fakePeer) Negotiate(ctx context.Context, o sfu.Offer) (string, error) {
	if f := p.media.negotiate; f != nil {
		return f(ctx, p.id, o)
	}
	if !strings.HasPrefix(o.SDP, "v=0") {
		return "", errors.Join(sfu.ErrBadOffer, errors.New("not an offer"))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offers = append(p.offers, o)
	return "v=0 answer", nil
}

func (p *fakePeer) Publish(kind sfu.Kind, muted bool) (*sfu.Source, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, sfu.ErrClosed
	}
	if !slices.ContainsFunc(p.offers[0].Send, func(l sfu.SendLine) bool { return l.Kind == kind }) {
		return nil, sfu.ErrNoLine
	}
	if p.published[kind] != nil {
		panic("published twice: " + string(kind))
	}
	p.published[kind] = sfu.NewSource(sfu.SourceConfig{Kind: kind, Codecs: []sfu.Codec{{MimeType: "video/VP8", PayloadType: 96}}})
	p.muted[kind] = muted
	return p.published[kind], nil
}

func (p *fakePeer) Unpublish(kind sfu.Kind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.published, kind)
	delete(p.muted, kind)
}

func (p *fakePeer) Mute(kind sfu.Kind, muted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.published[kind] != nil {
		p.muted[kind] = muted
	}
}

func (p *fakePeer) Use(kind sfu.Kind, rids []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used[kind] = rids
}

func (p *fakePeer) Show(view []sfu.SlotView) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.view = view
	if p.closed {
		return fmt.Errorf("show: %w", sfu.ErrClosed)
	}
	return p.refusal
}

func (p *fakePeer) Send(d sfu.Data) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slow {
		return sfu.ErrSlow
	}
	p.got = append(p.got, d)
	return nil
}

func (p *fakePeer) Heard() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard
}

// hear has the peer get a packet of its client's.
func (p *fakePeer) hear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard++
}

func (p *fakePeer) Report() quality.Report {
	return quality.Report{Downlink: quality.Downlink{Source: "none"}}
}

func (p *fakePeer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return nil
}

// shows lists what the slots show, as "slot:video+audio@width", with the ids of sources.
func (p *fakePeer) shows() []sfu.SlotView {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.view)
}

func (p *fakePeer) isMuted(kind sfu.Kind) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.muted[kind]
}

type fakeSpeakers struct {
	mu      sync.Mutex
	heard   map[string]*sfu.Source
	loudest []string
}

func (s *fakeSpeakers) Add(id string, src *sfu.Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard[id] = src
}

func (s *fakeSpeakers) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.heard, id)
}

func (s *fakeSpeakers) Update(time.Time) ([]string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, id := range s.loudest {
		if s.heard[id] != nil {
			ids = append(ids, id)
		}
	}
	return ids, true
}

// rig is a server in a synctest bubble.
type rig struct {
	t     *testing.T
	srv   *Server
	media *fakeMedia
	cfg   Config
}

var secret = []byte("0123456789abcdef0123456789abcdef")

// bubble runs test in a synctest bubble, with a server that is shut down at the end. change may alter its configuration.
func bubble(t *testing.T, change func(*Config), test func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, change)
		defer r.shutdown()
		test(t, r)
	})
}

// fakeICE names one server to everybody.
type fakeICE struct{}

func (fakeICE) Servers(_, session string, _ time.Time) ([]ICEServer, time.Duration) {
	return []ICEServer{{URLs: []string{"turn:192.0.2.1"}, Username: session, Credential: "c"}}, time.Hour
}

func (fakeICE) Revoke(string) {}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	media := newFakeMedia()
	tokens, err := token.New(token.Config{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Media: media, Tokens: tokens, Log: slog.New(slog.DiscardHandler),
		ICE: fakeICE{},
	}
	if change != nil {
		change(&cfg)
	}
	srv, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t: t, srv: srv, media: media, cfg: srv.cfg}
}

func (r *rig) shutdown() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.srv.Shutdown(ctx); err != nil {
		r.t.Errorf("shutdown: %v", err)
	}
	if n := r.media.open(); n > 0 {
		r.t.Errorf("%d peers are still open", n)
	}
}

// withSecret makes the server need tokens.
func withSecret(cfg *Config) {
	v, err := token.New(token.Config{Secrets: [][]byte{secret}})
	if err != nil {
		panic(err)
	}
	cfg.Tokens = v
}

// pass signs a token for a room.
func pass(t *testing.T, room string, can ...token.Permission) string {
	t.Helper()
	signed, err := token.Sign(secret, token.Claims{
		Room: room, Identity: "ann@example.org", Name: "Ann Token", Can: can, Expires: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// pipe is a connection in memory.
type pipe struct {
	mu     sync.Mutex
	msgs   [][]byte
	stuck  chan struct{} // non-nil: writes wait until it is closed, or for their deadline
	broken bool          // writes fail
	code   CloseCode
	reason string

	news   chan struct{} // holds one
	closed chan struct{} // by either side
	once   sync.Once
}

func newPipe() *pipe { return &pipe{news: make(chan struct{}, 1), closed: make(chan struct{})} }

var errBroken = errors.New("broken pipe")

func (p *pipe) Write(ctx context.Context, msgs ...[]byte) error {
	p.mu.Lock()
	stuck := p.stuck
	p.mu.Unlock()
	if stuck != nil {
		select {
		case <-stuck:
		case <-ctx.Done():
			return ctx.Err()
		case <-p.closed:
			return errBroken
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken {
		return errBroken
	}
	p.msgs = append(p.msgs, msgs...)
	select {
	case p.news <- struct{}{}:
	default:
	}
	return nil
}

func (p *pipe) Close(code CloseCode, reason string) {
	p.once.Do(func() {
		p.mu.Lock()
		p.code, p.reason = code, reason
		p.mu.Unlock()
		close(p.closed)
	})
}

func (p *pipe) stall() (release func()) {
	gate := make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stuck = gate
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stuck = nil
		close(gate)
	}
}

// client is one end user: a connection, and all that came over it.
type client struct {
	t    *testing.T
	rig  *rig
	room string
	from netip.Addr
	link *Link
	pipe *pipe
	read int // messages looked at
	id   uint64

	// From welcome.
	me, secret    string
	knock, ticket string // as place found them
	welcome       map[string]any
}

// dial opens a connection. The transport's end is noticed as a reader would.
func (r *rig) dial(room string) *client {
	r.t.Helper()
	c := &client{t: r.t, rig: r, room: room}
	c.connect("")
	return c
}

func (c *client) connect(bearer string) {
	c.t.Helper()
	c.pipe, c.read = newPipe(), 0
	link, err := c.rig.srv.Open(c.room, bearer, c.from, c.pipe)
	if err != nil {
		c.t.Fatal(err)
	}
	c.link = link
	p := c.pipe
	go func() { // the transport's reader
		<-p.closed
		p.mu.Lock()
		graceful := p.code == 1001
		p.mu.Unlock()
		link.End(graceful)
	}()
}

// cut ends the connection as a lost network does.
func (c *client) cut() {
	c.pipe.mu.Lock()
	c.pipe.broken = true
	c.pipe.mu.Unlock()
	c.pipe.Close(closeGone, "")
	synctest.Wait()
}

// closePage ends the connection as a closed page does.
func (c *client) closePage() {
	c.pipe.Close(1001, "")
	synctest.Wait()
}

// send sends a message and waits until the server has dealt with it.
func (c *client) send(msg any) {
	c.t.Helper()
	raw, ok := msg.(string)
	if !ok {
		b, err := json.Marshal(msg)
		if err != nil {
			c.t.Fatal(err)
		}
		raw = string(b)
	}
	c.link.Receive([]byte(raw))
	synctest.Wait()
}

type fields map[string]any

// ask sends a request and returns its reply.
func (c *client) ask(typ string, f fields) map[string]any {
	c.t.Helper()
	c.id++
	msg := fields{"type": typ, "id": c.id}
	maps.Copy(msg, f)
	c.send(msg)
	reply := c.reply(c.id)
	if reply == nil {
		c.t.Fatalf("%s: no reply; got %v", typ, c.all())
	}
	return reply
}

// must asks and wants no error.
func (c *client) must(typ string, f fields) map[string]any {
	c.t.Helper()
	reply := c.ask(typ, f)
	if reply["type"] == "error" {
		c.t.Fatalf("%s %v: %v", typ, f, reply)
	}
	return reply
}

// refused asks and wants this error.
func (c *client) refused(code errorCode, typ string, f fields) {
	c.t.Helper()
	reply := c.ask(typ, f)
	if reply["type"] != "error" || reply["code"] != string(code) {
		c.t.Errorf("%s %v: got %v, want the error %s", typ, f, reply, code)
	}
	if msg, _ := reply["message"].(string); msg == "" {
		c.t.Errorf("the error has no sentence: %v", reply)
	}
}

// all returns every message that came over the present connection.
func (c *client) all() []map[string]any {
	c.t.Helper()
	c.pipe.mu.Lock()
	defer c.pipe.mu.Unlock()
	var msgs []map[string]any
	for _, raw := range c.pipe.msgs {
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			c.t.Fatalf("the server sent %q: %v", raw, err)
		}
		msgs = append(msgs, m)
	}
	return msgs
}

// reply returns the answer to a request on the present connection, or nil.
func (c *client) reply(id uint64) map[string]any {
	c.t.Helper()
	for _, m := range c.all() {
		if m["id"] == float64(id) {
			return m
		}
	}
	return nil
}

// events returns the events of some types that came since the last call, or of all types.
func (c *client) events(types ...string) []map[string]any {
	c.t.Helper()
	synctest.Wait()
	all := c.all()
	fresh := all[c.read:]
	c.read = len(all)
	var events []map[string]any
	for _, m := range fresh {
		typ := m["type"].(string)
		if m["position"] == nil || slices.Contains([]string{"ok", "pong", "resumed", "welcome"}, typ) {
			continue
		}
		if len(types) == 0 || slices.Contains(types, typ) {
			events = append(events, m)
		}
	}
	return events
}

// event returns the one event of a type that came since the last call of events.
func (c *client) event(typ string) map[string]any {
	c.t.Helper()
	events := c.events(typ)
	if len(events) != 1 {
		c.t.Fatalf("%d events %s: %v", len(events), typ, events)
	}
	return events[0]
}

// offer is a client's media: all four kinds, and slots.
func offer(slots int) fields {
	lines := []fields{}
	for i, kind := range sourceOrder() {
		lines = append(lines, fields{"mid": string(rune('0' + i)), "kind": kind})
	}
	pairs := []fields{}
	for range slots {
		pairs = append(pairs, fields{"audio": "8", "video": "9"})
	}
	return fields{"sdp": "v=0", "send": lines, "slots": pairs}
}

// joined dials and joins with some slots; 0 is without media.
func (r *rig) joined(room, name string, slots int) *client {
	r.t.Helper()
	c := r.dial(room)
	f := fields{"name": name}
	if slots > 0 {
		f["media"] = offer(slots)
	}
	c.join(f)
	return c
}

func (c *client) join(f fields) {
	c.t.Helper()
	c.welcome = c.must("join", f)
	if c.welcome["type"] != "welcome" {
		c.t.Fatalf("join: %v", c.welcome)
	}
	c.me, c.secret = c.welcome["participant"].(string), c.welcome["secret"].(string)
	c.events()
}

// position is the newest position that the client has seen.
func (c *client) position() string {
	c.t.Helper()
	at := ""
	for _, m := range c.all() {
		if m["type"] == "welcome" {
			at = m["room"].(map[string]any)["position"].(string)
		} else if p, ok := m["position"].(string); ok && m["type"] != "pong" && m["type"] != "ok" {
			at = p
		}
	}
	return at
}

// resume opens a new connection and resumes from a position.
func (c *client) resume(position string) map[string]any {
	c.t.Helper()
	c.connect("")
	return c.ask("resume", fields{"session": c.me, "secret": c.secret, "position": position})
}

// closedWith wants the connection to have been closed with code.
func (c *client) closedWith(code CloseCode) {
	c.t.Helper()
	synctest.Wait()
	select {
	case <-c.pipe.closed:
	default:
		c.t.Fatalf("the connection is open, want it closed with %d; got %v", code, c.all())
	}
	if c.pipe.code != code {
		c.t.Errorf("closed with %d %s, want %d", c.pipe.code, c.pipe.code, code)
	}
}

func (c *client) isOpen() bool {
	synctest.Wait()
	select {
	case <-c.pipe.closed:
		return false
	default:
		return true
	}
}

// snapshot is the room as the server has it.
func (r *rig) snapshot(room string) Snapshot {
	r.t.Helper()
	rm := r.srv.lookup(room)
	if rm == nil {
		return Snapshot{}
	}
	rm.mu.Lock()
	defer rm.mu.Unlock()
	return rm.snapshotLocked(rm.events.Position())
}
