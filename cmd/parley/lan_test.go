package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/parley/parley/internal/lan"
	"github.com/parley/parley/internal/state"
)

// home is a machine with one private address, and a public one.
func home(addrs ...string) lan.Machine {
	i := lan.Interface{Name: "eth0", Index: 2}
	for _, a := range addrs {
		i.Prefixes = append(i.Prefixes, netip.MustParsePrefix(a))
	}
	return lan.Machine{
		Interfaces: func() ([]lan.Interface, error) { return []lan.Interface{i}, nil },
		Route:      func() netip.Addr { return netip.Addr{} },
		Hostname:   func() (string, error) { return "desk", nil },
	}
}

func newHome(t *testing.T, env []string, addrs ...string) *neighbours {
	t.Helper()
	l := mustLoad(t, append([]string{"PARLEY_LAN=true"}, env...), "")
	n, err := l.newNeighbours(home(addrs...), state.New("", slog.New(slog.DiscardHandler)), slog.New(slog.DiscardHandler), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLANConfiguration(t *testing.T) {
	t.Parallel()
	for env, want := range map[string]string{
		"PARLEY_INSECURE=true":         "leave one of them out",
		"PARLEY_PUBLIC_IP=203.0.113.9": "public_ip is for clients out on the Internet",
	} {
		if _, err := load([]string{"PARLEY_LAN=true", env}, "", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", env, err, want)
		}
	}
	l := mustLoad(t, []string{"PARLEY_LAN=true", "PARLEY_PUBLIC_IP=192.168.1.2", "PARLEY_TCP=0.0.0.0:7881"}, "")
	if err := l.exposed(); err != nil || l.Listen != ":8080" || l.UDP != ":7880" || l.Admin != "127.0.0.1:8081" || l.udpHere || l.listenToo != "" {
		t.Errorf("%v: listen %s, udp %s, admin %s", err, l.Listen, l.UDP, l.Admin)
	}
	_, err := l.newNeighbours(home("203.0.113.4/24"), state.New("", slog.New(slog.DiscardHandler)), slog.New(slog.DiscardHandler), time.Now())
	if err == nil || !strings.Contains(err.Error(), "no address in a private network") || !strings.HasPrefix(err.Error(), "PARLEY_LAN: ") {
		t.Errorf("without a private address: %v", err)
	}
}

func TestLANHostNames(t *testing.T) {
	t.Parallel()
	n := newHome(t, []string{"PARLEY_PUBLIC_URL=https://parley.home.example"}, "192.168.1.2/24", "203.0.113.4/24")
	h := neighboursOnly(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), n)
	for host, want := range map[string]int{
		"192.168.1.2:8080": 200, "192.168.1.2": 200, "desk:8080": 200, "desk.local": 200, "localhost:8080": 200, "[::1]:8080": 200, "parley.home.example": 200,
		"203.0.113.4:8080": 421, "192.168.1.3": 421, "rebind.evil.example:8080": 421, "": 421,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", host, w.Code, want)
		}
	}
}

// TestLANMoves: whoever comes back finds a certificate for where the machine is now.
func TestLANMoves(t *testing.T) {
	t.Parallel()
	at := "192.168.1.2/24"
	m := home()
	m.Interfaces = func() ([]lan.Interface, error) {
		if at == "" {
			return nil, nil
		}
		return []lan.Interface{{Name: "eth0", Prefixes: []netip.Prefix{netip.MustParsePrefix(at)}}}, nil
	}
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	n, err := mustLoad(t, []string{"PARLEY_LAN=true"}, "").newNeighbours(m, state.New("", log), log, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	at = ""
	n.look(time.Now(), "8080")
	n.look(time.Now(), "8080")
	if strings.Count(said.String(), "network is gone") != 1 {
		t.Errorf("it says:\n%s", &said)
	}
	at = "10.0.0.5/8"
	n.look(time.Now(), "8080")
	if err := n.current.Load().Leaf.VerifyHostname("10.0.0.5"); err != nil || !strings.Contains(said.String(), "url=https://10.0.0.5:8080") {
		t.Errorf("%v, and it says:\n%s", err, &said)
	}
}

// asked is what a connection that may not be TLS answers to what is sent, in these pieces.
func asked(t *testing.T, pieces ...string) (answer string, read []byte, err error) {
	t.Helper()
	here, there := net.Pipe()
	defer here.Close()
	c := &maybePlain{Conn: there}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer there.Close()
		b := make([]byte, 512)
		var k int
		k, err = c.Read(b)
		read = b[:k]
	}()
	go func() {
		for _, p := range pieces {
			_, _ = io.WriteString(here, p) // the other end may have had enough
		}
		if len(pieces) > 0 && !strings.Contains(strings.Join(pieces, ""), "\r\n\r\n") {
			here.Close()
		}
	}()
	out, _ := io.ReadAll(here) // until there is closed
	<-done
	return string(out), read, err
}

func TestHTTPOnTheTLSPort(t *testing.T) {
	t.Parallel()
	answer, read, err := asked(t, "GET /r/stand%2Fup?x=1&y=%0d%0aSet-Cookie: HTTP/1.1\r\nHo", "st: 192.168.1.2:8080\r\n\r\n")
	if !errors.Is(err, io.EOF) || len(read) > 0 || strings.Contains(answer, "\nSet-Cookie") {
		t.Errorf("read %q, %v; answered\n%s", read, err, answer)
	}
	answer, read, err = asked(t, "GET /r/stand%2Fup?x=1 HTTP/1.1\r\nHo", "st: 192.168.1.2:8080\r\n\r\n")
	res, parsed := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), nil)
	if parsed != nil || !errors.Is(err, io.EOF) || len(read) > 0 {
		t.Fatalf("read %q, %v; answered %q, %v", read, err, answer, parsed)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusTemporaryRedirect || got != "https://192.168.1.2:8080/r/stand%2Fup?x=1" || !res.Close {
		t.Errorf("%s to %q, close %v", res.Status, got, res.Close)
	}
	if answer, read, err := asked(t, "\x16\x03\x01\x02\x00\x01"); answer != "" || string(read) != "\x16\x03\x01\x02\x00\x01" || err != nil {
		t.Errorf("TLS: read %q, %v; answered %q", read, err, answer)
	}
	for _, junk := range []string{"GET", "A", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 2*headerBytes)} {
		if answer, _, err := asked(t, junk); answer != "" || err == nil {
			t.Errorf("%.20q: answered %q, %v", junk, answer, err)
		}
	}
}

func FuzzHTTPOnTheTLSPort(f *testing.F) {
	for _, s := range []string{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\x16\x03\x01", "POST http://x/ HTTP/1.0\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		answer, _, _ := asked(t, string(b)+"\r\n\r\n")
		if answer == "" {
			return
		}
		res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), nil)
		if err != nil {
			t.Fatalf("%q: %v", answer, err)
		}
		res.Body.Close()
		if !strings.HasPrefix(res.Header.Get("Location"), "https://") || len(res.Header) > 4 {
			t.Errorf("answered %q", answer)
		}
	})
}
