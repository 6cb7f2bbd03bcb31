package stock

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parley/parley/internal/loadgen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T) (*Server, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	media, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(l, media, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil || len(s.peers) != 0 {
			t.Errorf("%v, %d peers are left", err, len(s.peers))
		}
	})
	return s, l.Addr().String()
}

func load(address string, c loadgen.Config) loadgen.Config {
	c.Local, c.Duration, c.Settle = netip.MustParseAddr("127.0.0.1"), time.Second, 200*time.Millisecond
	c.Dial = func(ctx context.Context, room string) (loadgen.Conn, error) {
		conn, err := loadgen.DialLines(ctx, address, room)
		if err != nil {
			return nil, err
		}
		return conn, nil
	}
	return c
}

// TestForwards puts the load of make bench on the forwarder.
func TestForwards(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config loadgen.Config
		rate   float64
	}{
		"broadcast": {loadgen.Config{Viewers: 3}, 3 * 230},
		"meeting":   {loadgen.Config{Publishers: 3, Meeting: true}, 6 * 230},
		"rooms":     {loadgen.Config{Rooms: 2, Viewers: 2, Codec: "vp9"}, 4 * 230},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, address := start(t)
			r, err := loadgen.Run(t.Context(), load(address, c.config))
			if err != nil {
				t.Fatal(err)
			}
			if r.Joins.Failed > 0 || len(r.Joins.Errors) > 0 || r.Traffic.SilentStreams > 0 {
				t.Errorf("%+v, %d silent", r.Joins, r.Traffic.SilentStreams)
			}
			if got := r.Traffic.PacketsPerSecond; got < c.rate/2 || got > c.rate*1.2 {
				t.Errorf("%.0f packets/s, want %.0f", got, c.rate)
			}
			if got := s.Stats(); got.PacketsIn == 0 || got.PacketsOut < r.Traffic.Packets || got.BytesOut < got.PacketsOut {
				t.Errorf("%+v, but %d were received", got, r.Traffic.Packets)
			}
		})
	}
}

func TestRefusesSimulcast(t *testing.T) {
	t.Parallel()
	_, address := start(t)
	_, err := loadgen.Run(t.Context(), load(address, loadgen.Config{Viewers: 1, Simulcast: true}))
	if err == nil || !strings.Contains(err.Error(), "simulcast") {
		t.Errorf("%v", err)
	}
}
