// Command bwe prints how the bandwidth estimator does in simulated networks: a table, or the course of some scenarios.
//
// # Goroutines
//
//	none besides main
//
// # Invariants
//
//   - It prints what package bwesim measures, and nothing else.
package main
