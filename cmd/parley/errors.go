package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Exit codes.
const (
	exitOK      = 0
	exitRuntime = 1 // what was asked for failed
	exitUsage   = 2 // it was not asked for rightly: arguments or configuration
)

// usageError is a mistake in arguments or configuration.
type usageError struct{ error }

// Unwrap returns what is wrong.
func (u usageError) Unwrap() error { return u.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// report prints err as one line and returns the exit code that it asks for.
func report(stderr io.Writer, err error) int {
	var usage usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "parley:", oneLine(err))
		return exitUsage
	default:
		fmt.Fprintln(stderr, "parley:", oneLine(err))
		return exitRuntime
	}
}

// oneLine joins the lines of joined errors.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
