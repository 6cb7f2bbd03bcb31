// Package oidcprovider is an OpenID Connect provider for tests: the one that github.com/zitadel/oidc ships as an example, with people of
// the test's own. Parley's sign-in is tested against it because nobody here wrote it. It serves nothing but tests.
//
// # Goroutines
//
// None: it is an http.Handler.
//
// # Invariants
//
//   - Its sign-in page is a form with the fields username and password. The password of everybody is Password.
//   - It has one client, with the id Client and the secret Secret. A redirect to another address than those given is refused.
//   - What it says of somebody's email comes from its userinfo endpoint, not in the ID token, as with many providers.
package oidcprovider
