//go:build !linux

package loadgen

import (
	"errors"
	"net"
	"time"
)

// attach is Linux's: elsewhere every viewer takes every packet.
func attach(*net.UDPConn, []instruction) error { return errors.ErrUnsupported }

// drops are not known here.
func drops(*net.UDPConn) (uint32, error) { return 0, errors.ErrUnsupported }

// stampArrivals is Linux's: elsewhere packets are stamped when they are read.
func stampArrivals(*net.UDPConn) error { return nil }

const stampSpace = 0

func arrivalOf([]byte) (time.Time, bool) { return time.Time{}, false }
