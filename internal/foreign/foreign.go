package foreign

import (
	"context"
	_ "embed" // the list of programs
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed programs.txt
var list string

// Programs maps the commands that may be started to the Debian packages that have them.
func Programs() map[string]string {
	programs := map[string]string{}
	for line := range strings.Lines(list) {
		if words := strings.Fields(line); len(words) == 2 && words[0] != "#" {
			programs[words[0]] = words[1]
		}
	}
	return programs
}

// Command is a command that will run the program name: one of the list, go, or a path, which is a program that we built
// ourselves. Of any other, Start returns an error.
func Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	if err := Listed(name); err != nil {
		cmd.Err = err
	}
	return cmd
}

// Listed returns an error where the program may not be started.
func Listed(name string) error {
	if name == "go" || filepath.Base(name) != name {
		return nil
	}
	if _, ok := Programs()[name]; !ok {
		return fmt.Errorf("%s is not listed in internal/foreign/programs.txt: a new machine would not have it", name)
	}
	return nil
}

// Installed returns an error where a program of the list is not on this machine.
func Installed(name string) error {
	if err := Listed(name); err != nil {
		return err
	}
	_, err := exec.LookPath(name)
	return err
}
