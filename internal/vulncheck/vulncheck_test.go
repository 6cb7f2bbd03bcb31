package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const record = `{"id":"GO-2026-0001","modified":"2026-10-01T00:00:00Z","aliases":["CVE-2026-1"],"summary":"It breaks.","affected":[
	{"package":{"name":"example.org/a"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"1.0.1"},{"introduced":"1.1.0"},{"fixed":"1.1.3"}]}]},
	{"package":{"name":"example.org/b"},"ranges":[{"events":[{"introduced":"0"}]}]}]}`

func TestDatabaseHasAnIndex(t *testing.T) {
	t.Parallel()
	source, target := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(source, "GO-2026-0001.json"), []byte(record), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := writeDatabase(source, target); n != 1 || err != nil {
		t.Fatalf("%d records, %v", n, err)
	}
	for name, want := range map[string]string{
		"index/db.json":        `{"modified":"2026-10-01T00:00:00Z"}`,
		"index/vulns.json":     `[{"id":"GO-2026-0001","modified":"2026-10-01T00:00:00Z","aliases":["CVE-2026-1"]}]`,
		"ID/GO-2026-0001.json": record,
		"index/modules.json": `[{"path":"example.org/a","vulns":[{"id":"GO-2026-0001","modified":"2026-10-01T00:00:00Z","fixed":"1.1.3"}]},
			{"path":"example.org/b","vulns":[{"id":"GO-2026-0001","modified":"2026-10-01T00:00:00Z"}]}]`,
	} {
		text, err := os.ReadFile(filepath.Join(target, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(value(t, want), value(t, string(text))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if _, err := writeDatabase(t.TempDir(), t.TempDir()); err == nil {
		t.Error("an empty database passes")
	}
}

func value(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhatIsCalledAndHasAFixFails(t *testing.T) {
	t.Parallel()
	const config = `{"config":{"db":"file:///db"}}`
	finding := func(fixed, function string) string {
		return `{"osv":{"id":"GO-1","summary":"It breaks."}}
			{"finding":{"osv":"GO-1","fixed_version":"` + fixed + `","trace":[{"module":"example.org/a","version":"v1.0.0"}]}}
			{"finding":{"osv":"GO-1","fixed_version":"` + fixed + `","trace":[{"module":"example.org/a","version":"v1.0.0","package":"example.org/a","function":"` + function + `"}]}}`
	}
	for _, test := range []struct {
		fixed, function string
		fails           bool
		says            string
	}{
		{"v1.0.1", "Parse", true, "is called: example.org/a.Parse; mended in v1.0.1"},
		{"", "Parse", false, "no fix is to be had"},
		{"v1.0.1", "", false, "is not called; mended in v1.0.1"},
	} {
		holes, err := parse(strings.NewReader(config + finding(test.fixed, test.function)))
		if err != nil || len(holes) != 1 {
			t.Fatalf("%v, %v", holes, err)
		}
		if h := holes[0]; h.fails() != test.fails || !strings.Contains(h.String(), test.says) {
			t.Errorf("fixed %q, called %q: fails %v: %s", test.fixed, test.function, h.fails(), h)
		}
	}
	for _, broken := range []string{"", config + `{"finding":`} {
		if _, err := parse(strings.NewReader(broken)); err == nil {
			t.Errorf("%q passes", broken)
		}
	}
}
