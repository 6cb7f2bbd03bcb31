package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/parley/parley/internal/loadgen"
)

// keptRun is one entry of the file of -keep.
type keptRun struct {
	Scenario string         `json:"scenario"`
	Plane    string         `json:"plane"`
	Report   loadgen.Report `json:"report"`
}

// kept reads the runs of before.
func (o options) kept() (map[key][]loadgen.Report, error) {
	results := map[key][]loadgen.Report{}
	if o.keep == "" {
		return results, nil
	}
	text, err := os.ReadFile(o.keep)
	if errors.Is(err, fs.ErrNotExist) {
		return results, nil
	}
	var list []keptRun
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("-keep: %w", err)
	}
	for _, r := range list {
		k := key{r.Scenario, r.Plane}
		results[k] = append(results[k], r.Report)
	}
	return results, nil
}

// save writes all runs.
func (o options) save(results map[key][]loadgen.Report) error {
	if o.keep == "" {
		return nil
	}
	var list []keptRun
	for k, reports := range results {
		for _, r := range reports {
			list = append(list, keptRun{k.scenario, k.plane, r})
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return os.WriteFile(o.keep, text, 0o644) //nolint:gosec // figures
}

// marks stand around a generated part of the document.
type marks struct{ begin, end string }

var (
	benchMarks = marks{"<!-- bench: written by make bench -->\n", "<!-- end of bench -->\n"}
	soakMarks  = marks{"<!-- soak: written by make soak -->\n", "<!-- end of soak -->\n"}
)

// splice puts text between the marks.
func splice(path string, m marks, text string) error {
	doc, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(doc), m.begin)
	_, after, closed := strings.Cut(rest, m.end)
	if !found || !closed {
		return fmt.Errorf("%s lacks the marks %q and %q", path, strings.TrimSpace(m.begin), strings.TrimSpace(m.end))
	}
	return os.WriteFile(path, []byte(before+m.begin+text+m.end+after), 0o644) //nolint:gosec // a document
}
