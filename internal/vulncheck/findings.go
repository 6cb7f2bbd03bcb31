package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// hole is a record of the database that is about something built here.
type hole struct {
	id, summary string
	module      string // and the version in use
	fixed       string // the version without it; "": there is none
	calls       string // the function with the hole that is called; "": none is
}

func (h hole) fails() bool { return h.calls != "" && h.fixed != "" }

func (h hole) String() string {
	what, fix := "is not called", "no fix is to be had"
	if h.calls != "" {
		what = "is called: " + h.calls
	}
	if h.fixed != "" {
		fix = "mended in " + h.fixed
	}
	return fmt.Sprintf("%s %s: %s. It %s; %s.", h.id, h.module, strings.TrimSuffix(h.summary, "."), what, fix)
}

// message is one of govulncheck's stream (golang.org/x/vuln/internal/govulncheck): what it knows, or what it found.
type message struct {
	Config *struct {
		DB string `json:"db"`
	} `json:"config"`
	OSV *struct {
		ID      string `json:"id"`
		Summary string `json:"summary"`
	} `json:"osv"`
	Finding *struct {
		OSV          string `json:"osv"`
		FixedVersion string `json:"fixed_version"`
		Trace        []struct {
			Module   string `json:"module"`
			Version  string `json:"version"`
			Package  string `json:"package"`
			Receiver string `json:"receiver"`
			Function string `json:"function"`
		} `json:"trace"`
	} `json:"finding"`
}

// parse reads govulncheck's output and returns a hole for each record that was found, those that fail first.
func parse(r io.Reader) ([]hole, error) {
	summaries, holes, began := map[string]string{}, map[string]hole{}, false
	for decoder := json.NewDecoder(r); ; {
		var m message
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("govulncheck's output: %w", err)
		}
		began = began || m.Config != nil
		if m.OSV != nil {
			summaries[m.OSV.ID] = m.OSV.Summary
		}
		if f := m.Finding; f != nil && len(f.Trace) > 0 {
			at, h := f.Trace[0], holes[f.OSV]
			h.id, h.module, h.fixed = f.OSV, at.Module+"@"+at.Version, f.FixedVersion
			if at.Function != "" && h.calls == "" {
				h.calls = strings.ReplaceAll(at.Package+"."+at.Receiver+"."+at.Function, "..", ".")
			}
			holes[f.OSV] = h
		}
	}
	if !began {
		return nil, errors.New("govulncheck said nothing")
	}
	all := make([]hole, 0, len(holes))
	for id, h := range holes {
		h.summary = summaries[id]
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b hole) int {
		if a.fails() != b.fails() {
			if a.fails() {
				return -1
			}
			return 1
		}
		return strings.Compare(a.id, b.id)
	})
	return all, nil
}
