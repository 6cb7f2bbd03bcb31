package guests

import (
	"log/slog"
	"sync"
	"sync/atomic"
)

// writer writes files in the background, each as it is when its turn comes.
type writer struct {
	// Static after construction.
	files  Files
	log    *slog.Logger
	encode map[string]func() ([]byte, error)
	wake   chan struct{} // holds one: there is something to do
	quit   chan struct{}
	done   chan struct{}

	failed  atomic.Uint64
	failing atomic.Bool // the last write failed, which was logged

	mu sync.Mutex

	// Guarded by mu.
	dirty  map[string]bool // by name; false: changed, but not worth a write of its own
	closed bool
}

func startWriter(files Files, log *slog.Logger, encode map[string]func() ([]byte, error)) *writer {
	w := &writer{
		files: files, log: log, encode: encode, dirty: map[string]bool{},
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	go w.run()
	return w
}

func (w *writer) run() {
	defer close(w.done)
	for {
		select {
		case <-w.wake:
			w.write(w.take(false))
		case <-w.quit:
			w.write(w.take(true))
			return
		}
	}
}

// changed has a file written.
func (w *writer) changed(name string) { w.note(name, true) }

// touched has a file written when another change is, or at the end.
func (w *writer) touched(name string) { w.note(name, false) }

func (w *writer) note(name string, soon bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.dirty[name] = w.dirty[name] || soon
	if soon {
		select {
		case w.wake <- struct{}{}:
		default: // it is awake
		}
	}
}

// take returns the names of what is to be written.
func (w *writer) take(all bool) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for name, soon := range w.dirty {
		if soon || all {
			names = append(names, name)
			delete(w.dirty, name)
		}
	}
	return names
}

func (w *writer) write(names []string) {
	for _, name := range names {
		text, err := w.encode[name]()
		if err == nil {
			err = w.files.Write(name, text)
		}
		if err == nil {
			w.failing.Store(false)
			continue
		}
		w.failed.Add(1)
		w.note(name, false) // with the next change, or at the end
		if !w.failing.Swap(true) {
			w.log.Warn("what should outlive this process could not be written; it holds as long as the process runs", "file", name, "err", err)
		}
	}
}

// close writes what is left.
func (w *writer) close() {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return
	}
	w.closed = true
	w.mu.Unlock()
	close(w.quit)
	<-w.done
}
