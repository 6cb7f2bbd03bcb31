package batch

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/parley/parley/internal/foreign"
)

// withoutChecksums makes the kernel refuse segmented datagrams with EINVAL: they need checksums.
func withoutChecksums(t *testing.T, udp *net.UDPConn, six bool) {
	t.Helper()
	raw, err := udp.SyscallConn()
	must(t, err)
	must(t, raw.Control(func(fd uintptr) {
		if six {
			must(t, unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_NO_CHECK6_TX, 1))
			return
		}
		must(t, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_NO_CHECK, 1))
	}))
}

// TestRefusedSegmentsStepDown: the kernel refuses GSO, for real. Nothing is lost, the mode is lowered for good.
func TestRefusedSegmentsStepDown(t *testing.T) {
	t.Parallel()
	for _, f := range []struct{ network, addr string }{{"udp4", "127.0.0.1:0"}, {"udp6", "[::1]:0"}} {
		t.Run(f.network, func(t *testing.T) {
			t.Parallel()
			c, udp := listen(t, f.network, f.addr)
			if c.Mode() != Segments {
				t.Skip("no GSO here")
			}
			withoutChecksums(t, udp, f.network == "udp6")
			_, sink := listen(t, f.network, f.addr)
			if f.network == "udp6" { // takes datagrams without a checksum
				raw, err := sink.SyscallConn()
				must(t, err)
				must(t, raw.Control(func(fd uintptr) {
					must(t, unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_NO_CHECK6_RX, 1))
				}))
			}
			to, owner, s := c.Dest(addrOf(sink)), &losses{}, c.NewSender()
			const rounds, run = 3, 5
			for range rounds {
				for range run {
					s.Next()
					s.Commit(500, to, owner, false)
				}
				s.Flush()
			}
			must(t, sink.SetReadDeadline(time.Now().Add(5*time.Second)))
			for range rounds * run {
				if n, _, err := sink.ReadFromUDPAddrPort(make([]byte, 1000)); err != nil || n != 500 {
					t.Fatal(n, err)
				}
			}
			st := c.Stats()
			if st.Mode != Multiple || st.SegmentationRefused != 1 || st.SentPackets != rounds*run || owner.dropped != 0 {
				t.Errorf("dropped %d, %+v", owner.dropped, st)
			}
		})
	}
}

// TestLateRefusals: once segments have left, EINVAL is one path's fault (its MTU), EIO the device's.
func TestLateRefusals(t *testing.T) {
	t.Parallel()
	for fault, want := range map[unix.Errno]Mode{unix.EINVAL: Segments, unix.EMSGSIZE: Segments, unix.EIO: Multiple} {
		c, _ := listen(t, "udp4", "127.0.0.1:0")
		if c.Mode() != Segments {
			t.Skip("no GSO here")
		}
		c.os.proven.Store(true)
		_, sink := listen(t, "udp4", "127.0.0.1:0")
		to, owner, s := c.Dest(addrOf(sink)), &losses{}, c.NewSender()
		for range 4 {
			s.Next()
			s.Commit(500, to, owner, false)
		}
		if done := c.failed(s, s.msgs, fault); done != 1 || c.Mode() != want || owner.dropped != 0 {
			t.Errorf("%v: %d dealt with, mode %v, %d dropped", fault, done, c.Mode(), owner.dropped)
		}
		if st := c.Stats(); st.SentPackets != 4 || st.SegmentationRefused != 1 {
			t.Errorf("%v: %+v", fault, st)
		}
	}
}

// inNamespace runs f in a new network namespace with a cable to nobody: 10.99.0.0/24. The thread dies with it.
func inNamespace(t *testing.T, f func() error) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	if err := foreign.Installed("ip"); err != nil {
		t.Skip(err)
	}
	done := make(chan error)
	skip := make(chan string, 1)
	go func() {
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			skip <- err.Error()
			done <- nil
			return
		}
		for _, args := range []string{
			"link add v0 type veth peer name v1", "addr add 10.99.0.1/24 dev v0", "link set v0 up", "link set v1 up",
		} {
			if out, err := foreign.Command(t.Context(), "ip", strings.Fields(args)...).CombinedOutput(); err != nil {
				skip <- args + ": " + string(out)
				done <- nil
				return
			}
		}
		done <- f()
	}()
	must(t, <-done)
	select {
	case why := <-skip:
		t.Skip(why)
	default:
	}
}

// TestFullBufferDropsByPolicy fills the socket's buffer for real: the datagrams wait for the hardware address of somebody who is not
// there. The rest is dropped, urgent ones last, every owner is told, and the counters add up.
func TestFullBufferDropsByPolicy(t *testing.T) {
	t.Parallel()
	var udp *net.UDPConn
	inNamespace(t, func() (err error) {
		udp, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(10, 99, 0, 1)})
		return err
	})
	defer udp.Close()
	must(t, udp.SetWriteBuffer(16<<10))
	c, err := NewConn(udp, nil)
	must(t, err)
	to := c.Dest(netip.MustParseAddrPort("10.99.0.2:9"))
	video, audio, s := &losses{}, &losses{}, c.NewSender()
	const packets = 200
	committed := uint64(0)
	for i := range packets {
		s.Next()
		s.Commit(1000, to, video, false)
		committed++
		if i%50 == 0 {
			s.Next()
			s.Commit(80, to, audio, true)
			committed++
		}
	}
	s.Flush()
	st := c.Stats()
	if st.DroppedFull == 0 || video.dropped == 0 {
		t.Fatalf("nothing was dropped: %+v", st)
	}
	if st.SentPackets+st.DroppedFull+st.DroppedError != committed || uint64(video.dropped+audio.dropped) != st.DroppedFull ||
		st.DroppedUrgent != uint64(audio.dropped) {
		t.Errorf("of %d: %d and %d dropped, %+v", committed, video.dropped, audio.dropped, st)
	}
	if video.dropped < packets/2 {
		t.Errorf("%d of %d got into 16 KiB", packets-video.dropped, packets)
	}
}

// TestJoinsIsTrue: where the kernel is said to join received datagrams it does, once it is asked to; and it does not before.
func TestJoinsIsTrue(t *testing.T) {
	t.Parallel()
	c, udp := listen(t, "udp4", "127.0.0.1:0")
	if c.Mode() != Segments || !c.Stats().Joins {
		t.Skip("no GSO or no GRO here")
	}
	to, owner, s := c.Dest(addrOf(udp)), &losses{}, c.NewSender()
	for _, on := range []bool{false, true} {
		if on {
			raw, err := udp.SyscallConn()
			must(t, err)
			must(t, raw.Control(func(fd uintptr) { must(t, unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_GRO, 1)) }))
		}
		const run, size = 3, 500
		for range run {
			s.Next()
			s.Commit(size, to, owner, false)
		}
		s.Flush()
		must(t, udp.SetReadDeadline(time.Now().Add(5*time.Second)))
		want := []int{size, size, size}
		if on {
			want = []int{run * size}
		}
		for _, length := range want {
			if n, _, err := udp.ReadFromUDPAddrPort(make([]byte, 4000)); err != nil || n != length {
				t.Fatalf("asked to join: %v: %d bytes, %v, want %d", on, n, err, length)
			}
		}
	}
}
