//go:build linux

package lab

import (
	"errors"
	"os"

	"github.com/parley/parley/internal/foreign"
)

// RequireEnv names the variable that, when set to 1, makes Require fail a test that cannot run instead of skipping it. CI sets it.
const RequireEnv = "PARLEY_REQUIRE_LAB"

// Test is what Require needs of a testing.TB.
type Test interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Require skips the test where the lab cannot be built or one of the tools is missing, saying which.
func Require(t Test, tools ...string) {
	t.Helper()
	err := missing(tools)
	switch {
	case err == nil:
	case os.Getenv(RequireEnv) == "1":
		t.Fatalf("%s=1, but %v", RequireEnv, err)
	default:
		t.Skipf("needs the network lab: %v", err)
	}
}

func missing(tools []string) error {
	var errs []error
	if os.Geteuid() != 0 {
		errs = append(errs, errors.New("this is not root"))
	}
	for _, tool := range append([]string{"ip", "nft", "conntrack"}, tools...) {
		if err := foreign.Installed(tool); err != nil {
			errs = append(errs, err)
		}
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
