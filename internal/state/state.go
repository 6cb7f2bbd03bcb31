package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// MaxBytes is the largest file.
const MaxBytes = 16 << 20

// Errors of reading and writing.
var (
	ErrTooLarge = errors.New("state: the file is too large")
	ErrName     = errors.New("state: not the name of a file")
)

// lockName is the file whose lock says that a process has the folder.
const lockName = "lock"

// Dir is the folder. Make one with New.
type Dir struct {
	// Static after construction.
	path string
	log  *slog.Logger

	mu sync.Mutex

	// Guarded by mu.
	lock   *os.File          // held while the folder is ours
	memory map[string][]byte // what is kept instead of files; nil: the folder is or may become ours
	others bool              // another process has the folder: its files are read, and it is asked for again when something is to be written
	failed uint64
}

// New makes a Dir of the folder at path, which need not exist yet; "" keeps everything in memory.
func New(path string, log *slog.Logger) *Dir {
	d := &Dir{path: path, log: log}
	if path == "" {
		d.memory = map[string][]byte{}
	}
	return d
}

// Read returns the content of a file. The error is fs.ErrNotExist where there is none.
func (d *Dir) Read(name string) ([]byte, error) {
	if !filepath.IsLocal(name) || filepath.Base(name) != name {
		return nil, ErrName
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.memory == nil && d.lock == nil {
		if _, err := os.Stat(d.path); errors.Is(err, fs.ErrNotExist) {
			return nil, fs.ErrNotExist // and nothing is made for the sake of reading
		}
		d.takeLocked()
	}
	if d.memory != nil {
		if b, ok := d.memory[name]; ok {
			return bytes.Clone(b), nil
		}
		if !d.others {
			return nil, fs.ErrNotExist
		}
	}
	f, err := os.Open(filepath.Join(d.path, name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err == nil && len(b) > MaxBytes {
		err = ErrTooLarge
	}
	return b, err
}

// Write puts a file in the place of the one with that name. After an error the old one is still there.
func (d *Dir) Write(name string, content []byte) error {
	if !filepath.IsLocal(name) || filepath.Base(name) != name || name == lockName {
		return ErrName
	}
	if len(content) > MaxBytes {
		return ErrTooLarge
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.memory == nil && d.lock == nil {
		d.takeLocked()
	}
	if d.others {
		d.takeOverLocked()
	}
	if d.memory != nil {
		d.memory[name] = bytes.Clone(content)
		return nil
	}
	if err := replace(d.path, name, content); err != nil {
		d.failed++
		return fmt.Errorf("state: write %s: %w", name, err)
	}
	return nil
}

// SetAside gives a file that cannot be understood another name, so that whoever knows what it is still has it.
func (d *Dir) SetAside(name string, why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.memory != nil {
		delete(d.memory, name)
		return
	}
	old := filepath.Join(d.path, name)
	aside := old + ".broken"
	for i := 2; ; i++ {
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			d.log.Warn("a file of the data folder cannot be set aside", "file", old, "err", err)
			return
		}
		aside = fmt.Sprintf("%s.broken-%d", old, i)
	}
	if err := os.Rename(old, aside); err != nil {
		d.failed++
		d.log.Warn("a file of the data folder cannot be understood, and not be set aside: nothing is kept over a restart", "file", old,
			"why", why, "err", err)
		d.memory = map[string][]byte{} // else it would be written over
		return
	}
	d.log.Warn("a file of the data folder cannot be understood: it is set aside, and what it said does not hold", "file", old, "aside", aside,
		"why", why)
}

// Path is the folder, and whether files are kept there. It is not, before something was read or written, where it does not exist yet.
func (d *Dir) Path() (path string, kept bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.path, d.lock != nil
}

// Failed counts the files that could not be written or set aside.
func (d *Dir) Failed() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed
}

// Close gives the folder up for another process. What is written later is kept in memory.
func (d *Dir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.others = false
	if d.memory == nil {
		d.memory = map[string][]byte{}
	}
	if d.lock == nil {
		return nil
	}
	err := d.lock.Close()
	d.lock = nil
	return err
}

// takeLocked makes the folder and locks it, or turns to memory.
func (d *Dir) takeLocked() {
	err := os.MkdirAll(d.path, 0o700)
	if err == nil {
		d.lock, err = lockFile(filepath.Join(d.path, lockName))
	}
	if err == nil {
		err = writable(d.path)
	}
	if err == nil {
		return
	}
	if d.lock != nil {
		d.lock.Close() // nothing was written to it
		d.lock = nil
	}
	d.memory = map[string][]byte{}
	d.failed++
	if errors.Is(err, errLocked) {
		d.others = true
		d.log.Warn("another process has the data folder: what it says is read, and what this one has to say is kept in memory until that ends",
			"data", d.path)
		return
	}
	d.log.Warn("the data folder cannot be used: what should outlive this process is kept in memory; set data to a folder that may be "+
		"written, or to off", "data", d.path, "err", err)
}

// takeOverLocked takes the folder where the process that had it has ended, and writes what was kept in memory.
func (d *Dir) takeOverLocked() {
	lock, err := lockFile(filepath.Join(d.path, lockName))
	if err != nil {
		return // it has it still
	}
	d.lock, d.others = lock, false
	for name, content := range d.memory {
		if err := replace(d.path, name, content); err != nil {
			d.failed++
			d.log.Warn("the data folder cannot be written", "data", d.path, "file", name, "err", err)
		}
	}
	d.memory = nil
}

// writable makes sure before anything depends on it.
func writable(folder string) error {
	f, err := os.CreateTemp(folder, ".probe-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// replace writes a file beside the old one, waits until the disk has it, and renames it.
func replace(folder, name string, content []byte) (err error) {
	f, err := os.CreateTemp(folder, "."+name+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), filepath.Join(folder, name)); err != nil {
		return err
	}
	syncFolder(folder)
	return nil
}
