package state

import (
	"path/filepath"
	"runtime"
)

// Off as a folder keeps everything in memory.
const Off = "off"

// Folder says where the data is: where configured says, or in the folder that the service manager made (STATE_DIRECTORY of systemd), or
// in the user's folder for configuration. It is empty where there is none.
func Folder(configured string, getenv func(string) string) string {
	if configured == Off {
		return ""
	}
	if configured != "" {
		return configured
	}
	if list := filepath.SplitList(getenv("STATE_DIRECTORY")); len(list) > 0 {
		return list[0]
	}
	if base := userFolder(runtime.GOOS, getenv); base != "" {
		return filepath.Join(base, "parley")
	}
	return ""
}

// userFolder is os.UserConfigDir for an environment that need not be the process's own.
func userFolder(system string, getenv func(string) string) string {
	home := getenv("HOME")
	switch {
	case system == "windows":
		return getenv("AppData")
	case filepath.IsAbs(getenv("XDG_CONFIG_HOME")):
		return getenv("XDG_CONFIG_HOME")
	case home == "":
		return ""
	case system == "darwin":
		return filepath.Join(home, "Library", "Application Support")
	default:
		return filepath.Join(home, ".config")
	}
}
