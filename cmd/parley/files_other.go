//go:build !unix

package main

// fileLimit is how many files the process may open; 0: not known.
func fileLimit() int { return 0 }
