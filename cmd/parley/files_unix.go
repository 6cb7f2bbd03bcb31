//go:build unix

package main

import "syscall"

// fileLimit is how many files the process may open; 0: not known. Go has raised it to the hard limit at the start.
func fileLimit() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	const most = 1 << 30 // also what "unlimited" is taken for
	return int(min(limit.Cur, most))
}
