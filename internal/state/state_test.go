package state

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func logged(t *testing.T) (*slog.Logger, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, nil)), &b
}

func open(t *testing.T, path string) *Dir {
	t.Helper()
	log, said := logged(t)
	d := New(path, log)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if said.Len() > 0 {
			t.Errorf("it complained: %s", said)
		}
	})
	return d
}

func TestKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "parley")
	d := open(t, path)
	if _, err := d.Read("bans"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("reading made the folder")
	}
	for _, content := range []string{"first", "second"} {
		if err := d.Write("bans", []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, path)
	if b, err := again.Read("bans"); err != nil || string(b) != "second" {
		t.Errorf("%q, %v", b, err)
	}
	if _, kept := again.Path(); !kept {
		t.Error("not kept")
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "bans" && e.Name() != lockName {
			t.Errorf("%s is left", e.Name())
		}
		if info, err := e.Info(); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// Two that write in turn would lose what the other wrote: the second reads what there is, and writes when the first has ended.
func TestSecondProcessUsesMemory(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	first := open(t, path)
	if err := first.Write("bans", []byte("of the first")); err != nil {
		t.Fatal(err)
	}
	log, said := logged(t)
	second := New(path, log)
	if b, err := second.Read("bans"); err != nil || string(b) != "of the first" {
		t.Errorf("it knows nothing of what holds: %q, %v", b, err)
	}
	if err := second.Write("bans", []byte("of the second")); err != nil {
		t.Fatal(err)
	}
	if b, err := second.Read("bans"); err != nil || string(b) != "of the second" {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := first.Read("bans"); err != nil || string(b) != "of the first" {
		t.Errorf("%q, %v", b, err)
	}
	if !strings.Contains(said.String(), "another process") || second.Failed() != 1 {
		t.Errorf("%d, %s", second.Failed(), said)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.Write("links", []byte("later")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"bans": "of the second", "links": "later"} {
		if b, err := os.ReadFile(filepath.Join(path, name)); err != nil || string(b) != want {
			t.Errorf("%s on the disk: %q, %v", name, b, err)
		}
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestUnusableFolderIsNoEnd(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	log, said := logged(t)
	d := New(filepath.Join(file, "below"), log)
	if err := d.Write("bans", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if b, err := d.Read("bans"); err != nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
	if strings.Count(said.String(), "level=WARN") != 1 {
		t.Errorf("want one warning: %s", said)
	}
}

func TestBrokenFileIsSetAside(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	log, said := logged(t)
	d := New(path, log)
	t.Cleanup(func() { d.Close() })
	for _, content := range []string{"one", "two", "three"} {
		if err := d.Write("bans", []byte(content)); err != nil {
			t.Fatal(err)
		}
		d.SetAside("bans", errors.New("not JSON"))
	}
	if _, err := d.Read("bans"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for name, want := range map[string]string{"bans.broken": "one", "bans.broken-2": "two", "bans.broken-3": "three"} {
		if b, err := os.ReadFile(filepath.Join(path, name)); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if strings.Count(said.String(), "set aside") != 3 {
		t.Errorf("%s", said)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir())
	if err := d.Write("large", make([]byte, MaxBytes+1)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(d.path, "large"), make([]byte, MaxBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Read("large"); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	for _, name := range []string{"", "..", "../x", "a/b", "/x", lockName} {
		if err := d.Write(name, nil); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	home := map[string]string{"HOME": "/home/ann"}
	for _, c := range []struct {
		configured string
		env        map[string]string
		want       string
	}{
		{"", nil, ""},
		{"off", home, ""},
		{"/data", map[string]string{"STATE_DIRECTORY": "/var/lib/parley"}, "/data"},
		{"", map[string]string{"STATE_DIRECTORY": "/var/lib/parley:/var/lib/x", "HOME": "/home/ann"}, "/var/lib/parley"},
	} {
		if got := Folder(c.configured, func(k string) string { return c.env[k] }); got != c.want {
			t.Errorf("%q, %v: %q, want %q", c.configured, c.env, got, c.want)
		}
	}
	for system, want := range map[string]string{"linux": "/home/ann/.config", "darwin": "/home/ann/Library/Application Support", "windows": ""} {
		if got := userFolder(system, func(k string) string { return home[k] }); filepath.ToSlash(got) != want {
			t.Errorf("%s: %q, want %q", system, got, want)
		}
	}
}
