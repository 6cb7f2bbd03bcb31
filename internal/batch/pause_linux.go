package batch

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Pause sleeps for d, some ten microseconds, in system calls that the Go runtime is not told of: a timer of the runtime's is a
// millisecond late, and wakes its monitor. Without the first call the kernel adds 50 µs.
func Pause(d time.Duration) {
	_, _, _ = unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_TIMERSLACK, 1, 0, 0, 0, 0)
	ts := unix.NsecToTimespec(int64(d))
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0) // a signal may end it early
}
