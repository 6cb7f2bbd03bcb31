package mux

import (
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"time"
)

// Reads that fail one after the other are tried again ever more slowly.
const (
	stumbleShort = time.Millisecond
	stumbleLong  = time.Second
)

// guard counts a mistake of ours in what a packet was given to: it costs what is left of its batch. Use it with defer.
func (u *UDP) guard() {
	if r := recover(); r != nil {
		if u.dropped[dropPanic].Add(1) == 1 && u.log != nil { // the others are counted
			u.log.Error("panic in a reader of the UDP port", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		}
	}
}

// stumble takes note of so many failed reads in a row, and waits where they go on: the errors of single reads are those of ICMP, which
// some systems report on the socket. It returns false once the port is closed.
func (u *UDP) stumble(err error, failures int) bool {
	if errors.Is(err, net.ErrClosed) {
		return false
	}
	u.dropped[dropReadError].Add(1)
	if failures < maxReadFailures {
		return true
	}
	if log := u.log; log != nil && failures == maxReadFailures {
		log.Error("reading the UDP port fails, and is tried again", "err", err, "failures", failures)
	}
	select {
	case <-u.closed:
		return false
	case <-time.After(min(stumbleShort<<min(failures-maxReadFailures, 10), stumbleLong)):
		return true
	}
}
