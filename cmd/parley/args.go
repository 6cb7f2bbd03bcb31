package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// flagSet is a flag.FlagSet whose errors are one line with a suggestion, and whose configuration flags are only
// collected: they are applied after the file and the environment.
type flagSet struct {
	*flag.FlagSet
	usage    string // how to call the command
	about    string
	file     string
	settings []setting
	own      []string // names of flags that are no configuration
}

func newFlagSet(name, usage, about string) *flagSet {
	s := &flagSet{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError), usage: usage, about: about}
	s.SetOutput(io.Discard)
	return s
}

// config adds --config and a flag for each field that want accepts.
func (s *flagSet) config(want func(field) bool) {
	s.StringVar(&s.file, "config", "", "Configuration file (YAML); see: parley config. PARLEY_CONFIG names one too.")
	s.own = append(s.own, "config")
	c := defaults()
	for _, f := range fields(&c) {
		if want(f) {
			s.Var(&flagValue{field: f, set: s}, f.flag(), f.doc)
		}
	}
}

// flagValue is a configuration flag on the command line.
type flagValue struct {
	field field
	set   *flagSet
}

// String is the default. It is called on a zero flagValue too.
func (v *flagValue) String() string {
	if v.set == nil {
		return ""
	}
	return v.field.String()
}

// Set collects one setting.
func (v *flagValue) Set(raw string) error {
	v.set.settings = append(v.set.settings, setting{v.field.key, raw, "--" + v.field.flag()})
	return nil
}

// IsBoolFlag tells package flag that no value need follow.
func (v *flagValue) IsBoolFlag() bool { return v.field.bool() }

// parse parses args, which must be flags alone. After --help it has printed the usage and returns flag.ErrHelp.
func (s *flagSet) parse(args []string, stdout io.Writer) error {
	s.Usage = func() {}
	err := s.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		s.help(stdout)
		return err
	case err != nil:
		return usageError{s.explain(err)}
	case s.NArg() > 0:
		return usagef("%s: unexpected argument %q; see: parley %s --help", s.Name(), s.Arg(0), s.Name())
	}
	return nil
}

// explain puts an error of package flag into our words.
func (s *flagSet) explain(err error) error {
	const unknown, missing = "flag provided but not defined: -", "flag needs an argument: -"
	msg := err.Error()
	if name, ok := strings.CutPrefix(msg, unknown); ok {
		name = strings.TrimPrefix(name, "-")
		var names []string
		s.VisitAll(func(f *flag.Flag) { names = append(names, "--"+f.Name) })
		hint := suggestion("--"+name, names)
		if hint == "" {
			hint = fmt.Sprintf("; see: parley %s --help", s.Name())
		}
		return fmt.Errorf("unknown flag --%s%s", name, hint)
	}
	if name, ok := strings.CutPrefix(msg, missing); ok {
		return fmt.Errorf("--%s needs a value", strings.TrimPrefix(name, "-"))
	}
	return err
}

// help prints the usage: the command's own flags first, then the configuration in its order.
func (s *flagSet) help(w io.Writer) {
	fmt.Fprintf(w, "%s\n\nUsage: %s\n", s.about, s.usage)
	for _, name := range s.own {
		s.helpFlag(w, s.Lookup(name))
	}
	c := defaults()
	for _, group := range sections(&c) {
		title := group.doc
		for _, f := range group.fields {
			if fl := s.Lookup(f.flag()); fl != nil {
				if title != "" {
					fmt.Fprintf(w, "\n%s\n", title)
					title = ""
				}
				s.helpFlag(w, fl)
			}
		}
	}
}

func (s *flagSet) helpFlag(w io.Writer, f *flag.Flag) {
	def := ""
	if f.DefValue != "" && f.DefValue != "false" {
		def = " (" + f.DefValue + ")"
	}
	fmt.Fprintf(w, "  --%s%s\n      %s\n", f.Name, def, strings.ReplaceAll(wrap(f.Usage), "\n", "\n      "))
}
