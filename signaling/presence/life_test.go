package presence_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley/parley/signaling/presence"
	"github.com/parley/parley/signaling/token"
)

func TestStreamBasics(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{Timing: presence.Timing{Retry: time.Second}}, 0)
	room := g.rooms.Room("r")
	s := g.stream(t.Context(), "/v1/rooms/r/events")
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Accept", "X-Content-Type-Options": "nosniff",
	} {
		if got := s.resp.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	snapshot := s.mustNext(t, "snapshot")
	if ms, err := strconv.Atoi(s.retry); err != nil || ms < 500 || ms >= 1500 {
		t.Errorf("retry %q", s.retry)
	}
	room.Join("ann") // the first join of a room that nobody was in
	room.Whisper("psst")
	room.Leave("ann")
	if e := s.mustNext(t, "joined"); !strings.Contains(e.data, `"position":"`+e.id+`"`) {
		t.Errorf("%+v", e)
	}
	s.mustNext(t, "left")

	// Last-Event-ID goes before ?after=.
	again := g.stream(t.Context(), "/v1/rooms/r/events?after=rubbish", "Last-Event-ID: "+snapshot.id)
	again.mustNext(t, "joined")
	again.mustNext(t, "left")
}

// A stream with nothing to say says so at once: its headers and first bytes do not wait for news.
func TestFirstFlush(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{}, 0)
	room := g.rooms.Room("r")
	s := g.stream(t.Context(), "/v1/rooms/r/events?after="+room.Log().Position().String())
	line, err := s.lines.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, ":") {
		t.Errorf("%q, %v", line, err)
	}
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{Timing: presence.Timing{Heartbeat: 20 * time.Millisecond}}, 0)
	room := g.rooms.Room("r")
	s := g.stream(t.Context(), "/v1/rooms/r/events")
	s.mustNext(t, "snapshot")
	first := s.beats
	time.AfterFunc(200*time.Millisecond, func() { room.Join("ann") })
	s.mustNext(t, "joined")
	if beats := s.beats - first; beats < 3 || beats > 14 { // each 15 to 25 ms; a busy machine is late
		t.Errorf("%d heartbeats in 200 ms", beats)
	}
}

func TestStreamLifeEnds(t *testing.T) {
	t.Parallel()
	cfg := guarded(t)
	cfg.Timing.Stream = 100 * time.Millisecond
	g := newRig(t, cfg, 0)
	for name, ttl := range map[string]time.Duration{"its own time": time.Hour, "its token's": 10 * time.Millisecond} {
		bearer := "Authorization: Bearer " + sign(t, "r", ttl, token.Watch)
		s := g.stream(t.Context(), "/v1/rooms/r/events", bearer)
		s.mustNext(t, "snapshot")
		if e, err := s.next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %+v, %v; want a clean end", name, e, err)
		}
	}
}

// A poll does not outlast its token.
func TestPollEndsWithToken(t *testing.T) {
	t.Parallel()
	g := newRig(t, guarded(t), 0)
	at := g.rooms.Room("r").Log().Position().String()
	bearer := sign(t, "r", time.Second, token.Watch)
	begin := time.Now()
	resp, body := g.get("/v1/rooms/r/events?wait=50s&after="+at, "Authorization: Bearer "+bearer)
	if resp.StatusCode != http.StatusOK || time.Since(begin) > 10*time.Second {
		t.Errorf("%d %s after %v", resp.StatusCode, body, time.Since(begin))
	}
}

// Over the limit an EventSource is told to come back and a poller gets a 503; when there is room again, both are served.
func TestTooManyWatchers(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{MaxWatchers: 2, Timing: presence.Timing{Busy: 30 * time.Second}}, 0)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 2 {
		g.stream(ctx, "/v1/rooms/r/events").mustNext(t, "snapshot")
	}
	s := g.stream(t.Context(), "/v1/rooms/r/events")
	e, err := s.next()
	if ms, convErr := strconv.Atoi(s.retry); !errors.Is(err, io.EOF) || convErr != nil || ms < 15_000 || ms >= 45_000 {
		t.Errorf("%+v, %v, retry %q", e, err, s.retry)
	}
	resp, body := g.get("/v1/rooms/r/events")
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || !strings.Contains(body, "too_many_watchers") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if st := g.server.Stats(); st.Busy != 2 || st.Watchers != 2 {
		t.Errorf("%+v", st)
	}
	cancel()
	waitFor(t, "the watchers to be gone", func() bool { return g.server.Stats().Watchers == 0 })
	g.stream(t.Context(), "/v1/rooms/r/events").mustNext(t, "snapshot")
}

