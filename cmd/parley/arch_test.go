package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/parley/parley"

	maxFuncLines     = 80
	maxFileLines     = 500
	maxTestFileLines = 800
	maxExported      = 40 // top-level names of a package; an enumeration counts once, as its type
)

// mayImport says which parts of the tree a part may import besides itself. The key is the first folder.
var mayImport = map[string][]string{
	"cmd":       {"sfu", "signaling", "relay", "turn", "web", "internal"},
	"signaling": {"sfu", "internal"},
	"relay":     {"sfu", "internal"},
	"turn":      {},
	"web":       {},
	"sfu":       {"internal"},
	"internal":  {},
}

// thirdParties says which folders may import a module, subfolders included. One that is not listed may not be imported.
// Tests are free to import any of them.
var thirdParties = map[string][]string{
	"github.com/coreos/go-oidc":           {"signaling/access/oidc"},
	"github.com/golang-jwt/jwt":           {"signaling/token"},
	"github.com/pion":                     {"sfu", "turn", "relay/cascade", "internal/loadgen"}, // the load tool is a client of its own
	"github.com/skip2/go-qrcode":          {"internal/qr"},
	"github.com/prometheus/client_golang": {"cmd/parley"},
	"github.com/rs/cors":                  {"signaling/presence", "signaling/access"},
	"go.yaml.in/yaml":                     {"cmd/parley"},
	"golang.org/x/net":                    {"internal/mux", "sfu", "turn"},
	"golang.org/x/oauth2":                 {"signaling/access/oidc"},
	"golang.org/x/sys":                    {"internal"},
	"golang.org/x/text":                   {"signaling/internal/names"},
	"golang.org/x/term":                   {"cmd/parley"},
	"golang.org/x/time":                   {"signaling", "turn"},
	"nhooyr.io/websocket":                 {"signaling/ws"},
	"github.com/zitadel/oidc":             {"internal/oidcprovider"},
	"net/http":                            {"cmd/parley", "signaling", "web", "internal/clientip", "internal/loadgen/cmd", "internal/oidcprovider"}, // the comparator of make bench has metrics
	"github.com/nats-io":                  {"relay/bus"},
	"encoding/json":                       {"cmd/parley", "signaling", "web", "relay", "internal/loadgen", "internal/vulncheck"},
}

// goFile is one parsed source file of the tree.
type goFile struct {
	path  string // from the root, with slashes
	lines int
	ast   *ast.File
	set   *token.FileSet
}

func (f goFile) dir() string  { return path.Dir(f.path) }
func (f goFile) part() string { first, _, _ := strings.Cut(f.path, "/"); return first }
func (f goFile) test() bool   { return strings.HasSuffix(f.path, "_test.go") }

// tree parses all Go files of the module.
func tree(t *testing.T) []goFile {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []goFile
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && p != root && (strings.HasPrefix(name, ".") && name != ".." || name == "node_modules" || name == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, p, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, goFile{filepath.ToSlash(rel), strings.Count(string(src), "\n"), parsed, set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("found %d Go files: this is not the tree", len(files))
	}
	return files
}

func imports(f goFile) []string {
	var out []string
	for _, spec := range f.ast.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err == nil { // the parser has checked it
			out = append(out, p)
		}
	}
	return out
}

func within(dir string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return dir == f || strings.HasPrefix(dir, f+"/") })
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	for _, f := range tree(t) {
		allowed, known := mayImport[f.part()]
		if !known {
			t.Errorf("%s: the tree has no place for %q (design: cmd, signaling, relay, turn, web, sfu, internal)", f.path, f.part())
			continue
		}
		for _, p := range imports(f) {
			inside, ok := strings.CutPrefix(p, module+"/")
			if !ok {
				continue
			}
			part, _, _ := strings.Cut(inside, "/")
			if part != f.part() && !slices.Contains(allowed, part) && !(f.test() && part == "internal") {
				t.Errorf("%s imports %s: %s may import only %v", f.path, inside, f.part(), allowed)
			}
		}
	}
}

