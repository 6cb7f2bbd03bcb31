package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by releases: go build -ldflags "-X main.version=v1.2.3".
var version string

// buildVersion is the release, else what the toolchain knows of the tree.
func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+changes"
		}
	}
	switch v := info.Main.Version; {
	case v != "" && v != "(devel)":
		return v
	case revision != "":
		return "devel-" + revision + dirty
	default:
		return "devel"
	}
}

func runVersion(_ context.Context, c console, args []string) error {
	flags := newFlagSet("version", "parley version", "Prints the version, the Go release and the platform.")
	if err := flags.parse(args, c.stdout); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.stdout, "parley %s %s %s/%s\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
