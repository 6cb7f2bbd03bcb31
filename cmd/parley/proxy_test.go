package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/parley/parley/internal/foreign"
)

// front is a proxy with the configuration that we ship, before a server that may be away.
type front struct {
	url    string
	client *http.Client // HTTP/2, one connection
	log    func() string
}

// change replaces a regular expression, which must be there.
func change(t *testing.T, text, from, to string) string {
	t.Helper()
	re := regexp.MustCompile(from)
	if !re.MatchString(text) {
		t.Fatalf("the file has no %s", from)
	}
	return re.ReplaceAllString(text, to)
}

// shipped is one of the files in deploy.
func shipped(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// nginx is deploy/nginx.conf with other addresses and a certificate of ours.
func nginx(t *testing.T, dir, at, upstream string) (conf string, args []string) {
	t.Helper()
	conf = shipped(t, "nginx.conf")
	conf = change(t, conf, `(?m)^ *listen \[::\]:443.*\n`, "")
	conf = change(t, conf, `listen 443`, "listen "+at)
	conf = change(t, conf, `/etc/ssl/meet.example.org/fullchain.pem`, filepath.Join(dir, "cert.pem"))
	conf = change(t, conf, `/etc/ssl/meet.example.org/privkey.pem`, filepath.Join(dir, "key.pem"))
	conf = change(t, conf, `/var/log/nginx/error.log`, filepath.Join(dir, "log"))
	conf = change(t, conf, `meet.example.org`, "localhost")
	conf = change(t, conf, `127.0.0.1:8080;`, upstream+";")
	temps := ""
	for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temps += fmt.Sprintf("%s_temp_path %s;\n", what, filepath.Join(dir, what))
	}
	return fmt.Sprintf("pid %s; daemon off; worker_processes 1; error_log %s;\nevents {}\nhttp {\n%s%s}\n", filepath.Join(dir, "pid"),
		filepath.Join(dir, "log"), temps, conf), []string{"-p", dir, "-e", filepath.Join(dir, "log"), "-c"}
}

// caddy is deploy/Caddyfile likewise.
func caddy(t *testing.T, dir, at, upstream string) (conf string, args []string) {
	t.Helper()
	_, port, err := net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	conf = shipped(t, "Caddyfile")
	conf = change(t, conf, `(?m)^\{\n`, "{\n\tadmin off\n\tauto_https disable_redirects\n\tservers {\n\t\tprotocols h1 h2\n\t}\n")
	conf = change(t, conf, `meet.example.org \{`, fmt.Sprintf("https://localhost:%s {\n\tbind 127.0.0.1\n\ttls %s %s", port,
		filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")))
	return change(t, conf, `reverse_proxy 127.0.0.1:8080`, "reverse_proxy "+upstream), []string{"run", "--adapter", "caddyfile", "--config"}
}

// inFront starts the proxy.
func inFront(t *testing.T, program, upstream string) *front {
	t.Helper()
	if err := foreign.Installed(program); err != nil {
		if os.Getenv("PARLEY_REQUIRE_LAB") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir, at := t.TempDir(), freePort(t)
	issue(t, issued{serial: 1, from: -day, until: 30 * day, names: []string{"localhost"}}, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	conf, args := map[string]func(*testing.T, string, string, string) (string, []string){"nginx": nginx, "caddy": caddy}[program](t, dir, at, upstream)
	path := filepath.Join(dir, "conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	output := &transcript{}
	cmd := foreign.Command(context.Background(), program, append(args, path)...)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, cmd) })
	f := &front{
		url: "https://localhost" + at[strings.LastIndexByte(at, ':'):],
		log: func() string {
			b, _ := os.ReadFile(filepath.Join(dir, "log")) // Caddy has none
			return output.String() + string(b)
		},
		client: &http.Client{Transport: &http.Transport{
			ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // a self-signed certificate
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, at)
			},
		}},
	}
	t.Cleanup(f.client.CloseIdleConnections)
	until(t, program+" to listen", func() bool {
		c, err := net.Dial("tcp", at)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return f
}

// end has nginx and its workers, or Caddy, stop.
func end(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // how it ended does not matter
}

// ask fetches a path, and reads the body where the response is whole.
func (f *front) ask(t *testing.T, path, accept string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	res, err := f.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.ProtoMajor != 2 {
		t.Errorf("%s: %s", path, res.Proto)
	}
	return res
}

func (f *front) text(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const feedPath = "/v1/rooms/a/events?access_token=private"

// away wants answers that let everybody come back.
func (f *front) away(t *testing.T) {
	t.Helper()
	res := f.ask(t, feedPath, "text/event-stream")
	body := f.text(t, res)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Cache-Control") != "no-store" ||
		res.Header.Get("Access-Control-Allow-Origin") != "*" || !regexp.MustCompile(`^retry: \d{4}\n\n$`).MatchString(body) {
		t.Errorf("a feed of a server that is away: %d %v %q", res.StatusCode, res.Header, body)
	}
	for _, path := range []string{feedPath, "/v1/rooms", "/v1/rooms/a"} {
		res := f.ask(t, path, "application/json")
		if body := f.text(t, res); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" ||
			!strings.Contains(body, `"code":"unavailable"`) {
			t.Errorf("%s of a server that is away: %d %v %q", path, res.StatusCode, res.Header, body)
		}
	}
}

// TestShippedProxies runs what deploy has before a server that is away, comes, and goes: every feed must find an answer that has its
// EventSource come back, and any number of them share one connection.
func TestShippedProxies(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"nginx", "caddy"} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			upstream := freePort(t)
			f := inFront(t, program, upstream)
			f.away(t)
			s := startHere(t, "PARLEY_LISTEN="+upstream, "PARLEY_TRUSTED_PROXIES=127.0.0.1")
			var feeds []*bufio.Reader
			for range 12 {
				res := f.ask(t, "/v1/rooms/a/events", "text/event-stream")
				feeds = append(feeds, bufio.NewReader(res.Body))
				if res.StatusCode != http.StatusOK {
					t.Fatalf("a feed: %d", res.StatusCode)
				}
			}
			for _, feed := range feeds {
				for line := ""; !strings.HasPrefix(line, "event: snapshot"); {
					var err error
					if line, err = feed.ReadString('\n'); err != nil {
						t.Fatal(err)
					}
				}
			}
			for path, want := range map[string]int{"/": http.StatusOK, "/v1/rooms": http.StatusOK, "/v1/rooms/a/events?wait=x": http.StatusBadRequest} {
				if res := f.ask(t, path, "*/*"); res.StatusCode != want {
					t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
				}
			}
			s.stop(context.WithoutCancel(t.Context()))
			for _, feed := range feeds {
				if _, err := io.Copy(io.Discard, feed); err != nil {
					t.Errorf("a feed ended with %v", err)
				}
			}
			f.away(t)
			if strings.Contains(f.log(), "private") {
				t.Errorf("a token is in the proxy's log:\n%s", f.log())
			}
		})
	}
}
