//go:build linux

package lab

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// wireDepth is how many frames may be on their way in one direction; overflow drops the newest, counted as full. At
// 1500 bytes it is a second of 200 Mbit/s.
const wireDepth = 1 << 14

// Wire is the cable between a client and its NAT, with an impairment in each direction.
type Wire struct {
	// Static after construction.
	lab      *Lab
	side     Side
	up, down *lane // from the client, to the client
	taps     [2]*os.File
	tasks    sync.WaitGroup
	closing  sync.Once
	errClose error
}

// Wire replaces the cable of a side by a wire, at first a clean one. Chance comes from the seed: up draws from seed, down
// from seed+1. The context bounds the making only; the wire lasts until Close. A side has one wire at a time.
func (l *Lab) Wire(ctx context.Context, s Side, seed uint64) (*Wire, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := l.side(ctx, s, "-n {nat} link del lan"); err != nil {
		return nil, err
	}
	w := &Wire{lab: l, side: s}
	for i, end := range []struct {
		node Node
		name string
	}{{s.client(), "eth0"}, {s.nat(), "lan"}} {
		if err := l.Do(end.node, func() (err error) {
			w.taps[i], err = openTAP(end.name)
			return err
		}); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	if err := l.side(ctx, s, inner); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.up = newLane(w.taps[0], w.taps[1], seed)
	w.down = newLane(w.taps[1], w.taps[0], seed+1)
	for _, d := range []*lane{w.up, w.down} {
		w.tasks.Go(d.read)
		w.tasks.Go(d.write)
	}
	return w, nil
}

// Control does what a line of text says: "up", "down" or "both", followed by what Impairment.Set takes. It answers with the
// counters of both directions; an empty line only asks for them.
func (w *Wire) Control(text string) (string, error) {
	direction, change := "", ""
	if words := strings.Fields(text); len(words) > 0 {
		direction, change = words[0], strings.Join(words[1:], " ")
	}
	var lanes []*lane
	switch direction {
	case "":
	case "up":
		lanes = []*lane{w.up}
	case "down":
		lanes = []*lane{w.down}
	case "both":
		lanes = []*lane{w.up, w.down}
	default:
		return "", fmt.Errorf("lab: no direction %q, there are up, down and both", direction)
	}
	for _, d := range lanes {
		if err := d.set(change); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("up %v; down %v", w.up, w.down), nil
}

// Close puts the plain cable back. It fails where the lab is gone already.
func (w *Wire) Close() error {
	w.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		// The interfaces would go with their files, but only once a process that is being forked has let go of its copies.
		var errs []error
		for i, remove := range []string{"-n {client} link del eth0", "-n {nat} link del lan"} {
			if tap := w.taps[i]; tap != nil {
				errs = append(errs, w.lab.side(ctx, w.side, remove), tap.Close())
			}
		}
		if w.up != nil {
			close(w.up.closed)
			close(w.down.closed)
		}
		w.tasks.Wait()
		errs = append(errs, w.lab.side(ctx, w.side, cable+inner))
		w.errClose = errors.Join(errs...)
	})
	return w.errClose
}

// openTAP makes an Ethernet interface whose frames are read and written here.
func openTAP(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("lab: /dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lab: interface %s: %w", name, err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), name), nil
}

// lane carries frames one way.
type lane struct {
	// Static after construction.
	from, to *os.File
	closed   chan struct{}
	arrived  chan frame

	// Guarded by mu.
	mu   sync.Mutex
	line *line
}

type frame struct {
	at    time.Time
	order uint64 // of arrival, among frames of one time
	data  []byte
}

func newLane(from, to *os.File, seed uint64) *lane {
	return &lane{from: from, to: to, closed: make(chan struct{}), arrived: make(chan frame, 256), line: newLine(seed)}
}

func (d *lane) set(change string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.line.Set(change)
}

func (d *lane) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.line.String()
}

// read takes frames off one end until it is closed.
func (d *lane) read() {
	const arp = "\x08\x06"
	b := make([]byte, 1<<16)
	for order := uint64(0); ; order++ {
		n, err := d.from.Read(b)
		if err != nil {
			return
		}
		if n >= 14 && string(b[12:14]) == arp { // passes untouched: a lost answer would stop everything for a second
			if !d.put(b[:n]) {
				return
			}
			continue
		}
		d.mu.Lock()
		at, times := d.line.next(time.Now(), n)
		d.mu.Unlock()
		for range times {
			select {
			case d.arrived <- frame{at: at, order: order, data: append([]byte(nil), b[:n]...)}:
			case <-d.closed:
				return
			}
		}
	}
}

// put hands a frame to the other end and says whether there still is one. An interface that is down takes no frame (EIO)
// but may come up again: that frame is lost and counted.
func (d *lane) put(b []byte) bool {
	_, err := d.to.Write(b)
	if errors.Is(err, unix.EIO) {
		d.mu.Lock()
		d.line.lost++
		d.mu.Unlock()
		return true
	}
	return err == nil
}

// write puts frames onto the other end when their time has come.
func (d *lane) write() {
	var waiting frames
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		for len(waiting) > 0 && !waiting[0].at.After(time.Now()) {
			f := heap.Pop(&waiting).(frame)
			if !d.put(f.data) {
				return // read ends as well
			}
		}
		if len(waiting) > 0 {
			timer.Reset(time.Until(waiting[0].at))
		}
		select {
		case f := <-d.arrived:
			if len(waiting) >= wireDepth {
				d.mu.Lock()
				d.line.full++
				d.mu.Unlock()
				continue
			}
			heap.Push(&waiting, f)
		case <-timer.C:
		case <-d.closed:
			return
		}
	}
}

// frames is a heap, the next to go out first.
type frames []frame

func (f frames) Len() int { return len(f) }
func (f frames) Less(i, j int) bool {
	if f[i].at.Equal(f[j].at) {
		return f[i].order < f[j].order
	}
	return f[i].at.Before(f[j].at)
}
func (f frames) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *frames) Push(x any)   { *f = append(*f, x.(frame)) }
func (f *frames) Pop() any {
	old := *f
	last := old[len(old)-1]
	*f = old[:len(old)-1]
	return last
}
