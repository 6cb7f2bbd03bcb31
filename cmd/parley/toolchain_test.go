package main

import (
	"strings"
	"testing"
)

func TestSoundHTTP2(t *testing.T) {
	t.Parallel()
	for release, want := range map[string]bool{
		"go1.26.8": false, "go1.26.0": false, "go1.26": false, "go1.26rc1": false, "go1.25.99": false, "go1.9": false,
		"go1.26.9": true, "go1.26.10": true, "go1.27": true, "go1.27.1": true, "go1.28rc1": true, "go2.0": true, "go1.27rc1": false,
		"go1.26.8 X:nodwarf5": false, "go1.26.10 X:nodwarf5": true, "go1.26.8-vendor": false, "go1.26.9-vendor": true,
		"devel go1.28-abcdef": true, "devel": true, "": true, "go": true, "gox.y": true, "go1.x": true,
	} {
		if got := soundHTTP2(release); got != want {
			t.Errorf("%q: %v", release, got)
		}
		if p := protocols(release); p.HTTP2() != want || !p.HTTP1() {
			t.Errorf("%q: %v", release, p)
		}
	}
}

func FuzzSoundHTTP2(f *testing.F) {
	f.Add("go1.26.8 X:nodwarf5")
	f.Add("go1.")
	f.Fuzz(func(t *testing.T, release string) {
		if !soundHTTP2(release) && !strings.HasPrefix(release, "go") {
			t.Errorf("%q is taken for an old release", release)
		}
	})
}