func TestSignalingsPartsStandApart(t *testing.T) {
	t.Parallel()
	const ws, presence, rooms = module + "/signaling/ws", module + "/signaling/presence", module + "/signaling"
	forbidden := map[string][]string{
		"signaling":          {ws, presence},
		"signaling/ws":       {presence},
		"signaling/presence": {ws, rooms},
		"signaling/token":    {ws, presence, rooms},

		"signaling/access":        {ws, presence, rooms},
		"signaling/access/guests": {ws, presence, rooms, module + "/signaling/access", module + "/signaling/access/hosts"},
		"signaling/access/hosts":  {ws, presence, rooms, module + "/signaling/access", module + "/signaling/access/guests"},
		"signaling/access/oidc":   {ws, presence, rooms, module + "/signaling/access"},
	}
	for _, f := range tree(t) {
		for _, p := range imports(f) {
			if !f.test() && slices.Contains(forbidden[f.dir()], p) {
				t.Errorf("%s imports %s: cmd/parley brings them together", f.path, p)
			}
		}
	}
}

func TestOneThirdPartyOneFolder(t *testing.T) {
	t.Parallel()
	websocket := map[string]bool{}
	for _, f := range tree(t) {
		for _, p := range imports(f) {
			if p == "nhooyr.io/websocket" && !f.test() {
				websocket[f.path] = true
			}
			name, listed := "", false
			for n := range thirdParties {
				if p == n || strings.HasPrefix(p, n+"/") {
					name, listed = n, true
				}
			}
			switch first, _, _ := strings.Cut(p, "/"); {
			case f.test() || strings.HasPrefix(p, module+"/"):
			case listed && !within(f.dir(), thirdParties[name]):
				t.Errorf("%s imports %s: only %v may", f.path, p, thirdParties[name])
			case !listed && strings.Contains(first, "."):
				t.Errorf("%s imports %s, which nobody may: see thirdParties in arch_test.go", f.path, p)
			}
		}
	}
	if len(websocket) > 1 {
		t.Errorf("nhooyr.io/websocket is imported by more than one file: %v", websocket)
	}
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	exported := map[string][]string{}
	for _, f := range tree(t) {
		if ast.IsGenerated(f.ast) {
			continue
		}
		limit := maxFileLines
		if f.test() {
			limit = maxTestFileLines
		}
		if f.lines > limit {
			t.Errorf("%s has %d lines, budget %d", f.path, f.lines, limit)
		}
		if f.test() {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				if n := f.set.Position(fn.End()).Line - f.set.Position(fn.Pos()).Line + 1; n > maxFuncLines {
					t.Errorf("%s: func %s has %d lines, budget %d", f.path, fn.Name.Name, n, maxFuncLines)
				}
			}
			exported[f.dir()] = append(exported[f.dir()], exportedNames(d)...)
		}
	}
	for dir, names := range exported {
		if len(names) > maxExported {
			t.Errorf("%s exports %d names, budget %d: %v", dir, len(names), maxExported, names)
		}
	}
}

// exportedNames are the exported top-level names that d declares. Methods and the constants of an enumeration belong to
// their type.
func exportedNames(d ast.Decl) []string {
	var names []string
	add := func(ids ...*ast.Ident) {
		for _, id := range ids {
			if id.IsExported() {
				names = append(names, id.Name)
			}
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			add(d.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				add(s.Name)
			case *ast.ValueSpec:
				if d.Tok == token.CONST && enumeration(d) {
					continue
				}
				add(s.Names...)
			}
		}
	}
	return names
}

// enumeration reports whether the constants have a type of the package's own, as a first one with iota or a value has.
func enumeration(d *ast.GenDecl) bool {
	first, ok := d.Specs[0].(*ast.ValueSpec)
	if !ok {
		return false
	}
	id, ok := first.Type.(*ast.Ident)
	return ok && id.IsExported()
}

