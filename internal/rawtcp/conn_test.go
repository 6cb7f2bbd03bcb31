package rawtcp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// pair is both ends of a connection over loopback: the first one comes from a Listener.
func pair(t *testing.T) (net.Conn, *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	other, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := Listener(ln).Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		other.Close()
	})
	return c, other.(*net.TCPConn)
}

func TestIsRaw(t *testing.T) {
	t.Parallel()
	c, _ := pair(t)
	if _, plain := c.(*net.TCPConn); plain != (runtime.GOOS != "linux") {
		t.Errorf("%T", c)
	}
	for what, ok := range map[string]bool{ // what net/http and crypto/tls look for
		"CloseWrite":  implements[interface{ CloseWrite() error }](c),
		"SyscallConn": implements[syscall.Conn](c),
		"ReadFrom":    implements[io.ReaderFrom](c),
		"SetNoDelay":  implements[interface{ SetNoDelay(bool) error }](c),
	} {
		if !ok {
			t.Errorf("no %s", what)
		}
	}
	one, two := net.Pipe()
	defer one.Close()
	defer two.Close()
	if wrap(one) != one {
		t.Error("a pipe is wrapped")
	}
}

func implements[T any](c net.Conn) bool {
	_, ok := c.(T)
	return ok
}

func TestReadsAndWrites(t *testing.T) {
	t.Parallel()
	c, other := pair(t)
	var b [8]byte
	for _, text := range []string{"a", "12345678"} {
		if n, err := other.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
		if n, err := io.ReadAtLeast(c, b[:], len(text)); err != nil || string(b[:n]) != text {
			t.Fatalf("%q, %v", b[:n], err)
		}
		if n, err := c.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
		if n, err := io.ReadAtLeast(other, b[:], len(text)); err != nil || string(b[:n]) != text {
			t.Fatalf("%q, %v", b[:n], err)
		}
	}
	for what, call := range map[string]func([]byte) (int, error){"read": c.Read, "write": c.Write} {
		if n, err := call(nil); n != 0 || err != nil {
			t.Errorf("%s nothing: %d, %v", what, n, err)
		}
	}
}

// An end of one direction leaves the other.
func TestHalfClose(t *testing.T) {
	t.Parallel()
	c, other := pair(t)
	if err := other.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) || err.Error() != "EOF" {
			t.Fatal(n, err)
		}
	}
	if _, err := c.Write([]byte("last")); err != nil {
		t.Fatal(err)
	}
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(other); err != nil || string(all) != "last" {
		t.Fatalf("%q, %v", all, err)
	}
	sameError(t, "after the end", c, func(c net.Conn) error { _, err := c.Write([]byte("x")); return err }, syscall.EPIPE)
}

// A peer that resets the connection.
func TestReset(t *testing.T) {
	t.Parallel()
	c, other := pair(t)
	if err := other.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	other.Close()
	sameError(t, "reset", c, func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err }, syscall.ECONNRESET)
}

// sameError checks that an error of a connection has all that those of net's have.
func sameError(t *testing.T, when string, c net.Conn, call func(net.Conn) error, want error) {
	t.Helper()
	err := call(c)
	var op *net.OpError
	if !errors.Is(err, want) || !errors.As(err, &op) || op.Net != "tcp" || op.Op != "read" && op.Op != "write" ||
		op.Source.String() != c.LocalAddr().String() || op.Addr == nil || strings.Contains(err.Error(), "raw") {
		t.Errorf("%s: %v, want %v", when, err, want)
	}
	if timeout := errors.Is(want, os.ErrDeadlineExceeded); errors.As(err, &op) && op.Timeout() != timeout {
		t.Errorf("%s: a timeout: %v, want %v", when, op.Timeout(), timeout)
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	c, other := pair(t)
	read := func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err }
	full := func(c net.Conn) error { _, err := c.Write(make([]byte, 64<<20)); return err }
	if err := c.SetDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	sameError(t, "read late", c, read, os.ErrDeadlineExceeded)
	n, err := c.Write(make([]byte, 64<<20))
	if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("written after the deadline: %d, %v", n, err)
	}
	if err := c.SetDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	sameError(t, "nobody takes it", c, full, os.ErrDeadlineExceeded)
	if err := c.SetDeadline(time.Time{}); err != nil { // and again without
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(other, strings.NewReader("x")) }()
	if err := read(c); err != nil {
		t.Error(err)
	}
}

