package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nhooyr.io/websocket"
)

// get fetches url on a connection of its own.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestServeWithoutSecret(t *testing.T) {
	t.Parallel()
	p := serve(t, nil)
	for path, want := range map[string]string{"/v1/rooms": `{"rooms":[]}`, "/r/standup": "<!doctype html>"} {
		if status, body := get(t, p.url+path); status != http.StatusOK || !strings.Contains(strings.ToLower(body), want) {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n", "/metrics": "parley_rooms 0", "/debug/pprof/": "goroutine"} {
		if status, body := get(t, p.admin+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	if !strings.Contains(p.output.String(), "open "+p.url) || !strings.Contains(p.output.String(), "There is no secret") {
		t.Errorf("it does not say where it is and that there is no secret:\n%s", p.output)
	}
	if got := parley(t, nil, "health", "--admin", strings.TrimPrefix(p.admin, "http://")); got.code != 0 || got.stdout != "ready\n" {
		t.Errorf("parley health: exit %d, %q, %q", got.code, got.stdout, got.stderr)
	}
}

func TestServeWithSecret(t *testing.T) {
	t.Parallel()
	p := serve(t, []string{"PARLEY_SECRET=" + testSecret, "PARLEY_LOG_LEVEL=debug"})
	if status, _ := get(t, p.url+"/v1/rooms"); status != http.StatusUnauthorized {
		t.Errorf("a list without a token: %d", status)
	}
	compact := strings.TrimSpace(parley(t, []string{"PARLEY_SECRET=" + testSecret}, "token", "--room", "a", "--identity", "b", "--can", "watch").stdout)
	if status, body := get(t, p.url+"/v1/rooms/a/events?wait=0s&access_token="+compact); status != http.StatusOK {
		t.Errorf("a feed with a token: %d %s", status, body)
	}
	until(t, "the request in the log", func() bool { return strings.Contains(p.output.String(), `"path":"/v1/rooms/a/events"`) })
	for _, private := range []string{testSecret, compact, "access_token"} {
		if strings.Contains(p.output.String(), private) {
			t.Errorf("the log holds %q:\n%s", private, p.output)
		}
	}
}

func TestStopInOrder(t *testing.T) {
	t.Parallel()
	p := serve(t, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/v1/rooms/a/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	stream := bufio.NewScanner(res.Body)
	for stream.Scan() && !strings.HasPrefix(stream.Text(), "event: snapshot") {
	}
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for stream.Scan() {
	}
	if err := stream.Err(); err != nil {
		t.Errorf("the stream ended with %v, not cleanly", err)
	}
	if code := p.wait(t); code != 0 {
		t.Errorf("exit %d\n%s", code, p.output)
	}
	if took := time.Since(began); took > 9*time.Second {
		t.Errorf("it took %v", took)
	}
	if !strings.Contains(p.output.String(), `"msg":"stopped"`) || strings.Contains(p.output.String(), `"level":"WARN"`) {
		t.Errorf("not a clean end:\n%s", p.output)
	}
}

// TestClientsAreToldToComeBack wants close code 4000, draining, from docs/protocol.md.
func TestClientsAreToldToComeBack(t *testing.T) {
	t.Parallel()
	p := serve(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(p.url, "http")+"/v1/rooms/a/ws",
		&websocket.DialOptions{Subprotocols: []string{"parley.v1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(ctx, websocket.MessageText, []byte(`{"type":"join","id":1,"identity":"ann","name":"Ann"}`)); err != nil {
		t.Fatal(err)
	}
	if _, msg, err := conn.Read(ctx); err != nil || !strings.Contains(string(msg), `"welcome"`) {
		t.Fatalf("%s, %v", msg, err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	// Until it reads that, the server waits for it, and tells newcomers the same.
	until(t, "readyz to turn", func() bool { status, _ := get(t, p.admin+"/readyz"); return status == http.StatusServiceUnavailable })
	for accept, want := range map[string]string{"text/event-stream": "200 OK", "application/json": "503 Service Unavailable"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/v1/rooms/a/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.Status != want || !strings.Contains(string(body)+res.Header.Get("Retry-After"), "retry: ") && res.Header.Get("Retry-After") == "" {
			t.Errorf("%s while the server drains: %s %v %q, %v", accept, res.Status, res.Header, body, err)
		}
	}
	for err == nil {
		_, _, err = conn.Read(ctx)
	}
	if code := websocket.CloseStatus(err); code != 4000 {
		t.Errorf("closed with %v, want 4000", err)
	}
	if code := p.wait(t); code != 0 || strings.Contains(p.output.String(), `"level":"WARN"`) {
		t.Errorf("exit %d\n%s", code, p.output)
	}
}

// TestDeadlineAndSecondSignal holds a connection that never asks for anything, for which a shutdown waits.
func TestDeadlineAndSecondSignal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		timeout string
		again   bool
		code    int
	}{
		{"deadline", "300ms", false, 0},
		{"second signal", "1h", true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := serve(t, nil, "--shutdown-timeout", c.timeout)
			conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, "GET /v1/rooms/a/events?wait=60s HTTP/1.1\r\nHost: localhost\r\n"); err != nil {
				t.Fatal(err)
			}
			get(t, p.url+"/v1/rooms") // the connection above was accepted before this one
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if c.again {
				until(t, "readyz to turn", func() bool { status, _ := get(t, p.admin+"/readyz"); return status == http.StatusServiceUnavailable })
				if status, _ := get(t, p.admin+"/healthz"); status != http.StatusOK {
					t.Errorf("healthz while draining: %d", status)
				}
				if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
			}
			if code := p.wait(t); code != c.code {
				t.Errorf("exit %d, want %d\n%s", code, c.code, p.output)
			}
		})
	}
}

// certificate writes a self-signed pair for 127.0.0.1 with this serial number.
func certificate(t *testing.T, serial int64, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTLSAndReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certificate(t, 1, cert, key)
	p := serve(t, nil, "--tls-cert", cert, "--tls-key", key)
	addr := strings.TrimPrefix(p.url, "http://")
	serial := func() int64 {
		conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // a self-signed certificate
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Fatalf("certificate %d", got)
	}
	if !strings.Contains(p.output.String(), "open https://"+addr) {
		t.Errorf("it does not name its https address:\n%s", p.output)
	}
	certificate(t, 2, cert, key)
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(t, "the new certificate", func() bool { return serial() == 2 })

	if err := os.WriteFile(cert, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(t, "the complaint", func() bool { return strings.Contains(p.output.String(), "the last one stays") })
	if got := serial(); got != 2 {
		t.Errorf("certificate %d after a broken file, want the last good one", got)
	}
}
