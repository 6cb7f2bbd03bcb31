// Command vulncheck looks for known holes in what Parley is built from: make vuln. It takes the Go vulnerability database as a
// Go module (golang.org/x/vulndb), so that it needs the module proxy alone, runs govulncheck with it, and fails where a
// function with a hole is called and a version without the hole is to be had.
//
//	vulncheck GOVULNCHECK [PACKAGE ...]
//
// # Goroutines
//
// None.
//
// # Invariants
//
//   - A hole that is called and has a fix ends the command with status 1; others are printed.
//   - That nothing could be looked up is a failure, never a pass.
package main
