package ws

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/parley/parley/signaling"
)

// TestClient speaks with the server through Dial, as the load generator does.
func TestClient(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	c, err := Dial(t.Context(), "ws://"+s.addr+"/v1/rooms/standup/ws")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), []byte(`{"type":"join","id":1,"identity":"ann","name":"`+strings.Repeat("n", 40)+`"}`)); err != nil {
		t.Fatal(err)
	}
	msg, err := c.Read(t.Context())
	if err != nil || !bytes.Contains(msg, []byte(`"type":"welcome"`)) {
		t.Fatalf("%s, %v", msg, err)
	}
	s.until("joined", func(s signaling.Stats) bool { return s.Sessions == 1 })

	read := make(chan error, 1)
	go func() {
		_, err := c.Read(t.Context())
		read <- err
	}()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-read:
		if err == nil {
			t.Error("something was read after the end")
		}
	case <-time.After(10 * time.Second):
		t.Error("Close does not end a Read")
	}
	if err := c.Write(t.Context(), []byte(`{"type":"ping"}`)); err == nil {
		t.Error("something was written after the end")
	}
	if err := c.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
	// The session waits for its client to come back: nobody said goodbye.
	s.until("cut off", func(s signaling.Stats) bool { return s.Connections == 0 && s.Sessions == 1 })
}

func TestDialFails(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, at := range []string{"ws://" + s.addr + "/nothing/here", "ws://127.0.0.1:1/v1/rooms/standup/ws", "://"} {
		if c, err := Dial(t.Context(), at); err == nil || c != nil {
			t.Errorf("%s: %v, %v", at, c, err)
		}
	}
}
