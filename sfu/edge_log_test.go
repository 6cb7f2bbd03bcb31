package sfu

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// logged collects log lines above Info.
type logged struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

func (l *logged) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// TestOrdinaryEndsAreQuiet guards that clients who leave, before or after they are connected, over UDP and TCP, leave no
// warning behind.
func TestOrdinaryEndsAreQuiet(t *testing.T) {
	t.Parallel()
	var lines logged
	tcp, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	n := newTestNode(t, func(c *Config) { c.Log, c.TCP = lines.logger(), tcp })
	for range 8 {
		early := newBrowser(t, n, "early", browserConfig{slots: 2})
		must(t, early.negotiate(nil))
		must(t, early.peer.Close()) // while ICE and DTLS are under way
		early.close()
		never, err := n.NewPeer("never", "room", &events{})
		must(t, err)
		_, err = never.Negotiate(context.Background(), goodOffer(t))
		must(t, err)
		must(t, never.Close())
	}
	for i, network := range []webrtc.NetworkType{
		webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4,
	} {
		a := join(t, n, "a", browserConfig{network: network, slots: 1})
		b := join(t, n, "b", browserConfig{network: network, slots: 1})
		cam, err := a.peer.Publish(Camera, false)
		must(t, err)
		must(t, b.peer.Show([]SlotView{{Video: cam, Width: 640, Height: 360}}))
		a.sendMedia(10)
		eventually(t, "the picture", func() bool { return len(b.videoPackets(0)) > 5 })
		for _, c := range []*browser{b, a} {
			if i < 2 { // the page closes, else signaling says so first
				must(t, c.pc.Close())
			}
			must(t, c.peer.Close())
			<-c.peer.done
			c.close()
		}
	}
	stranger, err := net.Dial("tcp", tcp.Addr().String())
	must(t, err)
	_, err = stranger.Write([]byte{0, 4, 1, 2, 3, 4})
	must(t, err)
	must(t, stranger.SetReadDeadline(time.Now().Add(patience)))
	if _, err := stranger.Read(make([]byte, 1)); err == nil {
		t.Error("a stranger on ICE-TCP was answered")
	}
	must(t, stranger.Close())
	if got := lines.String(); got != "" {
		t.Errorf("warnings:\n%s", got)
	}
}

// TestBadOfferIsNoWarning guards that a client cannot fill the log with offers that are refused.
func TestBadOfferIsNoWarning(t *testing.T) {
	t.Parallel()
	var lines logged
	n := newTestNode(t, func(c *Config) { c.Log = lines.logger() })
	p, err := n.NewPeer("p", "room", &events{})
	must(t, err)
	bad := goodOffer(t)
	bad.SDP = strings.ReplaceAll(bad.SDP, "a=recvonly", "a=inactive\r\na=recvonly")
	if _, err := p.Negotiate(context.Background(), bad); !errors.Is(err, ErrBadOffer) {
		t.Errorf("error %v, want ErrBadOffer", err)
	}
	must(t, p.Close())
	<-p.done
	if got := lines.String(); got != "" {
		t.Errorf("warnings:\n%s", got)
	}
}
