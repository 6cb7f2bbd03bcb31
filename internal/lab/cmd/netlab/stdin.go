//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// interruptible reads a file until it or the context ends. A terminal and an inherited pipe are blocking files, whose Close
// does not wake a reader; making them non-blocking would change them for the shell as well.
type interruptible struct {
	file *os.File
	stop [2]*os.File // a pipe; its writing end is closed when the context ends
	off  func() bool
}

func newInterruptible(ctx context.Context, file *os.File) (*interruptible, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &interruptible{
		file: file,
		stop: [2]*os.File{r, w},
		off:  context.AfterFunc(ctx, func() { w.Close() }),
	}, nil
}

// Read is io.Reader's; the end of the context reads as io.EOF.
func (i *interruptible) Read(b []byte) (int, error) {
	for {
		ready := []unix.PollFd{
			{Fd: int32(i.file.Fd()), Events: unix.POLLIN},
			{Fd: int32(i.stop[0].Fd()), Events: unix.POLLIN},
		}
		switch _, err := unix.Poll(ready, -1); {
		case errors.Is(err, unix.EINTR): // the runtime's own signals
		case err != nil:
			return 0, err
		case ready[1].Revents != 0:
			return 0, io.EOF
		default:
			return i.file.Read(b)
		}
	}
}

// Close frees the pipe, not the file.
func (i *interruptible) Close() error {
	i.off()
	i.stop[1].Close() // again, after the context's end: harmless
	return i.stop[0].Close()
}
