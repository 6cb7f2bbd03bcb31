package mux

import (
	"bytes"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/parley/parley/internal/batch"
)

// server is the media side as the plane sees it.
type server interface {
	net.PacketConn
	Serve([]*batch.Conn, []batch.Tap)
}

// recorder is a tap that takes RTP with an even payload type.
type recorder struct {
	mu      sync.Mutex
	from    map[netip.AddrPort]int // Guarded by mu: packets by sender.
	batches int                    // Guarded by mu.
}

func (r *recorder) Packet(b []byte, from netip.AddrPort, _ netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b[1]%2 != 0 {
		return false
	}
	r.from[from]++
	return true
}

func (r *recorder) Done() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches++
}

func (r *recorder) packets() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.from {
		n += one
	}
	return n
}

// serving listens with so many sockets and serves them.
func serving(t *testing.T, sockets int) (*UDP, []*recorder) {
	t.Helper()
	u, err := ListenUDP("127.0.0.1:0", sockets)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, u) })
	conns, err := u.media.Batched(nil)
	if err != nil {
		t.Fatal(err)
	}
	var taps []batch.Tap
	var recorders []*recorder
	for range conns {
		r := &recorder{from: map[netip.AddrPort]int{}}
		taps, recorders = append(taps, r), append(recorders, r)
	}
	u.Media().(server).Serve(conns, taps)
	return u, recorders
}

// TestServeDealsPackets: the tap gets what it takes, media and TURN the rest, and a sender stays on its socket.
func TestServeDealsPackets(t *testing.T) {
	t.Parallel()
	for _, sockets := range []int{1, 3} {
		u, taps := serving(t, sockets)
		if _, err := ListenUDP(u.LocalAddr().String(), sockets); err == nil {
			t.Fatal("a second server got the same port")
		}
		const clients, each = 20, 15
		other := bytes.Clone(packetRTP)
		other[1] = 97
		for range clients {
			c := dialUDP(t, "udp4", u.LocalAddr().String())
			for range each {
				send(t, c, packetRTP)
			}
			send(t, c, packetCheck, packetBinding, other)
		}
		for _, want := range [][]byte{packetCheck, other} {
			for range clients {
				if got, _ := read(t, u.Media()); !bytes.Equal(got, packetCheck) && !bytes.Equal(got, other) {
					t.Errorf("media got %x, want %x", got, want)
				}
			}
		}
		for range clients {
			if got, _ := read(t, u.TURN()); !bytes.Equal(got, packetBinding) {
				t.Errorf("TURN got %x", got)
			}
		}
		eventually(t, "all RTP", func() bool {
			n := 0
			for _, r := range taps {
				n += r.packets()
			}
			return n == clients*each
		})
		senders := 0
		for _, r := range taps {
			senders += len(r.from)
		}
		if senders != clients {
			t.Errorf("%d sockets: %d senders on them, not %d", sockets, senders, clients)
		}
		if n := u.Stats().Received["rtp"]; n != clients*(each+1) {
			t.Errorf("%d RTP packets counted", n)
		}
		dst := dialUDP(t, "udp4", u.LocalAddr().String())
		if _, err := u.Media().WriteTo(packetDTLS, dst.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 32)
		if n, err := dst.Read(b); err != nil || !bytes.Equal(b[:n], packetDTLS) {
			t.Errorf("client got %x, %v", b[:n], err)
		}
	}
}

// TestServeOutlivesMedia: TURN is served after media closed, and media's packets are counted.
func TestServeOutlivesMedia(t *testing.T) {
	t.Parallel()
	u, taps := serving(t, 2)
	c := dialUDP(t, "udp4", u.LocalAddr().String())
	closed(t, u.Media())
	send(t, c, packetRTP, packetDTLS, packetAllocate)
	if got, _ := read(t, u.TURN()); !bytes.Equal(got, packetAllocate) {
		t.Errorf("TURN got %x", got)
	}
	if n := u.Stats().Dropped["media_closed"]; n != 2 || taps[0].packets()+taps[1].packets() != 0 {
		t.Errorf("%d dropped, the taps got %d and %d", n, taps[0].packets(), taps[1].packets())
	}
}

