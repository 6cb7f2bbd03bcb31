package mux

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestFailedReadsEndNoReader has the kernel report ICMP errors on the socket, more in a row than are taken for normal, and sends a packet then.
func TestFailedReadsEndNoReader(t *testing.T) {
	t.Parallel()
	u, taps := serving(t, 1)
	raw, err := u.sockets[0].SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		if err := unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVERR, 1); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	nobody, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := nobody.LocalAddr()
	closed(t, nobody)
	failed := func() uint64 { return u.Stats().Dropped["read_error"] }
	for i := range uint64(maxReadFailures + 5) {
		eventually(t, "a read that fails", func() bool {
			_, _ = u.Media().WriteTo(packetDTLS, to) // may tell of the failure itself: then the reader does not hear of it
			return failed() > i
		})
	}
	c := dialUDP(t, "udp4", u.LocalAddr().String())
	send(t, c, packetRTP)
	eventually(t, "a packet after the failures", func() bool { return taps[0].packets() == 1 })
}

// TestStumble: the port's end ends a wait at once, and ends the reader.
func TestStumble(t *testing.T) {
	t.Parallel()
	u := listenUDP(t, "127.0.0.1:0")
	if !u.stumble(unix.ECONNREFUSED, 1) || u.stumble(net.ErrClosed, 1) {
		t.Error("one failure ends the reader, or the end of the port does not")
	}
	if n := u.Stats().Dropped["read_error"]; n != 1 {
		t.Errorf("%d counted", n)
	}
	ended := make(chan bool)
	began := time.Now()
	go func() { ended <- u.stumble(unix.EIO, 1000) }()
	closed(t, u)
	if <-ended {
		t.Error("it goes on after the end")
	}
	if took := time.Since(began); took >= stumbleLong {
		t.Errorf("it took %v", took)
	}
}
