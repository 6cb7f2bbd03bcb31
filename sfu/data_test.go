package sfu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/webrtc/v4"
)

// clientFrame writes what a client sends.
func clientFrame(to []string, topic, payload string) []byte {
	b := []byte{byte(len(to))}
	for _, id := range to {
		b = append(b, byte(len(id)))
		b = append(b, id...)
	}
	b = append(b, byte(len(topic)))
	b = append(b, topic...)
	return append(b, payload...)
}

func TestDataRouting(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	clients := make(map[string]*browser)
	for _, id := range []string{"a", "b", "c"} {
		clients[id] = join(t, n, id, browserConfig{noSend: true})
	}
	for id, c := range clients { // what signaling does
		c.on.mu.Lock()
		c.on.onData = func(d Data) {
			d.From = id
			to := d.To
			if len(to) == 0 {
				to = []string{"a", "b", "c"}
			}
			for _, other := range to {
				if o := clients[other]; o != nil && other != id {
					must(t, o.peer.Send(d))
				}
			}
		}
		c.on.mu.Unlock()
	}
	eventually(t, "open channels", func() bool {
		for _, c := range clients {
			for _, ch := range c.channels {
				if ch.ReadyState() != webrtc.DataChannelStateOpen {
					return false
				}
			}
		}
		return true
	})
	a := clients["a"]
	for i, ch := range a.channels {
		must(t, ch.Send(clientFrame(nil, "t", fmt.Sprint("all", i))))
		must(t, ch.Send(clientFrame([]string{"b"}, "t", fmt.Sprint("b", i))))
		must(t, ch.Send(clientFrame([]string{"c", "b"}, "", fmt.Sprint("bc", i))))
	}
	got := func(id string, ch int) []string {
		c := clients[id]
		c.mu.Lock()
		defer c.mu.Unlock()
		return append([]string(nil), c.data[ch]...)
	}
	for i := range 2 {
		want := []string{fmt.Sprint("\x01a\x01tall", i), fmt.Sprint("\x01a\x01tb", i), fmt.Sprint("\x01a\x00bc", i)}
		eventually(t, "messages to b", func() bool { return len(got("b", i)) == 3 })
		if d := cmp.Diff(want, got("b", i)); d != "" && i == reliableChannel {
			t.Error(d)
		}
		eventually(t, "messages to c", func() bool { return len(got("c", i)) == 2 })
		if len(got("a", i)) != 0 {
			t.Error("the sender got its own message")
		}
	}
	if st := n.Stats(); st.DataIn != 6 || st.DataOut != 10 {
		t.Errorf("stats: in %d, out %d", st.DataIn, st.DataOut)
	}
}

// TestBadDataIsDropped guards that bad messages are counted and dropped, and the channels stay.
func TestBadDataIsDropped(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, func(c *Config) { c.MaxDataBytes = 2000 })
	a := newBrowser(t, n, "a", browserConfig{noSend: true})
	a.mend = func(answer string) string { // or it would not send what is too large
		return strings.Replace(answer, "a=max-message-size:2000", "a=max-message-size:200000", 1)
	}
	must(t, a.negotiate(nil))
	eventually(t, "open channels", func() bool {
		return a.channels[0].ReadyState() == webrtc.DataChannelStateOpen &&
			a.channels[1].ReadyState() == webrtc.DataChannelStateOpen
	})
	if !strings.Contains(a.answer, "a=max-message-size:2000\r\n") {
		t.Error("the answer does not tell the limit")
	}
	must(t, a.channels[0].SendText("text"))
	must(t, a.channels[0].Send([]byte{3, 1, 'x'}))
	must(t, a.channels[0].Send([]byte{0, 9, 'x'}))
	must(t, a.channels[0].Send([]byte{1, 0, 0}))
	for _, ch := range a.channels {
		must(t, ch.Send(make([]byte, 2001)))
		must(t, ch.Send(make([]byte, 100_000)))
	}
	must(t, a.channels[0].Send(clientFrame(nil, "t", "good")))
	eventually(t, "the good message", func() bool { return len(a.on.messages()) == 1 })
	if d := cmp.Diff(Data{Topic: "t", Payload: []byte("good"), Reliable: true}, a.on.messages()[0]); d != "" {
		t.Error(d)
	}
	eventually(t, "the count", func() bool { return n.Stats().Dropped[dropDataBad] == 8 })
	for _, d := range []Data{
		{From: strings.Repeat("x", 256)}, {Topic: strings.Repeat("x", 256)}, {Payload: make([]byte, 2001)},
	} {
		if err := a.peer.Send(d); !errors.Is(err, ErrBadData) {
			t.Errorf("error %v, want ErrBadData", err)
		}
	}
}