// TestServeMediaQueueIsBounded: what nobody reads is dropped and counted, and TURN does not suffer.
func TestServeMediaQueueIsBounded(t *testing.T) {
	t.Parallel()
	u, _ := serving(t, 1)
	c := dialUDP(t, "udp4", u.LocalAddr().String())
	for range queueLen + 10 {
		send(t, c, packetCheck)
	}
	send(t, c, packetAllocate)
	if got, _ := read(t, u.TURN()); !bytes.Equal(got, packetAllocate) {
		t.Errorf("TURN got %x", got)
	}
	if n := u.Stats().Dropped["media_queue_full"]; n != 10 {
		t.Errorf("%d dropped, not 10", n)
	}
}

// TestStraysLeaveRoom: RTP that nobody wants does not keep STUN out.
func TestStraysLeaveRoom(t *testing.T) {
	t.Parallel()
	u, _ := serving(t, 1)
	stray := bytes.Clone(packetRTP)
	stray[1] = 97
	c := dialUDP(t, "udp4", u.LocalAddr().String())
	for range queueLen {
		send(t, c, stray)
	}
	send(t, c, packetCheck)
	eventually(t, "all packets", func() bool { return u.Stats().Received["ice_stun"] == 1 })
	if d := u.Stats().Dropped; d["stray_queue_full"] != queueLen/2 || d["media_queue_full"] != 0 {
		t.Errorf("dropped: %v", d)
	}
	for range queueLen / 2 {
		read(t, u.Media())
	}
	if got, _ := read(t, u.Media()); !bytes.Equal(got, packetCheck) {
		t.Errorf("media got %x", got)
	}
}

// trap is a tap that is a mistake of ours.
type trap struct{ *recorder }

func (t trap) Packet(b []byte, from netip.AddrPort, at netip.Addr) bool {
	if b[1]%2 != 0 {
		panic("on purpose")
	}
	return t.recorder.Packet(b, from, at)
}

// TestPanicInATap costs its batch, is counted, and does not end the reader.
func TestPanicInATap(t *testing.T) {
	t.Parallel()
	u, err := ListenUDP("127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, u) })
	conns, err := u.media.Batched(nil)
	if err != nil {
		t.Fatal(err)
	}
	tap := trap{&recorder{from: map[netip.AddrPort]int{}}}
	u.Media().(server).Serve(conns, []batch.Tap{tap})
	client := dialUDP(t, "udp4", u.LocalAddr().String())
	other := bytes.Clone(packetRTP)
	other[1] = 97
	send(t, client, other)
	eventually(t, "the panic", func() bool { return u.Stats().Dropped["panic"] == 1 })
	send(t, client, packetRTP)
	eventually(t, "the next packet", func() bool { return tap.packets() == 1 })
}

// TestTURNIsAnsweredFromTheAskedAddress: a client takes no answer from another.
func TestTURNIsAnsweredFromTheAskedAddress(t *testing.T) {
	t.Parallel()
	u, err := ListenUDP("0.0.0.0:0", 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, u) })
	conns, err := u.media.Batched(nil)
	if err != nil {
		t.Fatal(err)
	}
	tap := &recorder{from: map[netip.AddrPort]int{}}
	u.Media().(server).Serve(conns, []batch.Tap{tap, tap})
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.7"), uint16(u.LocalAddr().(*net.UDPAddr).Port))
	client := dialUDP(t, "udp4", at.String()) // it hears that address alone
	send(t, client, packetBinding)
	if runtime.GOOS != "linux" {
		t.Skip("the system does not tell which address was asked")
	}
	_, from := read(t, u.TURN())
	if _, err := u.TURN().WriteTo(packetBinding, from); err != nil {
		t.Fatal(err)
	}
	if err := client.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Read(make([]byte, 100)); err != nil {
		t.Error(err)
	}
}

// TestAskedIsBounded: who is heard is remembered, whoever else comes.
func TestAskedIsBounded(t *testing.T) {
	t.Parallel()
	var a asked
	at := netip.MustParseAddr("192.0.2.1")
	friend := netip.MustParseAddrPort("198.51.100.1:5")
	for i := range 10 * askedLen {
		if i%1000 == 0 {
			a.note(friend, at)
		}
		a.note(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 9), at)
		if a.at(friend) != at {
			t.Fatalf("forgotten after %d strangers", i)
		}
		if n := len(a.now) + len(a.before); n > 2*askedLen {
			t.Fatalf("%d are remembered", n)
		}
	}
	a.note(friend, netip.Addr{}) // it is not told
	if a.at(friend) != at || a.at(netip.MustParseAddrPort("198.51.100.1:6")).IsValid() {
		t.Error("another address")
	}
}
