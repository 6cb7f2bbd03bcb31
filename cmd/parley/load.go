package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/parley/parley/internal/state"
)

const envPrefix = "PARLEY_"

// setting is one value on its way into the configuration.
type setting struct {
	key, value string
	from       string // for messages: "--listen", "PARLEY_LISTEN" or "parley.yaml:3"
}

// loaded is a configuration with the origin of what is not default.
type loaded struct {
	config
	from      map[string]string // key to setting.from
	warnings  []string
	folder    string // where data is kept; empty: in memory
	udpHere   bool   // the UDP socket takes packets of this machine alone; set by exposed
	listenToo string // a second host for the port of listen, where there is such an address; set by exposed
}

// load puts the layers on top of each other: defaults, the file, the environment, flags. file is the path given by flag;
// without one PARLEY_CONFIG names it.
func load(environ []string, file string, flags []setting) (*loaded, error) {
	l := &loaded{config: defaults(), from: map[string]string{}}
	env := l.fromEnv(environ, &file)
	if file != "" {
		settings, err := fromFile(file, &l.config)
		if err != nil {
			return nil, usageError{err}
		}
		if err := l.apply(settings); err != nil {
			return nil, err
		}
	}
	if err := l.apply(env); err != nil {
		return nil, err
	}
	if err := l.apply(flags); err != nil {
		return nil, err
	}
	if err := l.readSecret(); err != nil {
		return nil, err
	}
	l.folder = state.Folder(l.Data, lookup(environ))
	return l, l.validate()
}

// lookup reads one variable of an environment; of several with its name the last counts, as in os/exec.
func lookup(environ []string) func(string) string {
	return func(name string) string {
		for _, e := range slices.Backward(environ) {
			if value, ok := strings.CutPrefix(e, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

func (l *loaded) apply(settings []setting) error {
	byKey := map[string]field{}
	for _, f := range fields(&l.config) {
		byKey[f.key] = f
	}
	for _, s := range settings {
		if err := byKey[s.key].set(s.value); err != nil {
			return usageError{fmt.Errorf("%s: %w", s.from, err)}
		}
		l.from[s.key] = s.from
	}
	return nil
}

// problem is the error about the value of a key, naming where the value came from.
func (l *loaded) problem(key, format string, args ...any) error {
	from := l.from[key]
	switch {
	case from == "":
		from = key
	case !strings.HasPrefix(from, "-") && !strings.HasPrefix(from, envPrefix):
		from += ": " + key // a place in a file
	}
	return usageError{fmt.Errorf("%s: %s", from, fmt.Sprintf(format, args...))}
}

// fromEnv picks the PARLEY_ variables. An empty one counts as not set, which is how compose files and unit files leave one
// out. One that nobody knows is only worth a warning, and only where it looks like a typing mistake: orchestrators inject
// variables such as PARLEY_SERVICE_HOST for their own reasons.
func (l *loaded) fromEnv(environ []string, file *string) []setting {
	keys := map[string]string{}
	var names []string
	for _, f := range fields(&l.config) {
		keys[f.env()] = f.key
		names = append(names, strings.TrimPrefix(f.env(), envPrefix)) // what they share says nothing
	}
	var out []setting
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, envPrefix) || value == "" {
			continue
		}
		key, known := keys[name]
		switch hint := suggestion(strings.TrimPrefix(name, envPrefix), names); {
		case known:
			out = append(out, setting{key, value, name})
		case name == envPrefix+"CONFIG":
			if *file == "" {
				*file = value
			}
		case hint != "":
			l.warnings = append(l.warnings, "unknown environment variable "+name+strings.Replace(hint, `"`, `"`+envPrefix, 1))
		}
	}
	return out
}

// fromFile reads a YAML file. Its errors name the line.
func fromFile(path string, c *config) ([]setting, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("config file: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		first, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "yaml: "), "\n")
		return nil, fmt.Errorf("%s: not YAML: %s", path, first)
	}
	if len(doc.Content) == 0 {
		return nil, nil // an empty file, or comments alone
	}
	r := fileReader{path: path, groups: map[string]bool{}, fields: map[string]field{}, seen: map[string]int{}}
	for _, s := range sections(c) {
		if s.key != "" {
			r.groups[s.key] = true
		}
		for _, f := range s.fields {
			r.fields[f.key] = f
		}
	}
	if err := r.mapping(doc.Content[0], ""); err != nil {
		return nil, err
	}
	return r.out, nil
}

// fileReader turns a YAML tree into settings.
type fileReader struct {
	path   string
	groups map[string]bool
	fields map[string]field
	seen   map[string]int // key to line
	out    []setting
}

func (r *fileReader) at(n *yaml.Node) string { return fmt.Sprintf("%s:%d", r.path, n.Line) }

// mapping reads the keys of one section, whose own key is group; the file as a whole has "".
func (r *fileReader) mapping(n *yaml.Node, group string) error {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil // "limits:" and nothing under it
	}
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("%s: want keys and values, as in listen: \":8080\"", r.at(n))
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		key := strings.TrimPrefix(group+"."+name.Value, ".")
		if line, twice := r.seen[key]; twice {
			return fmt.Errorf("%s: %s is set twice, first on line %d", r.at(name), key, line)
		}
		r.seen[key] = name.Line
		if group == "" && r.groups[key] {
			if err := r.mapping(value, key); err != nil {
				return err
			}
			continue
		}
		f, known := r.fields[key]
		if !known || strings.Contains(name.Value, ".") {
			return fmt.Errorf("%s: unknown key %q%s", r.at(name), key, suggestion(key, r.keys()))
		}
		if err := r.value(f, value); err != nil {
			return fmt.Errorf("%s: %s: %w", r.at(value), key, err)
		}
	}
	return nil
}

func (r *fileReader) keys() []string {
	var keys []string
	for k := range r.fields {
		keys = append(keys, k)
	}
	for k := range r.groups {
		keys = append(keys, k)
	}
	return keys
}

func (r *fileReader) value(f field, n *yaml.Node) error {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	var raw string
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil // the key alone: its default
	case n.Kind == yaml.ScalarNode:
		raw = n.Value
	case n.Kind == yaml.SequenceNode && f.list():
		items := make([]string, len(n.Content))
		for i, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return errors.New("want a list of plain values")
			}
			items[i] = item.Value
		}
		raw = strings.Join(items, ",")
	case f.list():
		return errors.New("want a list")
	default:
		return errors.New("want one plain value")
	}
	r.out = append(r.out, setting{f.key, raw, r.at(n)})
	return nil
}
