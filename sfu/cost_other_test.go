//go:build !linux

package sfu

// servedCost: the cost is measured on Linux alone.
func servedCost() bool { return false }
