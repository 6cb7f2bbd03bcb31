package main

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	h := guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }), slog.New(slog.NewTextHandler(&logged, nil)))
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/x?access_token=private", nil))
	if rec.Code != http.StatusInternalServerError || strings.Contains(rec.Body.String(), "boom") {
		t.Errorf("%d %q", rec.Code, rec.Body)
	}
	if !strings.Contains(logged.String(), "boom") || strings.Contains(logged.String(), "private") {
		t.Errorf("log: %s", &logged)
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
	}), silent()))
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
	h := guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), silent())
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
	thisMachineOnly(routes(ws, other, other, silent())).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://localhost/v1/rooms/a/ws", nil))
	if bare != nil {
		t.Error("the WebSocket handler got a wrapped ResponseWriter")
	}
}

func TestTimeoutsLeaveStreamsAlone(t *testing.T) {
	t.Parallel()
	srv := newHTTPServer(http.NotFoundHandler(), silent())
	if srv.WriteTimeout != 0 || srv.ReadTimeout != 0 {
		t.Error("a timeout for whole requests would end event streams")
	}
	if srv.ReadHeaderTimeout <= 0 || srv.ReadHeaderTimeout > time.Minute || srv.IdleTimeout <= 0 {
		t.Error("a client that sends nothing must not hold a connection for ever")
	}
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
	h := routes(nothing, nothing, nothing, silent())
	for _, path := range []string{"/", "/v1/rooms", "/v1/rooms/a/events", "/v1/rooms/a/ws"} {
		d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		began := time.Now()
		h.ServeHTTP(d, httptest.NewRequest(http.MethodGet, path, nil))
		if d.read.Before(began) || d.read.After(began.Add(time.Minute)) || d.write.Before(began) || d.write.After(began.Add(2*time.Minute)) {
			t.Errorf("%s: deadlines %v and %v", path, d.read, d.write)
		}
	}
}
