package foreign_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/parley/parley/internal/foreign"
)

// doors are the files that may start programs by themselves.
var doors = []string{"internal/foreign/foreign.go", "internal/foreign/foreign_test.go", "internal/lab/cmd/netlab/main.go", "web/e2e/support/programs.mjs"}

var (
	// direct is how a program is started past the list.
	direct = regexp.MustCompile("\\bexec\\.(Command|CommandContext|LookPath)\\(|node:child_process|['\"`]/usr/s?bin/[a-z]")
	// calls names the program of a call to a door.
	calls = regexp.MustCompile(`(?:\bforeign\.Command\([^",\n]+, |\b(?:l|lab)\.Command\([^",\n]+, [^",\n]+, |\bInstalled\(|\bRequire\(t, |\b(?:start|run|find)Program\()["']([^"'/]+)["']`)
)

// sources maps the paths of all Go files and of the scripts of the browser tests to what is in them.
func sources(t *testing.T) map[string]string {
	t.Helper()
	root, files := filepath.Join("..", ".."), map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "dist"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go" && filepath.Ext(path) != ".mjs":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if name = filepath.ToSlash(name); !slices.Contains(doors, name) {
			files[name] = string(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 300 {
		t.Fatalf("%d files: this is not the tree", len(files))
	}
	return files
}

// TestListIsWhatIsStarted holds that nothing is started past the list, and that the list has what is started, and no more.
func TestListIsWhatIsStarted(t *testing.T) {
	t.Parallel()
	named := map[string]bool{}
	for path, text := range sources(t) {
		if found := direct.FindString(text); found != "" {
			t.Errorf("%s has %s: start programs by internal/foreign or web/e2e/support/programs.mjs", path, found)
		}
		for _, call := range calls.FindAllStringSubmatch(text, -1) {
			if err := foreign.Listed(call[1]); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		for program := range foreign.Programs() {
			if strings.Contains(text, `"`+program+`"`) || strings.Contains(text, `'`+program+`'`) {
				named[program] = true
			}
		}
	}
	for program := range foreign.Programs() {
		if !named[program] {
			t.Errorf("nothing starts %s: take it off programs.txt", program)
		}
	}
}

func TestUnlistedProgramDoesNotStart(t *testing.T) {
	t.Parallel()
	err := foreign.Command(t.Context(), "true").Run() // every machine has it, but nobody has listed it
	if err == nil || !strings.Contains(err.Error(), "not listed") {
		t.Errorf("started, or another error: %v", err)
	}
	if err := foreign.Installed("go-nowhere-to-be-found"); err == nil {
		t.Error("found what does not exist")
	}
}