// One watcher stops reading. It is cut off, the others lose nothing, and it resumes by its position.
func TestSlowWatcher(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{Timing: presence.Timing{Write: 8 * time.Second}}, 100_000)
	room := g.rooms.Room("r")
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.http.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "GET /v1/rooms/r/events HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", acceptSSE); err != nil {
		t.Fatal(err)
	}
	raw := newSSE(&http.Response{Body: io.NopCloser(conn)})
	raw.lines = bufio.NewReaderSize(conn, 16)
	for line := ""; line != "event: snapshot\n"; {
		if line, err = raw.lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	good := g.stream(ctx, "/v1/rooms/r/events")
	at := good.mustNext(t, "snapshot").id
	var all sync.WaitGroup
	var seen atomic.Int64
	all.Go(func() {
		for {
			if _, err := good.next(); err != nil {
				return
			}
			seen.Add(1)
		}
	})
	joined := 0
	name := strings.Repeat("n", 400)
	waitFor(t, "the slow one to be cut off", func() bool {
		if int(seen.Load()) < joined || joined > 25_000 { // no faster than the good one reads, no more than one write to a third may take
			return g.server.Stats().Slow > 0
		}
		for range 200 { // about 100 KB each time: the kernel buffers some MB on loopback
			room.Join(fmt.Sprint(name, joined))
			joined++
		}
		return g.server.Stats().Slow > 0
	})
	waitFor(t, "the good one to see it all", func() bool { return g.server.Stats().Watchers == 1 })
	room.Leave(fmt.Sprint(name, 0))
	resumed := g.stream(t.Context(), "/v1/rooms/r/events", "Last-Event-ID: "+at)
	for range joined {
		resumed.mustNext(t, "joined")
	}
	resumed.mustNext(t, "left")
	cancel()
	all.Wait()
	if seen.Load() == 0 {
		t.Error("the good one saw nothing")
	}
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{Timing: presence.Timing{Drain: 300 * time.Millisecond}}, 0)
	at := g.rooms.Room("r").Log().Position().String()
	const watchers = 20
	retries := make(chan string, watchers)
	for range watchers {
		s := g.stream(t.Context(), "/v1/rooms/r/events")
		s.mustNext(t, "snapshot")
		go func() {
			if e, err := s.next(); !errors.Is(err, io.EOF) {
				t.Errorf("%+v, %v; want a clean end", e, err)
			}
			retries <- s.retry
		}()
	}
	polled := make(chan string, 1)
	go func() {
		_, body := g.get("/v1/rooms/r/events?wait=50s&after=" + at)
		polled <- body
	}()
	waitFor(t, "all to watch", func() bool { return g.server.Stats().Watchers == watchers+1 })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := g.server.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if body := <-polled; !strings.Contains(body, `"events":[]`) || !strings.Contains(body, at) {
		t.Error(body)
	}
	for range watchers { // few may come back sooner than many
		if ms, err := strconv.Atoi(<-retries); err != nil || ms < 200 || ms > 900 {
			t.Errorf("told to come back after %d ms, %v", ms, err)
		}
	}
	if s := g.stream(t.Context(), "/v1/rooms/r/events"); true {
		if e, err := s.next(); !errors.Is(err, io.EOF) || s.retry == "" {
			t.Errorf("%+v, %v, retry %q", e, err, s.retry)
		}
	}
	if err := g.server.Shutdown(ctx); err != nil {
		t.Errorf("a second time: %v", err)
	}
}

func TestShutdownInHaste(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{Timing: presence.Timing{Drain: time.Hour}}, 0)
	s := g.stream(t.Context(), "/v1/rooms/r/events")
	s.mustNext(t, "snapshot")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.server.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if e, err := s.next(); !errors.Is(err, io.EOF) {
		t.Errorf("%+v, %v", e, err)
	}
}

// A read timeout of the HTTP server, right for requests, must not end a stream, which sends nothing more. The timeout is
// long enough for a request to be read in by a loaded machine, and both answers come after it.
func TestServerTimeoutsDoNotEndStreams(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{}, 0)
	at := g.rooms.Room("r").Log().Position().String()
	slow := &http.Server{Handler: g.server, ReadTimeout: time.Second, WriteTimeout: time.Second}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- slow.Serve(l) }()
	t.Cleanup(func() {
		slow.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	url := "http://" + l.Addr().String() + "/v1/rooms/r/events"
	resp, err := g.client.Get(url + "?wait=1500ms&after=" + at)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || !strings.Contains(string(body), `"events":[]`) {
		t.Errorf("poll: %q, %v", body, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err = g.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	s := newSSE(resp)
	s.mustNext(t, "snapshot")
	time.AfterFunc(1500*time.Millisecond, func() { g.rooms.Room("r").Join("ann") })
	s.mustNext(t, "joined")
}

// A room that ends ends its streams; who comes back gets a snapshot of the new one.
func TestRoomStartsAnew(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{}, 0)
	room := g.rooms.Room("r")
	s := g.stream(t.Context(), "/v1/rooms/r/events")
	s.mustNext(t, "snapshot")
	room.Join("ann")
	at := s.mustNext(t, "joined").id
	room.Restart()
	if e, err := s.next(); !errors.Is(err, io.EOF) {
		t.Fatalf("%+v, %v", e, err)
	}
	e := g.stream(t.Context(), "/v1/rooms/r/events", "Last-Event-ID: "+at).mustNext(t, "snapshot")
	if !strings.Contains(e.data, "ann") || e.id == at {
		t.Errorf("%+v", e)
	}
}

// Many who come back together with nothing in hand cost one encoding of the snapshot.
func TestStormEncodesOnce(t *testing.T) {
	t.Parallel()
	g := newRig(t, presence.Config{}, 0)
	room := g.rooms.Room("r")
	for i := range 50 {
		room.Join(fmt.Sprint(i))
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range 10 {
				if _, body := g.get("/v1/rooms/r/events"); !strings.Contains(body, "snapshot") {
					t.Error(body)
				}
			}
		})
	}
	all.Wait()
	if n := room.Encodings(); n != 1 {
		t.Errorf("%d encodings for 200 watchers", n)
	}
}