// forTests reports whether a package only serves tests: laboratories and fakes. A package comment is enough for those.
func forTests(dir string) bool {
	return within(dir, []string{"internal/lab"}) || strings.HasPrefix(path.Base(dir), "fake")
}

func TestEveryPackageExplainsItself(t *testing.T) {
	t.Parallel()
	docs, leaks, tested := map[string]string{}, map[string]bool{}, map[string]bool{}
	dirs := map[string]bool{}
	for _, f := range tree(t) {
		if !f.test() {
			dirs[f.dir()] = true
		}
		if f.ast.Doc != nil && (path.Base(f.path) == "doc.go" || forTests(f.dir())) {
			docs[f.dir()] = f.ast.Doc.Text()
		}
		if f.test() {
			tested[f.dir()] = true
			leaks[f.dir()] = leaks[f.dir()] || slices.Contains(imports(f), "go.uber.org/goleak")
		}
	}
	for dir := range dirs {
		if forTests(dir) {
			if docs[dir] == "" {
				t.Errorf("%s: no package comment", dir)
			}
			continue
		}
		for _, part := range []string{"# Goroutines", "# Invariants"} {
			if !strings.Contains(docs[dir], part) {
				t.Errorf("%s/doc.go: the package comment has no section %q", dir, part)
			}
		}
		if !tested[dir] {
			t.Errorf("%s has no tests", dir)
		} else if !leaks[dir] {
			t.Errorf("%s: no TestMain looks for leaked goroutines (goleak)", dir)
		}
	}
}

// TestNothingSleepsInRealTime holds tests to waiting for conditions; in a synctest bubble time is virtual.
func TestNothingSleepsInRealTime(t *testing.T) {
	t.Parallel()
	files := tree(t)
	bubbles := map[string]bool{} // packages that test in virtual time
	for _, f := range files {
		bubbles[f.dir()] = bubbles[f.dir()] || slices.Contains(imports(f), "testing/synctest")
	}
	for _, f := range files {
		if !f.test() || bubbles[f.dir()] {
			continue
		}
		for _, call := range uses(f, "time", "Sleep") {
			t.Errorf("%s: time.Sleep in a test: wait for a condition, or use testing/synctest", call)
		}
	}
}

// uses are the places where f names pkg.name.
func uses(f goFile, pkg, name string) []token.Position {
	var out []token.Position
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == name {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == pkg {
				out = append(out, f.set.Position(n.Pos()))
			}
		}
		return true
	})
	return out
}

// TestDurationsGoByTheSteadyClock: times that are stored as numbers or compared with those must not follow the machine's clock. In
// signaling dates and tokens need it, so there only numbers are looked at.
func TestDurationsGoByTheSteadyClock(t *testing.T) {
	t.Parallel()
	for _, f := range tree(t) {
		if f.test() {
			continue
		}
		if f.part() == "sfu" {
			for _, call := range uses(f, "time", "Now") {
				t.Errorf("%s: time.Now: use internal/steady", call)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			number, ok := n.(*ast.SelectorExpr)
			if !ok || !strings.HasPrefix(number.Sel.Name, "Unix") {
				return true
			}
			if call, ok := number.X.(*ast.CallExpr); ok {
				if now, ok := call.Fun.(*ast.SelectorExpr); ok && now.Sel.Name == "Now" {
					if pkg, ok := now.X.(*ast.Ident); ok && pkg.Name == "time" {
						t.Errorf("%s: time.Now().%s: use internal/steady", f.set.Position(n.Pos()), number.Sel.Name)
					}
				}
			}
			return true
		})
	}
}

func TestClockIsAnArgumentWhereThingsAreDecided(t *testing.T) {
	t.Parallel()
	for _, f := range tree(t) {
		if f.test() || !strings.HasPrefix(f.path, "sfu/internal/") {
			continue
		}
		for _, call := range uses(f, "time", "Now") {
			t.Errorf("%s: time.Now: take the time as an argument", call)
		}
	}
}
