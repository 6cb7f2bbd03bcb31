//go:build unix

package sfu

import (
	"syscall"
	"time"
)

// usage returns the processor time of this process.
func usage() time.Duration {
	var ru syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
