package ws

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// countedWrites counts system calls.
type countedWrites struct {
	net.Conn
	writes int
}

func (c *countedWrites) Write(b []byte) (int, error) {
	c.writes++
	return c.Conn.Write(b)
}

// TestMessagesLeaveTogether guards that messages given at once take one system call, in order and whole, however long each is.
func TestMessagesLeaveTogether(t *testing.T) {
	t.Parallel()
	var msgs [][]byte
	for i := range 40 {
		size := 10
		if i%20 == 7 {
			size = 9000 // more than the library's buffer
		}
		msgs = append(msgs, bytes.Repeat([]byte{byte('A' + i)}, size))
	}
	huge := [][]byte{bytes.Repeat([]byte("x"), maxHeld), bytes.Repeat([]byte("y"), 2*maxHeld), []byte("z")}
	counts := make(chan int, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := accept(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		counted := &countedWrites{Conn: c.raw.Conn}
		c.raw.Conn = counted
		if err := c.Write(r.Context(), msgs...); err != nil {
			t.Error(err)
		}
		counts <- counted.writes
		if err := c.Write(r.Context(), huge...); err != nil {
			t.Error(err)
		}
		_, _, _ = c.read(r.Context(), 10, 10, nil) // until the client has gone
		c.Close(0, "")
	}))
	defer server.Close()
	c, err := Dial(context.Background(), "ws"+server.URL[len("http"):])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i, want := range append(msgs, huge...) {
		if got, err := c.Read(context.Background()); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("message %d: %d bytes, %v", i, len(got), err)
		}
	}
	if n := <-counts; n != 1 {
		t.Errorf("%d system calls", n)
	}
}
