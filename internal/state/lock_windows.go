package state

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

var errLocked = errors.New("another process has the folder")

// lockFile opens a file and locks it; closing it, also by the end of the process, gives the lock up.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
		new(windows.Overlapped))
	if err != nil {
		if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
			err = errLocked
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// syncFolder does nothing: Windows cannot.
func syncFolder(string) {}
