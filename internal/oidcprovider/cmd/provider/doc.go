// Command provider runs an OpenID Connect provider for tests (package oidcprovider) until it is told to stop:
//
//	go run ./internal/oidcprovider/cmd/provider --listen 127.0.0.1:9000 --redirect http://127.0.0.1:8080/v1/access/oidc/callback
//
// Flags:
//
//	--listen    address to listen on; default 127.0.0.1:9000
//	--issuer    how it is reached; default http:// and the address
//	--redirect  where people are sent back to; may be given more than once
//
// When it is ready it prints one line on standard output: "ready ISSUER". A server signs people in by it with
//
//	--hosts-oidc-issuer ISSUER --hosts-oidc-client-id parley --hosts-oidc-client-secret provider-secret
//
// People: ann (ann@example.org, verified), bob (bob@example.com, verified), eve (ann@example.org, not verified); the password of all is
// verysecure. The sign-in page has the fields #username and #password and a submit button.
//
// # Goroutines
//
//	| goroutine   | started by | stopped by             |
//	|-------------|------------|------------------------|
//	| HTTP server | run        | run, when its ctx ends |
//
// # Invariants
//
//   - It listens where it is told, on loopback by default: its passwords are known to everybody.
package main
