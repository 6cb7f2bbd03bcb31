// Package qr draws QR codes on terminals.
//
// # Goroutines
//
// None.
//
// # Invariants
//
//   - Both colours are set for every cell: a code has dark modules on a light ground, with a quiet zone of four, whatever the terminal's own
//     colours are.
package qr
