package main

import (
	"bufio"
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley/parley/internal/gate"
)

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	var panics atomic.Uint64
	h := guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }), &panics, slog.New(slog.NewTextHandler(&logged, nil)))
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/x?access_token=private", nil))
	if rec.Code != http.StatusInternalServerError || strings.Contains(rec.Body.String(), "boom") {
		t.Errorf("%d %q", rec.Code, rec.Body)
	}
	if panics.Load() != 1 {
		t.Errorf("%d counted", panics.Load())
	}
	if !strings.Contains(logged.String(), "boom") || strings.Contains(logged.String(), "private") {
		t.Errorf("log: %s", &logged)
	}
}

// TestPanicOfAnUpgrade wants the one connection to end, also where no ResponseWriter of ours is around it.
func TestPanicOfAnUpgrade(t *testing.T) {
	t.Parallel()
	var panics atomic.Uint64
	boom := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })
	quiet := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	srv := httptest.NewServer(routes(parts{ws: boom, presence: quiet, pages: quiet, access: quiet, doors: quiet}, &panics, silent()))
	t.Cleanup(srv.Close)
	for range 2 {
		for _, path := range []string{"/v1/rooms/a/ws", "/v1/rooms", "/"} {
			if res, err := srv.Client().Get(srv.URL + path); err == nil {
				res.Body.Close()
				t.Errorf("%s: answered %d", path, res.StatusCode)
			}
		}
	}
	if panics.Load() != 2 {
		t.Errorf("%d counted, want those of the upgrade", panics.Load())
	}
}

// TestPanicAfterTheHeader wants the connection cut: a client must not take a half response for a whole one.
func TestPanicAfterTheHeader(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		panic("boom")
	}), &atomic.Uint64{}, silent()))
	t.Cleanup(srv.Close)
	client := srv.Client()
	res, err := client.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := bytes.NewBuffer(nil).ReadFrom(res.Body); err == nil {
		t.Error("the response looks whole")
	}
}

func TestForeignPagesCannotWrite(t *testing.T) {
	t.Parallel()
	h := guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), &atomic.Uint64{}, silent())
	for site, want := range map[string]int{"cross-site": http.StatusForbidden, "same-origin": http.StatusOK} {
		req := httptest.NewRequest(http.MethodPost, "/", nil)
		req.Header.Set("Sec-Fetch-Site", site)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		if rec.Code != want {
			t.Errorf("a POST %s: %d, want %d", site, rec.Code, want)
		}
	}
}

func TestThisMachineOnly(t *testing.T) {
	t.Parallel()
	h := thisMachineOnly(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8080": 200, "127.0.0.1:8080": 200, "[::1]:8080": 200, "[::1]": 200, "127.0.0.2": 200,
		"evil.example:8080": 421, "127.0.0.1.evil.example": 421, "10.0.0.1:8080": 421, "": 421,
	} {
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.Host = host
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		if rec.Code != want {
			t.Errorf("Host %q: %d, want %d", host, rec.Code, want)
		}
	}
}

func TestAdminRefusesForeignNames(t *testing.T) {
	t.Parallel()
	var ready atomic.Bool
	for _, c := range []struct {
		loopback bool
		host     string
		want     int
	}{
		{true, "127.0.0.1:8081", 200}, {true, "evil.example", 403}, {false, "parley.internal:8081", 200},
	} {
		h := adminHandler(&ready, prometheus.NewRegistry(), c.loopback, silent())
		req := httptest.NewRequest(http.MethodGet, "/healthz", nil)
		req.Host = c.host
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		if rec.Code != c.want {
			t.Errorf("%+v: %d", c, rec.Code)
		}
	}
}

