package presence_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley/parley/signaling/presence"
	"github.com/parley/parley/signaling/presence/internal/fakeroom"
)

// rig is a server on loopback with rooms that the test plays with.
type rig struct {
	t      testing.TB
	rooms  *fakeroom.Rooms
	server *presence.Server
	http   *httptest.Server
	client *http.Client
}

func newRig(t testing.TB, cfg presence.Config, capacity int) *rig {
	t.Helper()
	rooms := &fakeroom.Rooms{Capacity: capacity}
	cfg.Rooms = rooms
	server, err := presence.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	g := &rig{t: t, rooms: rooms, server: server, http: httptest.NewServer(server)}
	g.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	t.Cleanup(func() {
		g.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		if err := g.server.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		g.http.CloseClientConnections()
		g.http.Close()
	})
	return g
}

// do makes a request; header lines are "Name: value".
func (g *rig) do(ctx context.Context, method, path string, header ...string) *http.Response {
	g.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, g.http.URL+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Add(name, value)
	}
	resp, err := g.client.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp
}

// get makes a GET and reads the answer whole.
func (g *rig) get(path string, header ...string) (*http.Response, string) {
	g.t.Helper()
	resp := g.do(g.t.Context(), http.MethodGet, path, header...)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp, string(body)
}

// waitFor waits until ok holds.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// event is one SSE event as a client sees it.
type event struct{ id, name, data string }

// sse is a reader of an event stream, written from the HTML standard and for nothing else.
type sse struct {
	resp  *http.Response
	lines *bufio.Reader
	retry string
	beats int
}

const acceptSSE = "Accept: text/event-stream"

func (g *rig) stream(ctx context.Context, path string, header ...string) *sse {
	g.t.Helper()
	resp := g.do(ctx, http.MethodGet, path, append(header, acceptSSE)...)
	if ct := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || ct != "text/event-stream" {
		resp.Body.Close()
		g.t.Fatalf("%d, %s", resp.StatusCode, ct)
	}
	s := newSSE(resp)
	g.t.Cleanup(func() { resp.Body.Close() })
	return s
}

func newSSE(resp *http.Response) *sse { return &sse{resp: resp, lines: bufio.NewReader(resp.Body)} }

// next reads up to the next event that would be dispatched.
func (s *sse) next() (event, error) {
	var e event
	var data []string
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return event{}, err
		}
		line = strings.TrimSuffix(line, "\n")
		if strings.Contains(line, "\r") {
			return event{}, fmt.Errorf("a CR in %q", line)
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && data == nil:
			e = event{}
		case line == "":
			e.data = strings.Join(data, "\n")
			return e, nil
		case field == "":
			s.beats++
		case field == "id":
			e.id = value
		case field == "event":
			e.name = value
		case field == "data":
			data = append(data, value)
		case field == "retry":
			s.retry = value
		default:
			return event{}, fmt.Errorf("unknown line %q", line)
		}
	}
}

func (s *sse) mustNext(t testing.TB, name string) event {
	t.Helper()
	e, err := s.next()
	if err != nil || e.name != name {
		t.Fatalf("%s %s %.300s, %v; want %s", e.id, e.name, e.data, err, name)
	}
	return e
}

// view is what a watcher makes of what it is told: the list of those present.
type view struct {
	moderates bool // and may be told who waits
	people    []string
	waiting   []string
	last      string // position
	snapshots int
	events    int
}

type wire struct {
	Type         string          `json:"type"`
	Position     string          `json:"position"`
	Participant  json.RawMessage `json:"participant"`
	Participants []struct{ ID string }
	Knock        json.RawMessage        `json:"knock"`
	Waiting      *[]struct{ ID string } `json:"waiting"`
}

// apply takes one event, and is strict: nothing may come twice, nothing may be missing.
func (v *view) apply(name, id, data string) error {
	var w wire
	if err := json.Unmarshal([]byte(data), &w); err != nil {
		return fmt.Errorf("%s: %w", data, err)
	}
	if w.Position != id {
		return fmt.Errorf("id %s, position %s", id, w.Position)
	}
	if !strings.HasPrefix(v.last, strings.Split(id, ".")[0]) && name != "snapshot" {
		return fmt.Errorf("from %s to %s without a snapshot", v.last, id)
	}
	v.last = id
	switch name {
	case "snapshot":
		v.snapshots++
		v.people = v.people[:0]
		for _, p := range w.Participants {
			v.people = append(v.people, p.ID)
		}
		return v.snapshot(w)
	case "knocking", "knock_ended":
		return v.knock(name, w.Knock)
	case "joined":
		var p struct{ ID string }
		if err := json.Unmarshal(w.Participant, &p); err != nil {
			return err
		}
		v.events++
		return v.join(p.ID)
	case "left":
		var id string
		if err := json.Unmarshal(w.Participant, &id); err != nil {
			return err
		}
		v.events++
		return v.leave(id)
	}
	return fmt.Errorf("a watcher sees %s", name)
}

// snapshot takes the list of those who wait, which is there for those alone who may see it.
func (v *view) snapshot(w wire) error {
	if v.moderates != (w.Waiting != nil) {
		return fmt.Errorf("a list of who waits: %v, moderates: %v", w.Waiting != nil, v.moderates)
	}
	v.waiting = v.waiting[:0]
	if w.Waiting != nil {
		for _, k := range *w.Waiting {
			v.waiting = append(v.waiting, k.ID)
		}
	}
	return nil
}

func (v *view) knock(name string, raw json.RawMessage) error {
	if !v.moderates {
		return fmt.Errorf("a watcher sees %s", name)
	}
	if name == "knock_ended" {
		if len(v.waiting) == 0 || string(raw) != strconv.Quote(v.waiting[0]) {
			return fmt.Errorf("%s ended, of %v", raw, v.waiting)
		}
		v.waiting = v.waiting[1:]
		return nil
	}
	var k struct{ ID string }
	if err := json.Unmarshal(raw, &k); err != nil {
		return err
	}
	if slices.Contains(v.waiting, k.ID) {
		return fmt.Errorf("%s knocks twice", k.ID)
	}
	v.waiting = append(v.waiting, k.ID)
	return nil
}

func (v *view) join(id string) error {
	if slices.Contains(v.people, id) {
		return fmt.Errorf("%s joined twice", id)
	}
	v.people = append(v.people, id)
	return nil
}

func (v *view) leave(id string) error {
	for i, p := range v.people {
		if p == id {
			v.people = append(v.people[:i:i], v.people[i+1:]...)
			return nil
		}
	}
	return fmt.Errorf("%s left, and was not there", id)
}

// cutter stands between clients and the server and cuts their connections.
type cutter struct {
	listener net.Listener
	to       string
	all      sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func newCutter(t testing.TB, to string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: l, to: strings.TrimPrefix(to, "http://"), conns: map[net.Conn]struct{}{}}
	c.all.Go(c.accept)
	t.Cleanup(func() {
		l.Close()
		c.cut()
		c.all.Wait()
	})
	return c
}

func (c *cutter) url() string { return "http://" + c.listener.Addr().String() }

func (c *cutter) accept() {
	for {
		in, err := c.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", c.to)
		if err != nil {
			in.Close()
			return
		}
		c.mu.Lock()
		c.conns[in], c.conns[out] = struct{}{}, struct{}{}
		c.mu.Unlock()
		c.all.Go(func() { c.copy(in, out) })
		c.all.Go(func() { c.copy(out, in) })
	}
}

// copy ends when either side does; errors are what it is for.
func (c *cutter) copy(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	to.Close()
	from.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, from)
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		conn.Close()
	}
}
