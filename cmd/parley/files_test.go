package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/parley/parley/internal/foreign"
)

func TestPlacesFitTheFiles(t *testing.T) {
	t.Parallel()
	for _, files := range []int{0, 1, 16, 64, 256, 1024, 4096, 20_000, 65_536, 1 << 20, 1 << 30} {
		p := mustLoad(t, nil, "").fit(files)
		for what, n := range map[string]int{"http": p.http, "of an address": p.perAddress, "tcp": p.tcp, "relays": p.relays, "watchers": p.watchers, "admin": p.admin} {
			if n < 1 {
				t.Errorf("%d files: %s: %d", files, what, n)
			}
		}
		if sum := p.http + p.tcp + p.relays + p.admin; files >= 16 && sum > files-files/8 && sum > files-filesKept/2 {
			t.Errorf("%d files: all take %d: %+v", files, sum, p)
		}
		if files >= 64 && p.watchers > p.http*3/4 {
			t.Errorf("%d files: watchers may take nearly all connections: %+v", files, p)
		}
	}
	all := places{http: 32_768, perAddress: 1024, tcp: 8192, relays: 4096, watchers: 20_000, admin: 32}
	if p := mustLoad(t, nil, "").fit(65_536); p != all {
		t.Errorf("the unit's files are enough for the defaults: %+v", p)
	}
	p := mustLoad(t, []string{"PARLEY_TCP=off", "PARLEY_TURN_ENABLED=false", "PARLEY_CONNECTIONS_HTTP=100"}, "").fit(256)
	if p.tcp != 0 || p.relays != 0 || p.http != 100 || p.perAddress != 100 || p.watchers != 75 {
		t.Errorf("what is off takes nothing: %+v", p)
	}
}

func TestReductionIsSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env   []string
		files int
		want  string
	}{
		"enough":         {nil, 65_536, ""},
		"some":           {nil, 20_000, "level=INFO"},
		"few":            {nil, 256, "level=WARN"},
		"set on purpose": {[]string{"PARLEY_PRESENCE_WATCHERS=30000"}, 20_000, "level=WARN"},
	} {
		l := mustLoad(t, c.env, "")
		var log bytes.Buffer
		l.fit(c.files).say(t.Context(), l, c.files, slog.New(slog.NewTextHandler(&log, nil)))
		if got := log.String(); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if c.want != "" && !strings.Contains(log.String(), "presence.watchers=") {
			t.Errorf("%s: it does not say what is less: %s", name, &log)
		}
	}
}

// TestFewFiles wants who only watches, and who only connects, to leave room for pages, calls and operators.
func TestFewFiles(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("prlimit is Linux's")
	}
	const files = 256
	p := serveBy(t, func(args ...string) *exec.Cmd {
		return foreign.Command(context.Background(), "prlimit", append([]string{fmt.Sprintf("--nofile=%d", files), binary}, args...)...)
	}, nil)
	watching := 0
	for range files {
		c := open(t, p.url, "GET /v1/rooms/a/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Fatalf("watcher %d: %q, %v", watching, line, err)
		}
		watching++
	}
	for range files { // of these, each displaces an earlier one
		open(t, p.url, "")
	}
	for _, url := range []string{p.url + "/", p.url + "/v1/rooms", p.admin + "/readyz", p.admin + "/metrics"} {
		if status, body := get(t, url); status != http.StatusOK {
			t.Errorf("%s: %d %s", url, status, body)
		}
	}
	_, body := get(t, p.admin+"/metrics")
	for _, want := range []string{"parley_accept_failures_total 0", `parley_presence_refused_total{reason="busy"}`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(body, "parley_http_displaced_connections_total 0\n") || strings.Contains(body, `parley_presence_refused_total{reason="busy"} 0`+"\n") {
		t.Error("nobody was displaced, or no watcher was told that there are too many")
	}
	if !strings.Contains(p.output.String(), "presence.watchers") {
		t.Errorf("it does not say that it cannot hold the watchers:\n%s", p.output)
	}
}

// open is a connection to the server, with something said.
func open(t *testing.T, url, say string) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(15 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte(say)) // where it was refused, reading tells
	return c
}