// Close, and a deadline that is moved, end calls that wait.
func TestEndsWhatWaits(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]struct {
		end  func(net.Conn) error
		want error
	}{
		"close":    {net.Conn.Close, net.ErrClosed},
		"deadline": {func(c net.Conn) error { return c.SetDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := pair(t)
			ended := make(chan error, 4)
			for range 2 { // of each, one waits for the socket and one for the first
				go func() { _, err := c.Read(make([]byte, 1)); ended <- err }()
				go func() { _, err := c.Write(make([]byte, 64<<20)); ended <- err }()
			}
			waiting(t, 4)
			if err := do.end(c); err != nil {
				t.Fatal(err)
			}
			for range 4 {
				err := <-ended
				sameError(t, name, c, func(net.Conn) error { return err }, do.want)
			}
			sameError(t, "and then", c, func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err }, do.want)
		})
	}
}

// waiting returns when a moment has passed in which calls may have begun to wait. Whether they have cannot be seen from outside, and the
// outcome is the same: so this makes a test sharper, and none fail.
func waiting(t *testing.T, goroutines int) {
	t.Helper()
	for range goroutines * 10 {
		runtime.Gosched()
	}
	select {
	case <-time.After(20 * time.Millisecond):
	case <-t.Context().Done():
	}
}

// What several write at once does not mix, however slow the reader is.
func TestConcurrentWrites(t *testing.T) {
	t.Parallel()
	c, other := pair(t)
	const writers, each, length = 4, 4, 3 << 20
	if err := other.SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	var writes sync.WaitGroup
	for i := range writers {
		writes.Go(func() {
			b := bytes.Repeat([]byte{byte(i)}, length)
			for range each {
				if n, err := c.Write(b); n != length || err != nil {
					t.Error(n, err)
				}
			}
		})
	}
	writes.Go(func() { // the other direction at the same time
		if _, err := io.CopyN(io.Discard, c, length); err != nil {
			t.Error(err)
		}
	})
	writes.Go(func() { _, _ = other.Write(make([]byte, length)) })
	b := make([]byte, length)
	for range writers * each {
		if _, err := io.ReadFull(other, b); err != nil {
			t.Fatal(err)
		}
		if bytes.Count(b, b[:1]) != length {
			t.Fatal("two writes are mixed")
		}
	}
	writes.Wait()
}

func TestReadsAndWritesDoNotAllocate(t *testing.T) {
	c, other := pair(t)
	b, in := []byte("ping"), make([]byte, 4)
	if n := testing.AllocsPerRun(200, func() {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(other, in); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Write(b); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, in); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Under an HTTP server: a request with a body, a long response, one that is streamed, and a hijacked connection.
func TestServesHTTP(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 1<<17)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	mux.HandleFunc("GET /late", func(w http.ResponseWriter, _ *http.Request) {
		rc := http.NewResponseController(w)
		err := errors.Join(rc.SetWriteDeadline(time.Now().Add(time.Minute)), rc.Flush())
		fmt.Fprint(w, "told: ", err)
	})
	mux.HandleFunc("GET /hijack", func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(Listener(ln)) }()
	client := &http.Client{Transport: &http.Transport{}}
	for path, want := range map[string]string{"/echo": long, "/late": "told: <nil>", "/hijack": "ok"} {
		method, body := http.MethodGet, io.Reader(nil)
		if path == "/echo" {
			method, body = http.MethodPost, strings.NewReader(long)
		}
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+ln.Addr().String()+path, body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v", path, len(got), err)
		}
	}
	client.CloseIdleConnections()
	if err := srv.Shutdown(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}
