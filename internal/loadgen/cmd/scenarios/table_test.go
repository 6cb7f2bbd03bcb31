package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/parley/parley/internal/loadgen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func report(cpu float64, limits ...string) loadgen.Report {
	return loadgen.Report{
		Traffic: loadgen.Traffic{PacketsPerSecond: 230}, Server: &loadgen.Server{CPUPerPacket: cpu},
		Generator: loadgen.Generator{Limits: limits},
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	o := options{planes: []string{"batched", "pion"}, rounds: 3, seconds: 5, only: regexp.MustCompile("^1 to 1$|capacity")}
	found := report(5)
	found.Search = &loadgen.Search{Viewers: 400, PacketsPerSecond: 92_000, EndedBy: "p99 of 60.0 ms"}
	text := o.render(t.Context(), map[key][]loadgen.Report{
		{"1 to 1", "batched"}: {report(3), report(1), report(2)},
		{"1 to 1", "pion"}:    {report(9, "it was late"), report(9), report(9)},
		{capacity, "pion"}:    {found},
	})
	for _, want := range []string{
		"| 1 to 1 | batched | 230 | 2.00 (1.00 to 3.00) |", "| 1 to 1 | pion | 230 | 9.00 |",
		"- 1 to 1, pion: it was late (1 of 3 runs)\n", "| capacity | pion | 400 | 92000 | 5.00 |", "run 1 was ended by p99 of 60.0 ms",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "1 to 20") || strings.Contains(text, "| capacity | batched |") {
		t.Errorf("something that was not run:\n%s", text)
	}
}

func TestSplice(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "performance.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n" + begin + "old\n" + end + "after\n")
	if err := splice(path, "new\n"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if want := "before\n" + begin + "new\n" + end + "after\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
	write("no marks")
	if err := splice(path, "new\n"); err == nil {
		t.Error("a document without marks is overwritten")
	}
}

// TestTheDocumentHasItsMarks holds docs/performance.md to what make bench needs of it.
func TestTheDocumentHasItsMarks(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "performance.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), begin) || !strings.Contains(string(doc), end) {
		t.Error("docs/performance.md lacks its marks")
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"-planes", "pion,batched", "-only", "meeting"})
	if err != nil || len(o.planes) != 2 || len(o.scenarios()) != 2 {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := parse([]string{"-only", "("}); err == nil {
		t.Error("a broken expression is taken")
	}
}