func (d *dataChannels) isOpen(id int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open[id] != nil
}

// TestSlowDataReceiver guards the bounds of the queues, and that others lose nothing.
func TestSlowDataReceiver(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	slow := join(t, n, "slow", browserConfig{noSend: true})
	well := join(t, n, "well", browserConfig{noSend: true})
	release := make(chan struct{})
	defer close(release)
	slow.channels[0].OnMessage(func(webrtc.DataChannelMessage) { <-release })
	slow.channels[1].OnMessage(func(webrtc.DataChannelMessage) { <-release })
	open := func(b *browser) bool {
		return b.peer.data.isOpen(reliableChannel) && b.peer.data.isOpen(unreliableChannel)
	}
	eventually(t, "open channels", func() bool { return open(slow) && open(well) })
	msg := Data{From: "x", Topic: "t", Payload: make([]byte, 32<<10), Reliable: true}
	sent := 0
	eventually(t, "a full queue", func() bool {
		err := slow.peer.Send(msg)
		if err == nil {
			sent++
		}
		return errors.Is(err, ErrSlow)
	})
	if err := slow.peer.Send(Data{From: "x", Payload: make([]byte, 1000)}); !errors.Is(err, ErrSlow) {
		t.Errorf("unreliable to a full queue: %v", err)
	}
	if queued := slow.peer.data.open[reliableChannel].BufferedAmount(); queued > reliableQueue {
		t.Errorf("%d bytes are queued", queued)
	}
	must(t, well.peer.Send(msg))
	eventually(t, "the message to the other", func() bool {
		well.mu.Lock()
		defer well.mu.Unlock()
		return len(well.data[0]) == 1
	})
	if got := n.Stats().Dropped[dropDataSlow]; got != 2 {
		t.Errorf("%d dropped messages are counted, want 2 (after %d sent)", got, sent)
	}
}

// TestDataBeforeOpen guards that reliable messages wait for the channel.
func TestDataBeforeOpen(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	b := newBrowser(t, n, "b", browserConfig{noSend: true, slots: 1})
	if err := b.peer.Send(Data{}); !errors.Is(err, ErrNoData) {
		t.Errorf("before the offer: %v", err)
	}
	must(t, b.negotiate(nil))
	for i := range 3 {
		must(t, b.peer.Send(Data{From: "x", Payload: []byte{byte('0' + i)}, Reliable: true}))
	}
	must(t, b.peer.Send(Data{From: "x"})) // unreliable: lost
	eventually(t, "the messages", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.data[0]) == 3
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := cmp.Diff([]string{"\x01x\x000", "\x01x\x001", "\x01x\x002"}, b.data[0]); d != "" {
		t.Error(d)
	}
}

func TestDataWithoutSection(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	b := join(t, n, "b", browserConfig{noSend: true, noData: true, slots: 1})
	if err := b.peer.Send(Data{Reliable: true}); !errors.Is(err, ErrNoData) {
		t.Errorf("error %v", err)
	}
}

func FuzzParseData(f *testing.F) {
	f.Add(clientFrame(nil, "topic", "payload"))
	f.Add(clientFrame([]string{"a", "bc"}, "", ""))
	f.Add([]byte{255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parseData(b)
		if err != nil {
			if !errors.Is(err, ErrBadData) {
				t.Fatalf("error %v is not ErrBadData", err)
			}
			return
		}
		if again := clientFrame(d.To, d.Topic, string(d.Payload)); !bytes.Equal(again, b) {
			t.Fatalf("%x became %x", b, again)
		}
		d.From = "me"
		out, err := appendData(nil, d, len(b))
		must(t, err)
		if want := append(append([]byte{2, 'm', 'e', byte(len(d.Topic))}, d.Topic...), d.Payload...); !bytes.Equal(out, want) {
			t.Fatalf("frame %x, want %x", out, want)
		}
	})
}

// TestDataBeforeTheChannelIsBounded guards the memory of messages for a client that never opens its channels.
func TestDataBeforeTheChannelIsBounded(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	p, err := n.NewPeer("never", "room", &events{})
	must(t, err)
	_, err = p.Negotiate(context.Background(), goodOffer(t))
	must(t, err)
	m := Data{From: "x", Payload: make([]byte, 60_000), Reliable: true}
	sent := 0
	for sent < 100 {
		if err = p.Send(m); err != nil {
			break
		}
		sent++
	}
	if !errors.Is(err, ErrSlow) || sent != reliableQueue/2/len(m.Payload)+1 { // half of it is one sender's
		t.Errorf("%d of %d bytes are kept, then %v", sent, len(m.Payload), err)
	}
}
