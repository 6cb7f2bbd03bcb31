// Package foreign starts programs that are not ours: those of programs.txt, which .ci/install installs.
//
// # Goroutines
//
// None of its own; those of os/exec end with the command's Wait.
//
// # Invariants
//
//   - Nobody else calls exec.Command, so that no test can need a program that a new machine lacks.
//   - A program that is not listed does not start, also where it is installed.
package foreign
