// Package clientip says which address a request comes from: the other end of its connection, or, where that is a proxy that the operator
// trusts, the address that the proxy names in X-Forwarded-For.
//
// # Goroutines
//
//	none
//
// # Invariants
//
//   - X-Forwarded-For counts from trusted proxies alone. It is read from the right, since each proxy appends the address it saw: the first
//     one that is no trusted proxy is the client's. What is left of it was written by the client, and means nothing.
//   - An entry that is no address ends the reading: then the client's address is that of the proxy that passed it on, never an invention.
//   - Addresses are unmapped and have no zone, so that one client has one address.
package clientip
