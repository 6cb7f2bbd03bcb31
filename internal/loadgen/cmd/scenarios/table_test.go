package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

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
	o := options{planes: []string{"batched", "pion", stock}, rounds: 3, seconds: 5, only: regexp.MustCompile("^1 to 1$|capacity")}
	found := report(5)
	found.Search = &loadgen.Search{Viewers: 400, PacketsPerSecond: 92_000, EndedBy: "p99 of 60.0 ms"}
	text := o.render(t.Context(), map[key][]loadgen.Report{
		{"1 to 1", "batched"}: {report(3), report(1), report(2)},
		{"1 to 1", "pion"}:    {report(9, "it was late"), report(9), report(9)},
		{"1 to 1", stock}:     {report(10), report(10), report(10)},
		{capacity, "pion"}:    {found},
	})
	for _, want := range []string{
		"| 1 to 1 | batched | 230 | 2.00 (1.00 to 3.00) | 0.20 |", "| 1 to 1 | pion | 230 | 9.00 | 0.90 |", "| 1 to 1 | stock | 230 | 10.00 | 1.00 |",
		"- 1 to 1, pion: it was late (1 of 3 runs)\n", "| capacity | pion | 400 | 92000 | - | 5.00 |", "run 1 was ended by p99 of 60.0 ms",
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
	write("before\n" + benchMarks.begin + "old\n" + benchMarks.end + "after\n")
	if err := splice(path, benchMarks, "new\n"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if want := "before\n" + benchMarks.begin + "new\n" + benchMarks.end + "after\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
	write("no marks")
	if err := splice(path, benchMarks, "new\n"); err == nil {
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
	for _, m := range []marks{benchMarks, soakMarks} {
		if !strings.Contains(string(doc), m.begin) || !strings.Contains(string(doc), m.end) {
			t.Errorf("docs/performance.md lacks %+v", m)
		}
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

func TestKeep(t *testing.T) {
	t.Parallel()
	o := options{keep: filepath.Join(t.TempDir(), "runs.json")}
	for n := range 2 {
		results, err := o.kept()
		if err != nil || len(results[key{"x", "y"}]) != n {
			t.Fatalf("%v, %v", results, err)
		}
		results[key{"x", "y"}] = append(results[key{"x", "y"}], report(float64(n)))
		if err := o.save(results); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(o.keep, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := o.kept(); err == nil {
		t.Error("a broken file is taken")
	}
}

func TestSoakIsSound(t *testing.T) {
	t.Parallel()
	good := loadgen.Report{
		Series:   []loadgen.Moment{{Resident: 10 << 20}, {Seconds: 60, Resident: 100 << 20}, {Resident: 105 << 20}},
		Accounts: &loadgen.Accounts{Published: 1000, Due: 100_000, Forwarded: 100_000, NotForwarded: 10, Dropped: map[string]uint64{"late": 3}},
	}
	if err := sound(good); err != nil {
		t.Error(err)
	}
	if text := soakTable(good); !strings.Contains(text, "| 60 | 0 | 0 | 0.00 | 0.0 | 100.0 |") || !strings.Contains(text, "3 late") {
		t.Error(text)
	}
	bad := good
	bad.Series = append(bad.Series, loadgen.Moment{Resident: 130 << 20})
	bad.Accounts = &loadgen.Accounts{Published: 1000, LostIn: -1}
	if err := sound(bad); err == nil || !strings.Contains(err.Error(), "memory grew") || !strings.Contains(err.Error(), "1000 packets published") {
		t.Error(err)
	}
}

// Twenty joins one by one meet a publisher's clock in phases that are spread evenly.
func TestJoinsSampleAllPhases(t *testing.T) {
	t.Parallel()
	const joins = 20
	if apart <= 1300*time.Millisecond {
		t.Errorf("joins %v apart share keyframes", apart)
	}
	for what, every := range map[string]time.Duration{"sound": 20 * time.Millisecond, "picture": time.Second / 30} {
		var phases []time.Duration
		for i := range joins {
			phases = append(phases, time.Duration(i)*apart%every)
		}
		slices.Sort(phases)
		for i := 1; i < joins; i++ {
			if gap := phases[i] - phases[i-1]; gap > every/joins*3/2 {
				t.Errorf("%s: no join between %v and %v", what, phases[i-1], phases[i])
			}
		}
	}
}
