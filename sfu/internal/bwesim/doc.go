// Package bwesim measures the bandwidth estimator: it runs a sender as the media core is one (pacer, probes, layers or an elastic
// source) over a simulated network whose capacity is known, and compares.
//
// # Goroutines
//
//	none: a run is one loop in simulated time; the command runs several at once and waits for them
//
// # Invariants
//
//   - The same scenario and seed give the same result.
//   - What is measured comes from the link, not from the estimator.
package bwesim