func TestAdminRefusesForeignPages(t *testing.T) {
	t.Parallel()
	var ready atomic.Bool
	ready.Store(true)
	for _, loopback := range []bool{true, false} {
		h := adminHandler(&ready, prometheus.NewRegistry(), loopback, silent())
		for _, c := range []struct {
			header, value string
			want          int
		}{
			{"X-None", "", 200},
			{"Sec-Fetch-Site", "none", 200},
			{"Sec-Fetch-Site", "same-origin", 200},
			{"Sec-Fetch-Site", "cross-site", 403},
			{"Sec-Fetch-Site", "same-site", 403},
			{"Sec-Fetch-Site", "Same-Origin", 403},
			{"Origin", "http://127.0.0.1:8081", 200},
			{"Origin", "http://127.0.0.1:8080", 403},
			{"Origin", "null", 403},
			{"Origin", "https://evil.example", 403},
			{"Origin", "%", 403},
		} {
			for _, path := range []string{"/readyz", "/debug/pprof/cmdline", "/metrics"} {
				req := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8081"+path, nil)
				req.Header.Set(c.header, c.value)
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, req)
				if rec.Code != c.want {
					t.Errorf("%s with %s %q: %d, want %d", path, c.header, c.value, rec.Code, c.want)
				}
			}
		}
	}
}

// TestWebSocketRouteIsBare holds what the upgrade needs: the ResponseWriter that net/http made.
func TestWebSocketRouteIsBare(t *testing.T) {
	t.Parallel()
	bare := errors.New("not called")
	ws := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, wrapped := w.(*recorder); !wrapped {
			bare = nil
		}
	})
	other := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("wrong handler") })
	thisMachineOnly(routes(parts{ws: ws, presence: other, pages: other, access: other, doors: other}, &atomic.Uint64{}, silent())).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://localhost/v1/rooms/a/ws", nil))
	if bare != nil {
		t.Error("the WebSocket handler got a wrapped ResponseWriter")
	}
}

func TestTimeoutsLeaveStreamsAlone(t *testing.T) {
	t.Parallel()
	srv := newHTTPServer(http.NotFoundHandler(), gate.New(gate.Config{}), silent())
	if srv.WriteTimeout != 0 || srv.ReadTimeout != 0 {
		t.Error("a timeout for whole requests would end event streams")
	}
	if srv.ReadHeaderTimeout <= 0 || srv.ReadHeaderTimeout > time.Minute || srv.IdleTimeout <= 0 || srv.IdleTimeout > 30*time.Second {
		t.Error("a client that sends nothing must not hold a connection for ever")
	}
}

// TestHeadersAreBounded: a token of 8 KiB goes through, twice as much is refused before it is read.
func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	door := gate.New(gate.Config{Max: 2})
	srv := newHTTPServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), door, silent())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(door.Listener(ln)) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	for size, want := range map[int]string{8 << 10: "HTTP/1.1 200 ", 17 << 10: "HTTP/1.1 431 "} {
		c := open(t, ln.Addr().String(), "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: "+strings.Repeat("a", size)+"\r\n\r\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.HasPrefix(line, want) {
			t.Errorf("%d bytes: %q, %v", size, line, err)
		}
	}
	until(t, "one of them to be idle, and to make room", func() bool {
		c := open(t, ln.Addr().String(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		line, err := bufio.NewReader(c).ReadString('\n')
		return err == nil && strings.HasPrefix(line, "HTTP/1.1 200 ")
	})
}

// deadlines notes what a handler sets.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.read = t
	return nil
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.write = t
	return nil
}

// TestRequestsAreBounded guards that a client which never sends the body it announced, or never takes the response, does not
// hold its connection for ever.
func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	h := routes(parts{nothing, nothing, nothing, nothing, nothing}, &atomic.Uint64{}, silent())
	for _, path := range []string{"/", "/v1/rooms", "/v1/rooms/a/events", "/v1/rooms/a/ws"} {
		d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		began := time.Now()
		h.ServeHTTP(d, httptest.NewRequest(http.MethodGet, path, nil))
		if d.read.Before(began) || d.read.After(began.Add(time.Minute)) || d.write.Before(began) || d.write.After(began.Add(2*time.Minute)) {
			t.Errorf("%s: deadlines %v and %v", path, d.read, d.write)
		}
	}
}
