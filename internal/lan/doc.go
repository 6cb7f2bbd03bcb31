// Package lan knows the private network around this machine: which addresses are in it, under which ones and which names this machine
// is found there, and a certificate for these that the machine signs itself.
//
// # Goroutines
//
// None. A Network may be used by several.
//
// # Invariants
//
//   - Private are RFC 1918, fc00::/7 and, on an interface that has one of these, fe80::/10. What a provider shares among its customers
//     (100.64.0.0/10) is not.
//   - Of a machine that has public addresses too, only the private ones count, and only neighbours of those are let in.
//   - The interfaces are read again at most once a second, whoever asks.
//   - A certificate is for 397 days: browsers refuse more than 398, whoever signed. It is no authority: whoever trusts it trusts one machine.
package lan
