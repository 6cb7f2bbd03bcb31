package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// entry is what the index needs of one record (https://ossf.github.io/osv-schema).
type entry struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
	Aliases  []string  `json:"aliases,omitempty"`
	Affected []struct {
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
		Ranges []struct {
			Events []struct {
				Fixed string `json:"fixed"`
			} `json:"events"`
		} `json:"ranges"`
	} `json:"affected,omitempty"`
}

// fixed maps the modules that the record is about to the newest version with a fix, or "".
func (e entry) fixed() map[string]string {
	modules := map[string]string{}
	for _, a := range e.Affected {
		modules[a.Package.Name] = ""
		for _, r := range a.Ranges {
			for _, event := range r.Events {
				if event.Fixed != "" {
					modules[a.Package.Name] = event.Fixed
				}
			}
		}
	}
	return modules
}

type (
	moduleHole struct {
		ID       string    `json:"id"`
		Modified time.Time `json:"modified"`
		Fixed    string    `json:"fixed,omitempty"`
	}
	module struct {
		Path  string       `json:"path"`
		Holes []moduleHole `json:"vulns"`
	}
)

// writeDatabase lays the records of folder source out as govulncheck reads them (https://go.dev/doc/security/vuln/database)
// and returns how many there are.
func writeDatabase(source, target string) (int, error) {
	files, err := filepath.Glob(filepath.Join(source, "*.json"))
	if err != nil {
		return 0, err
	}
	if len(files) == 0 {
		return 0, errors.New("the database has no records: has its module another layout?")
	}
	for _, folder := range []string{"ID", "index"} {
		if err := os.Mkdir(filepath.Join(target, folder), 0o755); err != nil {
			return 0, err
		}
	}
	var (
		entries  []entry
		modules  = map[string]*module{}
		modified time.Time
	)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		var e entry
		if err := json.Unmarshal(text, &e); err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(filepath.Join(target, "ID", e.ID+".json"), text, 0o600); err != nil {
			return 0, err
		}
		for path, fixed := range e.fixed() {
			if modules[path] == nil {
				modules[path] = &module{Path: path}
			}
			modules[path].Holes = append(modules[path].Holes, moduleHole{e.ID, e.Modified, fixed})
		}
		if e.Modified.After(modified) {
			modified = e.Modified
		}
		e.Affected = nil // the index does not have it
		entries = append(entries, e)
	}
	return len(entries), writeIndex(filepath.Join(target, "index"), modified, entries, modules)
}

func writeIndex(folder string, modified time.Time, entries []entry, modules map[string]*module) error {
	sorted := make([]*module, 0, len(modules))
	for _, m := range modules {
		sorted = append(sorted, m)
	}
	slices.SortFunc(sorted, func(a, b *module) int { return strings.Compare(a.Path, b.Path) })
	for name, value := range map[string]any{
		"db.json":      map[string]time.Time{"modified": modified},
		"vulns.json":   entries,
		"modules.json": sorted,
	} {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}
