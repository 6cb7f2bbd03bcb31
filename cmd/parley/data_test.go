package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDataFolder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  []string
		want string
	}{
		{nil, ""},
		{[]string{"HOME=/home/ann"}, "/home/ann/.config/parley"},
		{[]string{"HOME=/home/ann", "STATE_DIRECTORY=/var/lib/parley"}, "/var/lib/parley"},
		{[]string{"HOME=/home/ann", "PARLEY_DATA=/data"}, "/data"},
		{[]string{"HOME=/home/ann", "PARLEY_DATA=off"}, ""},
	} {
		if got := mustLoad(t, append(c.env, "XDG_CONFIG_HOME="), "").folder; got != filepath.FromSlash(c.want) {
			t.Errorf("%v: %q, want %q", c.env, got, c.want)
		}
	}
}

// A server that needs no folder makes none.
func TestNoFolderWithoutNeed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data")
	startHere(t, "PARLEY_DATA="+path)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the folder was made: %v", err)
	}
}
